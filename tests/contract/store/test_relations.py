"""Relations: pairs in the order of linking, gone with either end."""

import pytest

from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import REALMS, ROLES, USERS
from keyturn.store.spi import Change, Relation
from keyturn.store.sql import SqlStore


def test_pairs_are_found_from_both_ends_in_the_order_of_linking(store: SqlStore) -> None:
    with store.write() as write:
        for source, target in (("u2", "b"), ("u1", "b"), ("u1", "a")):
            assert write.link(Relation.USER_ROLE, "r1", source, target)
        write.link(Relation.GROUP_ROLE, "r1", "u1", "z")
        write.link(Relation.USER_ROLE, "r2", "u1", "z")
    with store.read() as read:
        assert read.targets(Relation.USER_ROLE, "r1", "u1") == ["b", "a"]
        assert read.sources(Relation.USER_ROLE, "r1", "b") == ["u2", "u1"]
        assert read.targets_of(Relation.USER_ROLE, "r1", ["u2", "u1", "u3"]) == {"u2": ["b"], "u1": ["b", "a"]}
        assert read.targets_of(Relation.USER_ROLE, "r1", []) == {}
        assert read.pairs(Relation.USER_ROLE, "r1") == [("u2", "b"), ("u1", "b"), ("u1", "a")]


@pytest.mark.parametrize("count", [3, 700])
def test_sources_are_found_page_by_page_in_the_order_of_a_key(store: SqlStore, count: int) -> None:
    with store.write() as write:
        users = [UserRepresentation(id=f"u{n}", username=f"name-{n:04d}") for n in range(count)]
        write.insert_many(USERS, "r1", users)
        write.insert_many(USERS, "r2", users)
        write.link_many(Relation.USER_ROLE, "r1", [(f"u{n}", "role") for n in range(count - 1, 0, -1)])
        write.link(Relation.USER_ROLE, "r1", "u0", "another")
        write.link(Relation.MEMBERSHIP, "r1", "u0", "role")
        write.link(Relation.USER_ROLE, "r2", "u0", "role")
        write.link(Relation.USER_ROLE, "r1", "gone", "role")

    def names(first: int = 0, limit: int | None = None) -> list[object]:
        with store.read() as read:
            found = read.page_of_sources(
                USERS, Relation.USER_ROLE, "r1", "role", order_by="username", first=first, limit=limit
            )
            return [user.username for user in found]

    expected = [f"name-{n:04d}" for n in range(1, count)]
    assert names() == expected
    assert names(1, 2) == expected[1:3]
    assert names(count) == names(0, 0) == []


def test_linking_twice_changes_nothing(store: SqlStore) -> None:
    with store.write() as write:
        assert write.link(Relation.COMPOSITE, "r1", "a", "b")
    with store.write() as write:
        assert not write.link(Relation.COMPOSITE, "r1", "a", "b")
        assert not write.unlink(Relation.COMPOSITE, "r1", "a", "c")
    with store.read() as read:
        assert read.revision == 1
        assert read.pairs(Relation.COMPOSITE, "r1") == [("a", "b")]


def test_many_pairs_are_added_whether_or_not_some_are_there(store: SqlStore) -> None:
    with store.write() as write:
        write.link(Relation.COMPOSITE, "r1", "a", "c")
        write.link_many(Relation.COMPOSITE, "r1", [("a", "b"), ("a", "c"), ("a", "d")])
        write.link_many(Relation.COMPOSITE, "r1", [])
    with store.read() as read:
        assert read.targets(Relation.COMPOSITE, "r1", "a") == ["c", "b", "d"]


def test_unlinked_pairs_are_gone(store: SqlStore) -> None:
    with store.write() as write:
        write.link_many(Relation.COMPOSITE, "r1", [("a", "b"), ("a", "c")])
        assert write.unlink(Relation.COMPOSITE, "r1", "a", "b")
    with store.read() as read:
        assert read.targets(Relation.COMPOSITE, "r1", "a") == ["c"]


def test_a_deleted_document_takes_its_relations_along(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(ROLES, "r1", RoleRepresentation(id="x", name="x", container_id="r1"))
        write.insert(USERS, "r1", UserRepresentation(id="x", username="x"))  # the same id is no reason to mix them up
        write.link(Relation.COMPOSITE, "r1", "x", "y")
        write.link(Relation.COMPOSITE, "r1", "p", "x")
        write.link(Relation.USER_ROLE, "r1", "u", "x")
        write.link(Relation.USER_ROLE, "r1", "x", "y")
        write.link(Relation.MEMBERSHIP, "r1", "x", "g")
    with store.write() as write:
        assert write.delete(ROLES, "r1", "x")
    with store.read() as read:
        assert read.pairs(Relation.COMPOSITE, "r1") == []
        assert read.pairs(Relation.USER_ROLE, "r1") == [("x", "y")]
        assert read.pairs(Relation.MEMBERSHIP, "r1") == [("x", "g")]
        assert read.get(USERS, "r1", "x") is not None
    changes = store.changes_since(1)
    assert changes is not None
    assert set(changes) == {
        Change(2, "r1", "role", "x"),
        Change(2, "r1", "composite", "x"),
        Change(2, "r1", "composite", "p"),
        Change(2, "r1", "user_role", "u"),
    }


def test_a_deleted_realm_leaves_nothing_behind_and_others_alone(store: SqlStore) -> None:
    with store.write() as write:
        for realm in ("r1", "r2"):
            write.insert(REALMS, realm, RealmRepresentation(id=realm, realm=f"name-{realm}"))
            write.insert(ROLES, realm, RoleRepresentation(id=f"{realm}a", name="a", container_id=realm))
            write.link(Relation.COMPOSITE, realm, f"{realm}a", "b")
    with store.write() as write:
        write.delete_realm("r1")
    with store.read() as read:
        assert read.get(REALMS, "r1", "r1") is None
        assert read.count(ROLES, "r1") == 0
        assert read.pairs(Relation.COMPOSITE, "r1") == []
        assert read.count(ROLES, "r2") == 1
        assert read.pairs(Relation.COMPOSITE, "r2") == [("r2a", "b")]
    assert store.changes_since(1) == [Change(2, "r1", "realm", "r1")]
