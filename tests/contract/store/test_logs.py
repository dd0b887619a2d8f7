"""Logs of events, and the use of clients: written in batches, read by time, in no change log."""

import pytest

from keyturn.representations.client import ClientRepresentation
from keyturn.representations.event import AdminEventRepresentation, AuthDetailsRepresentation, EventRepresentation
from keyturn.store.collections import CLIENTS
from keyturn.store.logs import ADMIN_EVENTS, EVENTS
from keyturn.store.spi import Change, ClientUse, Entries
from keyturn.store.sql import SqlStore


def event(id_: str, time: int, **fields: str) -> EventRepresentation:
    return EventRepresentation(id=id_, time=time, **fields)  # type: ignore[arg-type]


@pytest.fixture
def logged(store: SqlStore) -> SqlStore:
    """Three events of a realm, one of another."""
    events = [
        event("a", 1000, type="CLIENT_LOGIN", client_id="svc"),
        event("b", 2000, type="LOGIN", client_id="cli", user_id="ada"),
        event("c", 2000, type="CLIENT_LOGIN", client_id="cli"),
    ]
    with store.write() as write:
        write.append(EVENTS, [*(("r1", each) for each in events), ("r2", event("d", 1500))])
    return store


def found(store: SqlStore, **wanted: object) -> list[object]:
    with store.read() as read:
        return [entry.id for entry in read.entries(EVENTS, "r1", Entries(**wanted))]  # type: ignore[arg-type]


def test_entries_come_newest_first_those_of_one_moment_by_their_writing(logged: SqlStore) -> None:
    assert found(logged) == ["c", "b", "a"]
    assert found(logged, newest_first=False) == ["a", "b", "c"]


def test_entries_come_as_they_were_written(logged: SqlStore) -> None:
    with logged.read() as read:
        newest = read.entries(EVENTS, "r1", Entries(any_of={"type": ["LOGIN"]}))
    assert newest == [event("b", 2000, type="LOGIN", client_id="cli", user_id="ada")]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"any_of": {"type": ["CLIENT_LOGIN"]}}, ["c", "a"]),
        ({"any_of": {"type": ["CLIENT_LOGIN", "LOGIN"], "client_id": ["cli"]}}, ["c", "b"]),
        ({"any_of": {"type": []}}, []),
        ({"like": {"client_id": "s%"}}, ["a"]),
        ({"like": {"client_id": "S%"}}, []),
        ({"since": 1001}, ["c", "b"]),
        ({"since": 2000, "until": 2000}, ["c", "b"]),
        ({"until": 1000}, ["a"]),
        ({"first": 1}, ["b", "a"]),
        ({"limit": 2}, ["c", "b"]),
        ({"first": 1, "limit": 1}, ["b"]),
        ({"limit": 0}, []),
    ],
)
def test_all_conditions_hold(logged: SqlStore, wanted: dict[str, object], ids: list[str]) -> None:
    assert found(logged, **wanted) == ids


def test_admin_events_are_found_by_who_did_what(store: SqlStore) -> None:
    author = AuthDetailsRepresentation(realm_id="m", client_id="c", user_id="u", ip_address="192.0.2.1")
    made = AdminEventRepresentation(
        id="a", time=1, auth_details=author, operation_type="CREATE", resource_type="CLIENT", resource_path="clients/x"
    )
    with store.write() as write:
        write.append(ADMIN_EVENTS, [("r1", made), ("r1", AdminEventRepresentation(id="b", time=2))])
    keys = {
        "operation_type": "CREATE",
        "resource_type": "CLIENT",
        "resource_path": "clients/x",
        "auth_realm_id": "m",
        "auth_client_id": "c",
        "auth_user_id": "u",
        "auth_ip_address": "192.0.2.1",
    }
    with store.read() as read:
        for key, value in keys.items():
            assert read.entries(ADMIN_EVENTS, "r1", Entries(any_of={key: [value]})) == [made]


def test_older_entries_of_one_realm_are_forgotten(logged: SqlStore) -> None:
    with logged.write() as write:
        assert write.forget(EVENTS, "r1", 2000) == 1
        assert write.forget(EVENTS, "r1", 2000) == 0
    assert found(logged) == ["c", "b"]
    with logged.write() as write:
        assert write.forget(EVENTS, "r1") == 2
    with logged.read() as read:
        assert len(read.entries(EVENTS, "r2", Entries())) == 1


def test_nobody_is_told_of_entries_and_uses(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="svc"))
    with store.read() as read:
        before = read.revision
    told: list[Change] = []
    store.subscribe(told.extend)
    with store.write() as write:
        write.append(EVENTS, [("r1", event("a", 1))])
        write.count_uses([ClientUse("r1", "c1", 1, 1)])
        write.forget(EVENTS, "r1")
    assert told == []
    with store.read() as read:
        assert read.revision == before


def test_uses_of_a_client_add_up(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="svc"))
        write.count_uses([ClientUse("r1", "c1", 3, 100)])
        write.count_uses([ClientUse("r1", "c1", 2, 160), ClientUse("r1", "gone", 1, 160)])
        write.count_uses([ClientUse("r1", "c1", 1, 130)])
    with store.read() as read:
        assert read.uses("r1", ["c1", "gone"]) == [ClientUse("r1", "c1", 6, 160)]
        assert read.uses("r2", ["c1"]) == []


def test_uses_are_told_apart_by_credential_and_follow_its_name(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="svc"))
        write.count_uses([ClientUse("r1", "c1", 3, 100), ClientUse("r1", "c1", 1, 90, "old", "192.0.2.1")])
        write.count_uses([ClientUse("r1", "c1", 0, 170, "", "192.0.2.2")])
        write.rename_use("r1", "c1", "", "old")
        write.count_uses([ClientUse("r1", "c1", 1, 180)])
    with store.read() as read:
        found = sorted(read.uses("r1", ["c1"]), key=lambda use: use.last)
    assert found == [ClientUse("r1", "c1", 3, 170, "old", "192.0.2.2"), ClientUse("r1", "c1", 1, 180)]


def test_uses_go_with_the_client(store: SqlStore) -> None:
    with store.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="svc"))
        write.count_uses([ClientUse("r1", "c1", 3, 100)])
        write.delete(CLIENTS, "r1", "c1")
    with store.read() as read:
        assert read.uses("r1", ["c1"]) == []


def test_everything_goes_with_the_realm(logged: SqlStore) -> None:
    with logged.write() as write:
        write.insert(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="svc"))
        write.count_uses([ClientUse("r1", "c1", 3, 100)])
        write.delete_realm("r1")
    assert found(logged) == []
    with logged.read() as read:
        assert read.uses("r1", ["c1"]) == []
        assert len(read.entries(EVENTS, "r2", Entries())) == 1
