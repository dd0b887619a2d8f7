"""Client profiles and policies: what is stored, and what clients are made of."""

import socket
from typing import Any

import pytest

from admin_server import NOW, Server
from keyturn.registry.registry import Registry

SECOND = int(NOW)
PROFILES, POLICIES = "/demo/client-policies/profiles", "/demo/client-policies/policies"
ROTATION = {"expiration-period": 3600, "rotated-expiration-period": 600, "remaining-rotation-period": 60}
EVERYBODY: list[dict[str, Any]] = [{"condition": "any-client", "configuration": {}}]


def demand(server: Server, executor: str, configuration: dict[str, Any] | None = None) -> None:
    """Has one executor act on every client."""
    profile = {"name": "p", "executors": [{"executor": executor, "configuration": configuration or {}}]}
    assert server.call("PUT", PROFILES, {"profiles": [profile]}).status == 204
    policy = {"name": "x", "enabled": True, "conditions": EVERYBODY, "profiles": ["p"]}
    assert server.call("PUT", POLICIES, {"policies": [policy]}).status == 204


@pytest.fixture
def rotating(server: Server) -> Server:
    """A server with Keycloak's preview, whose clients' secrets expire."""
    registry = Registry(server.store, features=frozenset({"client-secret-rotation"}))
    with_preview = Server(server.store, registry)
    demand(with_preview, "secret-rotation", ROTATION)
    return with_preview


def client(server: Server, client_id: str) -> dict[str, Any]:
    found: dict[str, Any] = server.call("GET", "/demo/clients", query=f"clientId={client_id}").body[0]
    return found


def times(server: Server, client_id: str) -> dict[str, str]:
    attributes: dict[str, str] = client(server, client_id)["attributes"]
    return {name: value for name, value in attributes.items() if name.startswith("client.secret.")}


def test_a_new_clients_secret_expires(rotating: Server) -> None:
    rotating.call("POST", "/demo/clients", {"clientId": "svc", "secret": "first"})
    assert times(rotating, "svc") == {"client.secret.expiration.time": str(SECOND + 3600)}


def test_the_former_secret_is_kept_for_a_while(rotating: Server) -> None:
    rotating.call("POST", "/demo/clients", {"clientId": "svc", "secret": "first"})
    path = f"/demo/clients/{client(rotating, 'svc')['id']}/client-secret"
    fresh = rotating.call("POST", path).body["value"]
    assert client(rotating, "svc")["secret"] == fresh != "first"
    assert rotating.call("GET", f"{path}/rotated").body == {"type": "secret", "value": "first"}
    assert times(rotating, "svc") == {
        "client.secret.creation.time": str(SECOND),
        "client.secret.expiration.time": str(SECOND + 3600),
        "client.secret.rotated": "first",
        "client.secret.rotated.creation.time": str(SECOND),
        "client.secret.rotated.expiration.time": str(SECOND + 600),
    }
    assert rotating.call("DELETE", f"{path}/rotated").status == 204
    assert rotating.call("GET", f"{path}/rotated").body == {"error": "Client does not have a rotated secret"}


def test_a_change_after_its_end_gives_a_client_another_secret(rotating: Server) -> None:
    expired = {"client.secret.expiration.time": str(SECOND - 1)}
    rotating.call("POST", "/demo/clients", {"clientId": "svc", "secret": "first", "attributes": expired})
    assert client(rotating, "svc")["secret"] != "first"
    assert times(rotating, "svc")["client.secret.rotated"] == "first"


def test_a_change_leaves_a_secret_that_lives(rotating: Server) -> None:
    rotating.call("POST", "/demo/clients", {"clientId": "svc", "secret": "first"})
    path = f"/demo/clients/{client(rotating, 'svc')['id']}"
    assert rotating.call("PUT", path, {"description": "changed"}).status == 204
    assert client(rotating, "svc")["secret"] == "first"
    assert times(rotating, "svc") == {"client.secret.expiration.time": str(SECOND + 3600)}


