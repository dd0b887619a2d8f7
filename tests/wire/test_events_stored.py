"""Events and the use of clients in a server of its own: seen at once, there after a stop, and whole after SIGKILL."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.process import ServerProcess, running

pytestmark = pytest.mark.slow

SECRET = "svc-secret"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServerProcess]:
    with running(tmp_path / "server") as server:
        server.make_client("demo", "svc", SECRET)
        config = {"eventsEnabled": True, "adminEventsEnabled": True}
        assert server.admin("PUT", "/demo/events/config", config).status == 204
        yield server


def client_login(server: ServerProcess, secret: str = SECRET) -> int:
    return server.token("demo", client_id="svc", client_secret=secret, grant_type="client_credentials").status


def test_what_has_happened_is_seen_at_once(process: ServerProcess) -> None:
    assert [client_login(process) for _ in range(3)] == [200] * 3
    assert client_login(process, "wrong") == 401
    events = process.admin("GET", "/demo/events").json()
    assert [event["type"] for event in events] == ["CLIENT_LOGIN_ERROR", *["CLIENT_LOGIN"] * 3]
    assert process.admin("GET", "/demo/events?type=CLIENT_LOGIN_ERROR&client=svc").json() == events[:1]
    assert len(process.admin("GET", "/demo/events?client=nobody").json()) == 0
    assert process.admin("DELETE", "/demo/events").status == 204
    assert process.admin("GET", "/demo/events").json() == []
    (client,) = process.admin("GET", "/demo/clients?clientId=svc").json()
    assert client["attributes"]["keyturn.tokensIssued"] == "3"
    assert abs(int(client["attributes"]["keyturn.lastUsed"]) - events[1]["time"] / 1000) <= 1


def test_the_use_of_a_client_is_shown_and_cannot_be_set(process: ServerProcess) -> None:
    (client,) = process.admin("GET", "/demo/clients?clientId=svc").json()
    assert not any(name.startswith("keyturn.") for name in client["attributes"])
    path = f"/demo/clients/{client['id']}"
    client_login(process)
    process.admin("GET", "/demo/events")
    used = process.admin("GET", path).json()
    assert used["attributes"].pop("keyturn.tokensIssued") == "1"
    assert int(used["attributes"].pop("keyturn.lastUsed")) > 1_700_000_000
    assert used == client
    used["attributes"] |= {"keyturn.tokensIssued": "99", "keyturn.lastUsed": "1"}
    assert process.admin("PUT", path, used).status == 204
    assert process.admin("GET", path).json()["attributes"]["keyturn.tokensIssued"] == "1"
    copy = {"clientId": "copy", "attributes": used["attributes"]}
    assert process.admin("POST", "/demo/clients", copy).status == 201
    (copied,) = process.admin("GET", "/demo/clients?clientId=copy").json()
    assert not any(name.startswith("keyturn.") for name in copied["attributes"])


def test_nothing_is_lost_where_the_server_is_stopped(process: ServerProcess, tmp_path: Path) -> None:
    for _ in range(5):
        client_login(process)
    assert process.stop() == 0
    with running(tmp_path / "server") as again:
        assert len(again.admin("GET", "/demo/events").json()) == 5
        (client,) = again.admin("GET", "/demo/clients?clientId=svc").json()
        assert client["attributes"]["keyturn.tokensIssued"] == "5"


def test_a_killed_server_loses_no_admin_event_and_no_event_that_was_seen(
    process: ServerProcess, tmp_path: Path
) -> None:
    client_login(process)
    seen = process.admin("GET", "/demo/events").json()
    assert len(seen) == 1
    client_login(process)
    for number in range(5):
        assert process.admin("POST", "/demo/roles", {"name": f"role-{number}"}).status == 201
    process.stop(signal.SIGKILL)
    with running(tmp_path / "server") as again:
        assert [event["id"] for event in again.admin("GET", "/demo/events").json()][-1:] == [seen[0]["id"]]
        paths = [event["resourcePath"] for event in again.admin("GET", "/demo/admin-events?direction=asc").json()]
        assert paths[-5:] == [f"roles/role-{number}" for number in range(5)]
