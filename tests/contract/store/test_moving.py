"""A database that is moved is the same in the other one, whichever two kinds they are."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from harness.postgresql import Cluster
from keyturn.representations import ClientRepresentation, RoleRepresentation, UserRepresentation
from keyturn.representations.event import EventRepresentation
from keyturn.store.backends import open_store
from keyturn.store.collections import CLIENTS, ROLES, USERS
from keyturn.store.logs import EVENTS
from keyturn.store.moving import NotEmpty, NotTheSame, digests, move
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import ClientUse, Entries, Relation
from keyturn.store.sql import SqlStore
from keyturn.store.sql_transaction import SqlTransaction

NAMES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.full)]
NOW = 1_700_000_000
SECRET = "a secret that is sealed"


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    """A store with something in every kind of table."""
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c", client_id="c\0\uffff", secret=SECRET))
        write.insert_many(ROLES, "r1", [RoleRepresentation(id=f"{n:05}", name=f"{n}") for n in range(1200)])
        write.link_many(Relation.COMPOSITE, "r1", [("00000", f"{n:05}") for n in range(1, 1200)])
        write.insert(USERS, "r1", UserRepresentation(id="u", username="ü"))
        write.append(EVENTS, [("r1", EventRepresentation(id=f"e{n}", time=n)) for n in range(3)])
        write.count_uses([ClientUse("r1", "c", 7, NOW)])
        write.use_once("jti", "k", NOW + 60)
    with store.write() as write:
        write.delete(ROLES, "r1", "01199")
    return store


@pytest.fixture(params=NAMES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    """An empty one of either kind, with the same seal key."""
    other = f"sqlite:///{tmp_path}/other/keyturn.db"
    if request.param == "postgresql":
        other = request.getfixturevalue("postgresql").new_schema()
    store = open_store(other, SealKeys(tmp_path), lambda: NOW)
    yield store
    store.close()


def test_everything_is_moved_and_goes_on_from_there(filled: SqlStore, empty: SqlStore) -> None:
    moved = move(filled, empty)
    assert {each.table: each.rows for each in moved if each.rows} == {
        "client": 1,
        "role": 1199,
        "user": 1,
        "relation": 1198,
        "event": 3,
        "client_use": 1,
        "change": 1205,
        "once": 1,
    }
    with filled.whole() as before, empty.whole() as after:
        assert digests(before) == digests(after) == moved
    with empty.write() as write:
        assert write.revision == 2
        client = write.get(CLIENTS, "r1", "c")
        assert client == ClientRepresentation(id="c", client_id="c\0\uffff", secret=SECRET)
        assert not write.use_once("jti", "k", NOW + 60)
        write.insert(ROLES, "r1", RoleRepresentation(id="last", name="last"))
        assert write.select(ROLES, "r1", first=1199) == [RoleRepresentation(id="last", name="last")]
        assert len(write.entries(EVENTS, "r1", Entries())) == 3
    with empty.read() as read:
        assert read.revision == 3


def test_a_copy_that_differs_is_not_kept(filled: SqlStore, empty: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put = SqlTransaction.put_rows
    monkeypatch.setattr(SqlTransaction, "put_rows", lambda tx, table, rows: put(tx, table, rows[:-1]))
    with pytest.raises(NotTheSame, match="the copy of client differs: 0 rows, not 1"):
        move(filled, empty)
    with empty.read() as read:
        assert read.revision == 0
        assert read.count(CLIENTS, None) == 0


def test_only_an_empty_database_is_moved_into(filled: SqlStore, empty: SqlStore) -> None:
    with empty.write() as write:
        write.insert(USERS, "r1", UserRepresentation(id="mine", username="mine"))
    with pytest.raises(NotEmpty):
        move(filled, empty)
    with empty.read() as read:
        assert [user.id for user in read.select(USERS, None)] == ["mine"]


@pytest.mark.full
def test_a_database_that_is_moved_may_stand_still_while_the_other_one_is_read(
    postgresql: Cluster, tmp_path: Path
) -> None:
    impatient = f"{postgresql.new_schema()}%20-cidle_in_transaction_session_timeout%3D200"
    store = open_store(impatient, SealKeys(tmp_path), lambda: NOW)
    with store.whole() as transaction:
        Event().wait(0.5)
        assert transaction.revision == 0
        assert transaction.pairs(Relation.COMPOSITE, "r1") == []
    store.close()
