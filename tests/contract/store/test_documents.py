"""Documents: kept whole, found by their keys, in order."""

from collections.abc import Callable

import pytest

from keyturn.representations import UNSET, Maybe, Part
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.component import ComponentRepresentation
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, COMPONENTS, GROUPS, REALMS, ROLES, USERS
from keyturn.store.spi import Duplicate
from keyturn.store.sql import SqlStore


def role(name: str, container: str = "r1", realm: str = "r1") -> RoleRepresentation:
    return RoleRepresentation(id=f"{realm}-{container}-{name}", name=name, container_id=container)


def user(name: str) -> UserRepresentation:
    return UserRepresentation(id=f"id-{name}", username=name)


def test_a_document_is_read_back_as_it_was_written(store: SqlStore) -> None:
    client = ClientRepresentation(id="c1", client_id="svc", enabled=False, attributes={"a": "b"}, redirect_uris=["*"])
    with store.write() as write:
        write.insert(CLIENTS, "r1", client)
        assert write.get(CLIENTS, "r1", "c1") == client
    with store.read() as read:
        assert read.get(CLIENTS, "r1", "c1") == client
        assert read.find(CLIENTS, "r1", client_id="svc") == client
        assert read.find(CLIENTS, None, client_id="svc") == client


def test_keys_are_read_without_the_documents(store: SqlStore) -> None:
    with store.write() as write:
        for name in ("b", "a", "c"):
            write.insert(ROLES, "r1", role(name))
        write.insert(ROLES, "r2", role("d", realm="r2"))
    with store.read() as read:
        assert read.keys_of(ROLES, "r1", ("name", "container_id")) == [("b", "r1"), ("a", "r1"), ("c", "r1")]
        some = read.keys_of(ROLES, "r1", ("id",), ["r1-r1-c", "r1-r1-a", "r2-r1-d", "unknown"])
        assert sorted(some) == [("r1-r1-a",), ("r1-r1-c",)]
        assert read.keys_of(ROLES, "r1", ("id",), []) == []
        assert read.keys_of(ROLES, "r1", ("id",), where={"name": "a"}) == [("r1-r1-a",)]
        assert read.keys_of(ROLES, "r1", ("id",), ["r1-r1-a", "r1-r1-b"], where={"name": "b"}) == [("r1-r1-b",)]
        assert read.keys_of(ROLES, "r1", ("id",), where={"container_id": None}) == []


class NameAndSecret(Part):
    """Some fields of a client."""

    client_id: str
    secret: Maybe[str] = UNSET


def test_parts_of_documents_are_read_with_secrets_sealed(store: SqlStore) -> None:
    with store.write() as write:
        for name in ("b", "a", "c"):
            document = ClientRepresentation(id=name, client_id=name, secret="s3cret", description="of no interest")
            write.insert(CLIENTS, "r1", document)
    with store.read() as read:
        in_order = read.parts(CLIENTS, "r1", NameAndSecret, order_by="client_id", first=1)
        assert [part.client_id for part in in_order] == ["b", "c"]
        assert [part.client_id for part in read.parts(CLIENTS, "r1", NameAndSecret)] == ["b", "a", "c"]
        assert "s3cret" not in repr(in_order)


def test_a_document_belongs_to_one_realm(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="svc"))
        write.insert(CLIENTS, "r2", ClientRepresentation(id="c2", client_id="svc"))
    with store.read() as read:
        assert read.get(CLIENTS, "r2", "c1") is None
        assert read.find(CLIENTS, "r2", client_id="svc") == ClientRepresentation(id="c2", client_id="svc")
        assert read.count(CLIENTS, "r1") == 1
        assert read.count(CLIENTS, None) == 2


def test_many_are_read_in_the_order_asked_for(store: SqlStore) -> None:
    names = [f"n{number:04d}" for number in range(1200)]
    with store.write() as write:
        write.insert_many(ROLES, "r1", [role(name) for name in names])
    wanted = [f"r1-r1-{name}" for name in reversed(names)]
    with store.read() as read:
        assert [found.id for found in read.get_many(ROLES, "r1", [wanted[0], "absent", *wanted])] == wanted