def test_clients_without_a_secret_have_none_that_expires(rotating: Server) -> None:
    rotating.call("POST", "/demo/clients", {"clientId": "public", "publicClient": True})
    assert times(rotating, "public") == {}


def test_nothing_is_left_of_a_rotation_when_its_policy_has_gone(rotating: Server) -> None:
    rotating.call("POST", "/demo/clients", {"clientId": "svc", "secret": "first"})
    assert rotating.call("PUT", POLICIES, {"policies": []}).status == 204
    rotating.call("PUT", f"/demo/clients/{client(rotating, 'svc')['id']}", {"description": "changed"})
    assert times(rotating, "svc") == {}


def test_the_server_tells_of_the_preview(server: Server, rotating: Server) -> None:
    def told(asked: Server) -> tuple[bool, bool, bool]:
        info = asked.call("GET", "/admin/serverinfo").body
        enabled = {each["name"]: each["enabled"] for each in info["features"]}["CLIENT_SECRET_ROTATION"]
        executors = info["providers"]["client-policy-executor"]["providers"]
        return (
            enabled,
            "secret-rotation" in executors,
            "CLIENT_SECRET_ROTATION" in info["profileInfo"]["disabledFeatures"],
        )

    assert told(server) == (False, False, True)
    assert told(rotating) == (True, True, False)


@pytest.mark.parametrize(
    "configuration",
    [{}, {"expiration-period": 0}, ROTATION | {"expiration-period": 60}, ROTATION | {"rotated-expiration-period": -1}],
)
def test_refuses_periods_that_do_not_fit(rotating: Server, configuration: dict[str, int]) -> None:
    profile = {"name": "p", "executors": [{"executor": "secret-rotation", "configuration": configuration}]}
    assert rotating.call("PUT", PROFILES, {"profiles": [profile]}).status == 400


@pytest.mark.parametrize(
    ("executor", "configuration"),
    [
        ("confidential-client", None),
        ("confidential-client", "text"),
        ("consent-required", {"auto-configure": "perhaps"}),
        ("secure-client-authenticator", {"allowed-client-authenticators": "client-jwt"}),
    ],
)
def test_says_what_is_wrong_where_keycloak_fails(server: Server, executor: str, configuration: Any) -> None:
    profile = {"name": "p", "executors": [{"executor": executor, "configuration": configuration}]}
    answer = server.call("PUT", PROFILES, {"profiles": [profile]})
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")
    assert executor in answer.body["error_description"]


@pytest.mark.parametrize(
    "condition",
    [
        {"condition": "client-attributes", "configuration": {"attributes": "no list"}},
        {"condition": "client-access-type", "configuration": {"type": "public"}},
        {"condition": "client-scopes", "configuration": {"scopes": ["email"]}},
        {"condition": "client-updater-source-host", "configuration": {}},
        {"condition": "any-client", "configuration": "text"},
    ],
)
def test_refuses_a_condition_that_would_stop_everything(server: Server, condition: dict[str, Any]) -> None:
    answer = server.call("PUT", POLICIES, {"policies": [{"name": "x", "conditions": [condition]}]})
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("executor", ["consent-required", "pkce-enforcer", "reject-implicit-grant"])
def test_refuses_clients_where_an_executor_is_not_told_what_to_do(server: Server, executor: str) -> None:
    demand(server, executor)
    answer = server.call("POST", "/demo/clients", {"clientId": "svc"})
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


def strict(server: Server) -> int:
    return server.call("PUT", "/demo", {"attributes": {"keyturn.strict": "true"}}).status


@pytest.mark.parametrize("executor", ["secure-session", "saml-avoid-redirect", "secure-request-object"])
def test_a_strict_realm_takes_nothing_that_is_not_enforced(server: Server, executor: str) -> None:
    assert strict(server) == 204
    profile = {"name": "p", "executors": [{"executor": executor, "configuration": {}}]}
    answer = server.call("PUT", PROFILES, {"profiles": [profile]})
    assert answer.status == 400
    assert f"{executor} is not enforced" in answer.body["error_description"]


