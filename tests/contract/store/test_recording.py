"""Batches of events in the store, and what is forgotten after its time."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from keyturn.events.event import Event
from keyturn.events.recorder import NotSaved, Use
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_initial_access import ClientInitialAccessPresentation
from keyturn.representations.event import AdminEventRepresentation, EventRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.store import recording
from keyturn.store.collections import CLIENTS, INITIAL_ACCESS, REALMS
from keyturn.store.logs import ADMIN_EVENTS, EVENTS
from keyturn.store.recording import saver, tidy
from keyturn.store.spi import ClientUse, Entries, InDoubt, Log
from keyturn.store.sql import SqlStore

NOW = 1_700_000_000


@pytest.fixture
def ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"id-{next(numbers)}"


def stored(store: SqlStore, log: Log[Any], realm_id: str = "r1") -> list[Any]:
    with store.read() as read:
        return list(read.entries(log, realm_id, Entries(newest_first=False)))


def test_an_event_is_stored_as_keycloak_shows_it(store: SqlStore, ids: Callable[[], str]) -> None:
    event = Event(
        "LOGIN_ERROR",
        "demo",
        "r1",
        1700000000.1239,
        "192.0.2.1",
        client_id="cli",
        user_id="u1",
        session_id="s1",
        error="user_disabled",
        details={"username": "ada"},
        kept=True,
        log="for the operator alone",
    )
    saver(store, ids)([event], {})
    assert stored(store, EVENTS) == [
        EventRepresentation(
            id="id-1",
            time=1700000000123,
            type="LOGIN_ERROR",
            realm_id="r1",
            client_id="cli",
            user_id="u1",
            session_id="s1",
            ip_address="192.0.2.1",
            error="user_disabled",
            details={"username": "ada"},
        )
    ]


def test_what_callers_send_is_cut_and_made_text(store: SqlStore, ids: Callable[[], str]) -> None:
    event = Event("LOGIN", "demo", "r1", 1.0, "", client_id="\ud800" * 2000, details={"username": "x" * 2000})
    saver(store, ids)([event], {})
    (found,) = stored(store, EVENTS)
    assert found.client_id == "?" * 1000
    assert found.details == {"username": "x" * 1000}


def test_events_and_uses_come_in_one_transaction_or_not_at_all(
    store: SqlStore, ids: Callable[[], str], run_sql: Callable[..., object]
) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="svc"))
    batch = [Event("LOGIN", "demo", "r1", 1.0, "")], {("r1", "c1", "key"): Use(2, 5, "192.0.2.1")}
    run_sql("ALTER TABLE client_use RENAME TO away")
    with pytest.raises(NotSaved):
        saver(store, ids)(*batch)
    assert stored(store, EVENTS) == []
    run_sql("ALTER TABLE away RENAME TO client_use")
    saver(store, ids)(*batch)
    with store.read() as read:
        assert read.uses("r1", ["c1"]) == [ClientUse("r1", "c1", 2, 5, "key", "192.0.2.1")]
    assert len(stored(store, EVENTS)) == 1


def test_a_store_that_takes_nothing_says_why(
    store: SqlStore, ids: Callable[[], str], run_sql: Callable[..., object]
) -> None:
    run_sql("DROP TABLE event")
    with pytest.raises(NotSaved, match="the database failed"):
        saver(store, ids)([Event("LOGIN", "demo", "r1", 1.0, "")], {})


@pytest.fixture
def realms(store: SqlStore) -> SqlStore:
    """A realm that keeps events for a minute and admin events for an hour, and one that keeps them for ever."""
    with store.write() as write:
        expiring = RealmRepresentation(
            id="r1", realm="one", events_expiration=60, attributes={"adminEventsExpiration": "3600"}
        )
        write.insert(REALMS, "r1", expiring)
        write.insert(REALMS, "r2", RealmRepresentation(id="r2", realm="two", attributes={"adminEventsExpiration": "x"}))
        for realm_id in ("r1", "r2"):
            for age in (0, 60, 61, 3600, 3601):
                entry = f"{realm_id}-{age}"
                time = (NOW - age) * 1000
                write.append(EVENTS, [(realm_id, EventRepresentation(id=entry, time=time))])
                write.append(ADMIN_EVENTS, [(realm_id, AdminEventRepresentation(id=entry, time=time))])
    return store


def test_events_are_forgotten_after_their_time(realms: SqlStore) -> None:
    tidy(realms, NOW)
    assert [each.id for each in stored(realms, EVENTS)] == ["r1-60", "r1-0"]
    assert [each.id for each in stored(realms, ADMIN_EVENTS)] == ["r1-3600", "r1-61", "r1-60", "r1-0"]
    assert len(stored(realms, EVENTS, "r2")) == len(stored(realms, ADMIN_EVENTS, "r2")) == 5


@pytest.mark.parametrize("lifespan", [2**63 - 1, NOW + 1])
def test_events_that_are_kept_longer_than_time_has_gone_are_not_forgotten(realms: SqlStore, lifespan: int) -> None:
    for_ever = {"adminEventsExpiration": "9" * 5000}
    with realms.write() as write:
        long = RealmRepresentation(id="r1", realm="one", events_expiration=lifespan, attributes=for_ever)
        write.update(REALMS, "r1", long)
    tidy(realms, NOW)
    assert len(stored(realms, EVENTS)) == len(stored(realms, ADMIN_EVENTS)) == 5


def test_many_events_are_forgotten_in_several_transactions(realms: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_AT_ONCE", 2)
    with realms.write() as write:
        write.append(EVENTS, [("r1", EventRepresentation(id=f"old-{number}", time=number)) for number in range(9)])
    tidy(realms, NOW)
    assert [each.id for each in stored(realms, EVENTS)] == ["r1-60", "r1-0"]


def test_initial_access_tokens_that_register_nothing_more_are_forgotten(realms: SqlStore) -> None:
    made = {"used-up": (0, 0), "expired": (60, 1), "for-ever": (0, 1), "not-yet": (61, 1)}
    with realms.write() as write:
        for access_id, (lifespan, left) in made.items():
            access = ClientInitialAccessPresentation(
                id=access_id, timestamp=NOW - 61, expiration=lifespan, count=1, remaining_count=left
            )
            write.insert(INITIAL_ACCESS, "r1", access)
    tidy(realms, NOW)
    with realms.read() as reader:
        assert [access.id for access in reader.select(INITIAL_ACCESS, "r1")] == ["for-ever", "not-yet"]


def test_a_batch_whose_commit_was_not_answered_is_written_once(
    store: SqlStore, ids: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="robot"))
    save, answered = saver(store, ids, lambda: NOW), SqlStore._commit

    def unanswered(self: SqlStore, connection: Any) -> None:
        answered(self, connection)
        raise InDoubt("the connection to the database is lost")

    batch = [Event("LOGIN", "demo", "r1", NOW, "192.0.2.1", kept=True)]
    uses = {("r1", "c1", ""): Use(3, NOW, "192.0.2.1")}
    monkeypatch.setattr(SqlStore, "_commit", unanswered)
    with pytest.raises(NotSaved):
        save(batch, uses)
    monkeypatch.setattr(SqlStore, "_commit", answered)
    save(batch, uses)
    save(batch, {})
    assert len(stored(store, EVENTS)) == 2
    with store.read() as read:
        assert [use.tokens for use in read.uses("r1", ["c1"])] == [3]


def test_what_was_used_or_revoked_is_remembered_for_longer_than_it_counts(store: SqlStore) -> None:
    """By a clock that is a quarter of an hour behind it counts still."""
    with store.write(shared=True) as write:
        for key, until in (("long ago", NOW - 900), ("lately", NOW - 899)):
            assert write.use_once("revoked:r1", key, until)
    tidy(store, NOW)
    with store.read() as read:
        assert [key for key, _ in read.used("revoked:r1", NOW - 1000)] == ["lately"]
