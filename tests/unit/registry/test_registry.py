"""The registry: what is compiled once, what a change touches, and that no change is missed."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.realm import NOW, RealmUnderTest, make_realm, new_id
from harness.tokens import ask, verified
from keyturn.model.user_session import UserSession
from keyturn.oauth2.spi import Miss, Rests
from keyturn.registry.registry import Registry
from keyturn.representations import ClientRepresentation, RealmRepresentation, RoleRepresentation, given
from keyturn.store import sql
from keyturn.store.backends.sqlite import open_store
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, REALMS, ROLES, SESSIONS
from keyturn.store.revisions import shared_revisions
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Reader, Relation, Transaction

GRANT = {"grant_type": "client_credentials"}


class Crowded:
    """The realm's store, in which somebody logs in while anybody reads: ten times, lest a failure lasts for ever."""

    def __init__(self, realm: RealmUnderTest) -> None:
        self._realm = realm
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._realm.store, name)

    @contextmanager
    def read(self) -> Iterator[Reader]:
        with self._realm.store.read() as reader:
            self.reads += 1
            if self.reads <= 10:
                with self._realm.store.write() as transaction:
                    transaction.insert(SESSIONS, self._realm.id, login(f"login-{self.reads}"))
            yield reader


def login(session_id: str) -> UserSession:
    return UserSession(
        id=session_id, user_id="u", username="ada", address="", started=NOW, refreshed=NOW, expires=NOW + 60, clients={}
    )


def service(realm: RealmUnderTest, client_id: str) -> ClientRepresentation:
    return realm.add_client(client_id=client_id, secret="s3cret", service_accounts_enabled=True)


def compiled(realm: RealmUnderTest, client_id: str) -> object:
    return realm.registry.load_client(realm.name, client_id)


def roles_of(realm: RealmUnderTest, client_id: str) -> list[str]:
    token = ask(realm, GRANT, basic=(client_id, "s3cret")).body["access_token"]
    roles: list[str] = verified(realm, token)["realm_access"]["roles"]
    return roles


def test_a_client_is_compiled_on_first_use_and_kept(realm: RealmUnderTest) -> None:
    service(realm, "one")
    with pytest.raises(Miss):
        realm.entry.by_client_id("one")
    first = compiled(realm, "one")
    assert first is not None
    assert realm.entry.by_client_id("one") is first


def test_an_edited_client_is_compiled_anew_and_no_other(realm: RealmUnderTest) -> None:
    one, two = service(realm, "one"), service(realm, "two")
    entry, kept = realm.entry, compiled(realm, "two")
    changed = compiled(realm, "one")
    realm.change_client(one, lambda stored: setattr(stored, "name", "One"))
    assert realm.entry is entry
    assert compiled(realm, "two") is kept
    assert compiled(realm, "one") is not changed
    assert given(two.client_id, "") == "two"


def test_a_client_that_was_asked_for_before_it_existed_is_found_afterwards(realm: RealmUnderTest) -> None:
    assert compiled(realm, "later") is None
    assert realm.entry.by_client_id("later") is None
    service(realm, "later")
    assert compiled(realm, "later") is not None


def test_names_that_nobody_has_do_not_fill_the_memory(realm: RealmUnderTest) -> None:
    service(realm, "one")
    assert compiled(realm, "one") is not None
    tracemalloc.start()
    try:
        for number in range(200):
            name = f"{number}-" + "x" * 100_000
            assert compiled(realm, name) is None
            assert realm.registry.load_realm(name) is None
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 5_000_000


def test_what_is_read_while_people_log_in_need_not_be_read_again(realm: RealmUnderTest) -> None:
    service(realm, "one")
    crowded = Crowded(realm)
    assert Registry(crowded).load_client(realm.name, "one") is not None
    assert crowded.reads == 2


def test_a_realm_that_was_asked_for_before_it_existed_is_found_afterwards(realm: RealmUnderTest) -> None:
    assert realm.registry.load_realm("later") is None
    assert realm.registry.realm("later") is None
    realm_id = new_id()
    with realm.store.write() as transaction:
        transaction.insert(REALMS, realm_id, RealmRepresentation(id=realm_id, realm="later", enabled=True))
    assert realm.registry.load_realm("later") is not None


def test_random_names_do_not_fill_the_memory(realm: RealmUnderTest) -> None:
    entry = realm.entry
    for number in range(10_050):
        entry.keep(f"client-{number}", None)
    assert len(entry._unknown) <= 10_000


def test_a_renamed_realm_is_known_by_its_new_name_alone(realm: RealmUnderTest) -> None:
    assert realm.registry.load_realm("machines") is not None
    realm.change_realm(lambda stored: setattr(stored, "realm", "robots"))
    assert realm.registry.load_realm("machines") is None
    assert realm.registry.load_realm("robots") is not None


def test_a_deleted_client_is_gone_at_once(realm: RealmUnderTest) -> None:
    client = service(realm, "one")
    assert ask(realm, GRANT, basic=("one", "s3cret")).status == 200
    with realm.store.write() as transaction:
        transaction.delete(CLIENTS, realm.id, given(client.id, ""))
    assert ask(realm, GRANT, basic=("one", "s3cret")).error[1] == "invalid_client"


def add_role(transaction: Transaction, realm: RealmUnderTest, name: str) -> str:
    role_id = new_id()
    role = RoleRepresentation(id=role_id, name=name, client_role=False, container_id=realm.id)
    transaction.insert(ROLES, realm.id, role)
    return role_id


def service_account_id(realm: RealmUnderTest, client_id: str) -> str:
    client = realm.registry.load_client(realm.name, client_id)
    assert client is not None
    assert client.service_account is not None
    return client.service_account.id