def test_update_replaces_the_document_and_its_keys(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="old", description="x"))
        write.update(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="new"))
    with store.read() as read:
        assert read.find(CLIENTS, "r1", client_id="old") is None
        assert read.find(CLIENTS, "r1", client_id="new") == ClientRepresentation(id="c1", client_id="new")


def test_update_and_delete_tell_that_there_is_nothing(store: SqlStore) -> None:
    with store.write() as write:
        assert not write.delete(CLIENTS, "r1", "c1")
    with pytest.raises(KeyError), store.write() as write:
        write.update(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="svc"))


@pytest.mark.parametrize(
    ("second", "key"),
    [
        (ClientRepresentation(id="c2", client_id="svc"), "client_id"),
        (ClientRepresentation(id="c1", client_id="other"), "id"),
    ],
)
def test_names_the_key_that_is_taken(store: SqlStore, second: ClientRepresentation, key: str) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="svc"))
    with pytest.raises(Duplicate) as caught, store.write() as write:
        write.insert(CLIENTS, "r1", second)
    assert (caught.value.collection, caught.value.key) == ("client", key)


def test_an_update_cannot_take_a_key_of_another(store: SqlStore) -> None:
    with store.write() as write:
        write.insert_many(CLIENTS, "r1", [ClientRepresentation(id=name, client_id=name) for name in ("a", "b")])
    with pytest.raises(Duplicate), store.write() as write:
        write.update(CLIENTS, "r1", ClientRepresentation(id="b", client_id="a"))


