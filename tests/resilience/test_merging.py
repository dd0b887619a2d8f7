"""Administrators who change different parts of one document at the same time do not undo each other's changes."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from admin_server import Server
from fuzz.target import Prepared
from harness.invariants import violations

_CHANGES = 12
_ATTRIBUTES = [f"part.{number}" for number in range(4)]


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    made = Prepared()
    yield made
    made.remove()


@pytest.fixture
def server(prepared: Prepared) -> Iterator[Server]:
    with prepared.copy() as target:
        yield target.server


def _all_at_once(tasks: list[Callable[[], None]]) -> None:
    """Does all in threads that start together. Raises what one of them raises."""
    together, failures = threading.Barrier(len(tasks)), []

    def run(task: Callable[[], None]) -> None:
        together.wait()
        try:
            task()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _hold(server: Server, path: str, parts: dict[str, Callable[[int], dict[str, Any]]]) -> dict[str, Any]:
    """Each thread changes its part again and again, and always finds it as it left it. What is there at the end."""
    token = server.token(exp=int(server.now) + 3600)

    def changes_of(part: Callable[[int], dict[str, Any]]) -> Callable[[], None]:
        def change() -> None:
            for number in range(_CHANGES):
                sent = part(number)
                answer = server.call("PUT", path, sent, token=token)
                assert answer.status == 204, answer
                found = server.call("GET", path, token=token).body
                assert _within(sent, found), (sent, found)

        return change

    _all_at_once([changes_of(part) for part in parts.values()])
    found: dict[str, Any] = server.call("GET", path).body
    for part in parts.values():
        assert _within(part(_CHANGES - 1), found)
    assert violations(server.store) == []
    return found


def _within(sent: Any, found: Any) -> bool:
    """Whether all that was sent is there."""
    if isinstance(sent, dict):
        return all(name in found and _within(value, found[name]) for name, value in sent.items())
    return bool(sent == found)


def test_changes_of_one_client(server: Server) -> None:
    client = server.call("GET", "/demo/clients", query="clientId=first").body[0]
    parts: dict[str, Callable[[int], dict[str, Any]]] = {
        name: lambda number, name=name: {"attributes": {name: str(number)}}  # type: ignore[misc]
        for name in _ATTRIBUTES
    }
    parts["name"] = lambda number: {"name": f"name {number}"}
    parts["lists"] = lambda number: {"redirectUris": [f"https://example.com/{number}"]}
    parts["flags"] = lambda number: {"fullScopeAllowed": number % 2 == 0}
    after = _hold(server, f"/demo/clients/{client['id']}", parts)
    assert after["clientId"] == "first"
    assert after["attributes"].items() >= client["attributes"].items()


def test_changes_of_one_realm(server: Server) -> None:
    parts: dict[str, Callable[[int], dict[str, Any]]] = {
        "displayName": lambda number: {"displayName": f"name {number}"},
        "accessTokenLifespan": lambda number: {"accessTokenLifespan": 60 + number},
        "ssoSessionIdleTimeout": lambda number: {"ssoSessionIdleTimeout": 1000 + number},
        "smtpServer": lambda number: {"smtpServer": {"host": f"mail{number}", "from": "a@example.com"}},
        "browserSecurityHeaders": lambda number: {"browserSecurityHeaders": {"xRobotsTag": f"none{number}"}},
    }
    _hold(server, "/demo", parts)


def test_changes_of_one_user(server: Server) -> None:
    user = server.call("GET", "/demo/users", query="username=ada").body[0]
    parts: dict[str, Callable[[int], dict[str, Any]]] = {
        "enabled": lambda number: {"enabled": number % 2 == 0},
        "emailVerified": lambda number: {"emailVerified": number % 2 == 0},
        "requiredActions": lambda number: {"requiredActions": ["UPDATE_PASSWORD"] if number % 2 else []},
    }
    after = _hold(server, f"/demo/users/{user['id']}", parts)
    assert after["username"] == "ada"


def test_changes_of_one_client_scope(server: Server) -> None:
    scope = next(each for each in server.call("GET", "/demo/client-scopes").body if each["name"] == "scope")
    parts: dict[str, Callable[[int], dict[str, Any]]] = {
        name: lambda number, name=name: {"name": "scope", "attributes": {name: str(number)}}  # type: ignore[misc]
        for name in _ATTRIBUTES
    }
    parts["description"] = lambda number: {"name": "scope", "description": f"text {number}"}
    _hold(server, f"/demo/client-scopes/{scope['id']}", parts)


def test_changes_of_one_component(server: Server) -> None:
    component = server.call("GET", "/demo/components", query="name=rsa-generated").body[0]
    fixed = {name: component[name] for name in ("providerId", "providerType")}
    parts: dict[str, Callable[[int], dict[str, Any]]] = {
        "priority": lambda number: {**fixed, "config": {"priority": [str(number)]}},
        "enabled": lambda number: {**fixed, "config": {"enabled": ["true" if number % 2 else "false"]}},
        "name": lambda number: {**fixed, "name": f"rsa {number}"},
    }
    _hold(server, f"/demo/components/{component['id']}", parts)


def test_mappers_that_are_added_to_one_client(server: Server) -> None:
    client = server.call("GET", "/demo/clients", query="clientId=first").body[0]
    path, token = f"/demo/clients/{client['id']}", server.token(exp=int(server.now) + 3600)

    def adding(name: str) -> Callable[[], None]:
        def add() -> None:
            for number in range(_CHANGES):
                mapper = {
                    "name": f"{name}-{number}",
                    "protocol": "openid-connect",
                    "protocolMapper": "oidc-full-name-mapper",
                }
                assert server.call("POST", f"{path}/protocol-mappers/models", mapper, token=token).status == 201

        return add

    _all_at_once([adding(name) for name in "abcd"])
    found = {mapper["name"] for mapper in server.call("GET", f"{path}/protocol-mappers/models").body}
    assert found == {"m", *(f"{name}-{number}" for name in "abcd" for number in range(_CHANGES))}


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/demo/clients", {"clientId": "same", "serviceAccountsEnabled": True}),
        ("/demo/roles", {"name": "same"}),
        ("/demo/users", {"username": "same"}),
        ("/demo/groups", {"name": "same"}),
        ("/demo/client-scopes", {"name": "same", "protocol": "openid-connect"}),
    ],
)
def test_of_several_that_make_the_same_one_succeeds(server: Server, path: str, document: dict[str, Any]) -> None:
    token, statuses = server.token(exp=int(server.now) + 3600), []
    _all_at_once([lambda: statuses.append(server.call("POST", path, document, token=token).status)] * 5)
    assert sorted(statuses) == [201, 409, 409, 409, 409]
    assert violations(server.store) == []