def test_a_role_given_taken_renamed_or_deleted_shows_in_the_next_token(realm: RealmUnderTest) -> None:
    service(realm, "one")
    user_id = service_account_id(realm, "one")
    with realm.store.write() as transaction:
        role_id = add_role(transaction, realm, "backend-access")
    assert "backend-access" not in roles_of(realm, "one")
    with realm.store.write() as transaction:
        transaction.link(Relation.USER_ROLE, realm.id, user_id, role_id)
    assert "backend-access" in roles_of(realm, "one")
    with realm.store.write() as transaction:
        role = transaction.get(ROLES, realm.id, role_id)
        assert role is not None
        role.name = "renamed"
        transaction.update(ROLES, realm.id, role)
    assert "renamed" in roles_of(realm, "one")
    with realm.store.write() as transaction:
        transaction.unlink(Relation.USER_ROLE, realm.id, user_id, role_id)
    assert "renamed" not in roles_of(realm, "one")
    with realm.store.write() as transaction:
        transaction.link(Relation.USER_ROLE, realm.id, user_id, role_id)
        transaction.delete(ROLES, realm.id, role_id)
    assert "renamed" not in roles_of(realm, "one")


def test_composite_roles_are_closed_even_in_a_circle(realm: RealmUnderTest) -> None:
    service(realm, "one")
    user_id = service_account_id(realm, "one")
    with realm.store.write() as transaction:
        inner, middle, outer = (add_role(transaction, realm, name) for name in ("inner", "middle", "outer"))
        for parent, child in ((outer, middle), (middle, inner), (inner, outer)):
            transaction.link(Relation.COMPOSITE, realm.id, parent, child)
        transaction.link(Relation.USER_ROLE, realm.id, user_id, outer)
    assert {"inner", "middle", "outer"} <= set(roles_of(realm, "one"))


@pytest.mark.parametrize("order", ["²", "--5", "-", "9" * 5000])
def test_an_order_of_scopes_that_is_no_number_stops_nobody(realm: RealmUnderTest, order: str) -> None:
    service(realm, "one")
    with realm.store.write() as transaction:
        scope = transaction.find(CLIENT_SCOPES, realm.id, name="profile")
        assert scope is not None
        scope.attributes = given(scope.attributes, {}) | {"gui.order": order}
        transaction.update(CLIENT_SCOPES, realm.id, scope)
    token = ask(realm, GRANT, basic=("one", "s3cret")).body["access_token"]
    assert sorted(verified(realm, token)["scope"].split()) == ["email", "profile"]


@pytest.mark.parametrize("expires", ["²", "9" * 5000, "soon", ""])
def test_a_rotated_secret_without_an_end_does_not_count(realm: RealmUnderTest, expires: str) -> None:
    client = service(realm, "one")
    rotated = {"client.secret.rotated": "old", "client.secret.rotated.expiration.time": expires}
    realm.change_client(client, lambda stored: setattr(stored, "attributes", given(stored.attributes, {}) | rotated))
    assert ask(realm, GRANT, basic=("one", "s3cret")).status == 200
    assert ask(realm, GRANT, basic=("one", "old")).status == 401


def test_a_renamed_client_stands_in_the_tokens_of_others_under_its_new_name(realm: RealmUnderTest) -> None:
    service(realm, "caller")
    api = service(realm, "api")
    with realm.store.write() as transaction:
        role_id, api_id = new_id(), given(api.id, "")
        role = RoleRepresentation(id=role_id, name="call", client_role=True, container_id=api_id)
        transaction.insert(ROLES, realm.id, role)
        transaction.link(Relation.USER_ROLE, realm.id, service_account_id(realm, "caller"), role_id)

    def access() -> dict[str, object]:
        token = ask(realm, GRANT, basic=("caller", "s3cret")).body["access_token"]
        found: dict[str, object] = verified(realm, token)["resource_access"]
        return found

    assert access()["api"] == {"roles": ["call"]}
    realm.change_client(api, lambda stored: setattr(stored, "client_id", "orders"))
    assert access()["orders"] == {"roles": ["call"]}
    assert "api" not in access()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[RealmUnderTest, Registry]]:
    """A realm, and the registry of another process of its server."""
    one, other = shared_revisions(2)
    realm = make_realm(tmp_path, revisions=one)
    store = open_store(tmp_path / "keyturn.db", SealKeys.from_environment(tmp_path, {}), realm.clock, other)
    yield realm, Registry(store)
    store.close()
    realm.store.close()


def test_nothing_is_decided_before_what_another_process_wrote_is_read(
    elsewhere: tuple[RealmUnderTest, Registry],
) -> None:
    realm, there = elsewhere
    client = service(realm, "one")
    known = there.load_client(realm.name, "one")
    entry = there.realm(realm.name)
    assert known is not None
    assert entry is not None
    rests = Rests((known,))
    assert there.still_has(entry, rests, NOW)
    realm.change_client(client, lambda stored: setattr(stored, "enabled", False))
    assert not there.still_has(entry, rests, NOW)
    with pytest.raises(KeyError):
        there.realm(realm.name)
    assert there.load_realm(realm.name) is entry
    assert not entry.holds(known)
    assert there.realm(realm.name) is entry


def test_nothing_is_remembered_where_anything_may_have_changed(
    elsewhere: tuple[RealmUnderTest, Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "KEPT_REVISIONS", 1)
    realm, there = elsewhere
    entry = there.load_realm(realm.name)
    there.revoked.fill(realm.id, there.revoked.expect(realm.id), [])
    for name in ("one", "two"):
        service(realm, name)
    realm.store.prune(NOW)
    assert there.load_realm(realm.name) is not entry
    assert there.revoked.tells(realm.id, "token") is None