def test_the_name_of_a_realm_is_unique_among_all(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(REALMS, "r1", RealmRepresentation(id="r1", realm="one"))
    with pytest.raises(Duplicate) as caught, store.write() as write:
        write.insert(REALMS, "r2", RealmRepresentation(id="r2", realm="one"))
    assert caught.value.key == "realm"


def test_the_name_of_a_role_is_unique_in_its_container(store: SqlStore) -> None:
    with store.write() as write:
        write.insert_many(ROLES, "r1", [role("admin"), role("admin", "client-1")])
    with pytest.raises(Duplicate) as caught, store.write() as write:
        write.insert(ROLES, "r1", RoleRepresentation(id="x", name="admin", container_id="client-1"))
    assert (caught.value.collection, caught.value.key) == ("role", "name")


def test_groups_without_a_parent_share_one_place_for_names(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(GROUPS, "r1", GroupRepresentation(id="g1", name="team"))
        write.insert(GROUPS, "r1", GroupRepresentation(id="g2", name="team", parent_id="g1"))
        write.insert(GROUPS, "r1", GroupRepresentation(id="g4", name="other"))
    with pytest.raises(Duplicate), store.write() as write:
        write.insert(GROUPS, "r1", GroupRepresentation(id="g3", name="team"))
    with store.read() as read:
        assert [group.id for group in read.select(GROUPS, "r1", where={"parent_id": None})] == ["g1", "g4"]


def test_absent_keys_never_clash(store: SqlStore) -> None:
    with store.write() as write:
        write.insert_many(USERS, "r1", [user("a"), user("b")])
        write.insert(USERS, "r1", UserRepresentation(id="sa", username="sa", service_account_client_id="c1"))
    with pytest.raises(Duplicate) as caught, store.write() as write:
        write.insert(USERS, "r1", UserRepresentation(id="sb", username="sb", service_account_client_id="c1"))
    assert caught.value.key == "service_account_client"


def test_a_transaction_goes_on_after_a_duplicate(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(ROLES, "r1", role("a"))
        with pytest.raises(Duplicate):
            write.insert(ROLES, "r1", role("a"))
        with pytest.raises(Duplicate):
            write.insert_many(ROLES, "r1", [role("b"), role("a")])
        write.insert(ROLES, "r1", role("c"))
    with store.read() as read:
        assert [found.name for found in read.select(ROLES, "r1")] == ["a", "c"]


def test_selects_in_the_order_of_creation_or_of_a_key_and_by_page(store: SqlStore) -> None:
    with store.write() as write:
        for name in ("b", "d", "a", "c"):
            write.insert(ROLES, "r1", role(name))
    with store.read() as read:
        assert [found.name for found in read.select(ROLES, "r1")] == ["b", "d", "a", "c"]
        assert [found.name for found in read.select(ROLES, "r1", order_by="name")] == ["a", "b", "c", "d"]
        page = read.select(ROLES, "r1", order_by="name", first=1, limit=2)
        assert [found.name for found in page] == ["b", "c"]
        assert [found.name for found in read.select(ROLES, "r1", first=2)] == ["a", "c"]
        assert read.select(ROLES, "r1", limit=0) == []


def test_orders_names_by_their_characters_whatever_the_database_thinks_of_them(store: SqlStore) -> None:
    names = ["Zoe", "_", "a", "a b", "a-b", "ab", "b", "z", "ä", "ж", "\U0001f600"]
    with store.write() as write:
        write.insert_many(ROLES, "r1", [role(name) for name in reversed(names)])
    with store.read() as read:
        assert [found.name for found in read.select(ROLES, "r1", order_by="name")] == names
        assert read.find(ROLES, "r1", name="A") is None


def test_documents_without_a_name_come_first(store: SqlStore) -> None:
    with store.write() as write:
        for name in ("b", UNSET, "a"):
            write.insert(COMPONENTS, "r1", ComponentRepresentation(id=f"id-{name}", name=name))
    with store.read() as read:
        assert [found.name for found in read.select(COMPONENTS, "r1", order_by="name")] == [UNSET, "a", "b"]


@pytest.mark.parametrize("name", ["\0", "a\0b", "\uffff", "\uffff0", "\uffff\uffff0\0\uffff\0"])
def test_keeps_every_character_there_is(store: SqlStore, name: str) -> None:
    with store.write() as write:
        write.insert(ROLES, "r1", role(name))
        write.insert(ROLES, "r1", role(f"{name}0"))
    with store.read() as read:
        assert read.find(ROLES, "r1", name=name) == role(name)
        assert read.keys_of(ROLES, "r1", ("name",)) == [(name,), (f"{name}0",)]


def test_selects_by_equal_keys(store: SqlStore) -> None:
    with store.write() as write:
        write.insert_many(ROLES, "r1", [role("a"), role("a", "c1"), role("b", "c1")])
    with store.read() as read:
        assert [found.name for found in read.select(ROLES, "r1", where={"container_id": "c1"})] == ["a", "b"]
        assert read.count(ROLES, "r1", where={"container_id": "c1", "name": "a"}) == 1


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("jo%", ["joe", "john"]),
        ("JO%", ["joe", "john"]),
        ("%ör%", ["jörg"]),
        ("%ÖR%", ["jörg"]),
        ("straß_", ["straße"]),
        ("50\\%%", ["50%_off"]),
        ("%\\_o%", ["50%_off"]),
        ("%' or 1=1 --", []),
    ],
)
def test_patterns_do_not_regard_case(store: SqlStore, pattern: str, names: list[str]) -> None:
    with store.write() as write:
        write.insert_many(USERS, "r1", [user(n) for n in ("joe", "john", "jörg", "straße", "50%_off", "50 off")])
    with store.read() as read:
        found = read.select(USERS, "r1", like={"username": pattern}, order_by="username")
        assert sorted(str(each.username) for each in found) == sorted(names)
        assert read.count(USERS, "r1", like={"username": pattern}) == len(names)


def test_one_of_several_patterns_has_to_match(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(USERS, "r1", UserRepresentation(id="a", username="a", email="X@example.org"))
        write.insert(USERS, "r1", UserRepresentation(id="b", username="b", first_name="Xaver", last_name="Berg"))
        write.insert(USERS, "r1", UserRepresentation(id="c", username="c", email="y@example.org"))
    terms = [{"username": term, "email": term, "first_name": term, "last_name": term} for term in ("x%", "b%")]
    with store.read() as read:
        assert [found.username for found in read.select(USERS, "r1", any_like=terms[:1])] == ["a", "b"]
        assert [found.username for found in read.select(USERS, "r1", any_like=terms)] == ["b"]
        assert read.count(USERS, "r1", any_like=terms) == 1


def test_everything_survives_reopening(store: SqlStore, open_again: Callable[[], SqlStore]) -> None:
    with store.write() as write:
        write.insert(ROLES, "r1", role("a"))
    store.close()
    with open_again().read() as read:
        assert read.get(ROLES, "r1", "r1-r1-a") == role("a")
        assert read.revision == 1