def test_a_strict_realm_takes_no_policy_of_a_profile_that_is_not_enforced(server: Server) -> None:
    assert strict(server) == 204
    policy = {"name": "x", "conditions": EVERYBODY, "profiles": ["fapi-1-baseline"]}
    assert server.call("PUT", POLICIES, {"policies": [policy]}).status == 400
    acr = {"name": "x", "conditions": [{"condition": "acr-condition", "configuration": {"acr-property": "gold"}}]}
    assert server.call("PUT", POLICIES, {"policies": [acr]}).status == 400


def test_a_realm_does_not_become_strict_with_what_is_not_enforced(server: Server) -> None:
    demand(server, "secure-session")
    assert strict(server) == 400
    demand(server, "confidential-client")
    assert strict(server) == 204


def test_a_realm_with_bad_policies_is_not_made(server: Server) -> None:
    policies = {"policies": [{"name": "x", "profiles": ["nothing"]}]}
    answer = server.call("POST", "", {"realm": "other", "clientPolicies": policies})
    assert (answer.status, answer.body) == (400, {"errorMessage": "Policy x contains invalid profile nothing"})
    assert server.call("GET", "/other").status == 404


def test_a_refused_client_is_not_there(server: Server) -> None:
    demand(server, "reject-request")
    assert server.call("POST", "/demo/clients", {"clientId": "svc"}).status == 400
    assert server.call("GET", "/demo/clients", query="clientId=svc").body == []


def test_takes_policies_from_the_attributes_of_old_exports(server: Server) -> None:
    attributes = {
        "client-policies.profiles": '{"profiles": [{"name": "p"}]}',
        "client-policies.policies": '{"policies": [{"name": "x", "profiles": ["p"]}]}',
    }
    assert server.call("POST", "", {"realm": "old", "attributes": attributes}).status == 201
    realm = server.call("GET", "/old").body
    assert realm["clientProfiles"] == {"profiles": [{"name": "p"}]}
    assert realm["clientPolicies"]["policies"][0]["profiles"] == ["p"]
    assert not attributes.keys() & realm["attributes"].keys()


@pytest.mark.parametrize("text", ["nonsense", '{"profiles": [{"name": "p", "builtin": true}]}'])
def test_refuses_attributes_that_hold_no_profiles(server: Server, text: str) -> None:
    realm = {"realm": "old", "attributes": {"client-policies.profiles": text}}
    assert server.call("POST", "", realm).status == 400


def test_looks_names_up_while_others_may_write(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names the hosts may have a say in how long that takes."""
    executor = {"executor": "full-scope-disabled", "configuration": {"auto-configure": True}}
    condition = {"condition": "client-updater-source-host", "configuration": {"trusted-hosts": ["slow.example.com"]}}
    profile, policy = {"name": "p", "executors": [executor]}, {"name": "p", "enabled": True, "profiles": ["p"]}
    policies = {"policies": [policy | {"conditions": [condition]}]}
    assert server.call("PUT", PROFILES, {"profiles": [profile]}).status == 204
    assert server.call("PUT", POLICIES, policies).status == 204
    asked: list[str] = []

    def slow(name: str, *more: Any, **options: Any) -> list[Any]:
        with server.store.write():  # fails where a transaction is open
            asked.append(name)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    made = server.call("POST", "/demo/clients", {"clientId": "svc"})
    assert (made.status, len(asked)) == (201, 1)
    assert server.call("PUT", f"/demo/clients/{made.id}", {"name": "another"}).status == 204
    assert server.call("POST", f"/demo/clients/{made.id}/client-secret").status == 200
    assert asked == ["slow.example.com"] * 3
