"""What administrators do is in the realm's log: of what, where, by whom, without secrets, and never half."""

import json
from typing import Any

import pytest

from admin_server import Server
from keyturn.admin import admin_events
from keyturn.admin.resources import RESOURCES
from keyturn.store.logs import ADMIN_EVENTS
from keyturn.store.spi import Entries, Unavailable

CANARY = "CANARY-5b1f"

UNRECORDED = {
    "post_realm",  # in the log of master
    "delete_realm",  # its log goes with it
    "clear_events",
    "clear_admin_events",
    "convert_client_description",
    "download_certificate",
    "post_partial_export",
    "post_partial_import",  # one for each document
    "put_profile",
    "put_client_profiles",
    "put_client_policies",
    "label_credential",
    "move_credential_to_first",
    "move_credential_after",
    "disable_credential_types",
    "impersonate",
    "send_verify_email",
    "execute_actions_email",
    "reset_password_email",
    "put_permissions_of_role",
    "put_permissions_by_id",
    "put_permissions_of_group",
    "put_permissions",
    "put_permissions_of_provider",
    "put_users_management_permissions",
    "post_texts",
    *("put_text", "delete_text", "delete_texts"),
    # What is off, and never done:
    "put_client_types",
    "post_organization",
    "post_authorization",
    "put_authorization",
    "delete_authorization",
    "sync_users",
    "unlink_users",
    "remove_imported_users",
}
"""Endpoints that write and of which Keycloak keeps no event."""


def turn_on(server: Server, *, details: bool = True) -> None:
    config = {"adminEventsEnabled": True, "adminEventsDetailsEnabled": details}
    assert server.call("PUT", "/demo/events/config", config).status == 204
    assert server.call("DELETE", "/demo/admin-events").status == 204


def recorded(server: Server, query: str = "direction=asc") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.call("GET", "/demo/admin-events", query=query).body
    return found


def brief(event: dict[str, Any]) -> tuple[str, str, str | None]:
    return event["operationType"], event["resourceType"], event.get("resourcePath")


def test_every_endpoint_that_writes_is_recorded_or_is_known_not_to_be() -> None:
    silent = {
        endpoint.parameters.function.__name__
        for mount in RESOURCES
        for endpoint in mount.resource.endpoints
        if endpoint.method != "GET" and endpoint.event is None
    }
    assert silent == UNRECORDED


def test_nothing_is_recorded_by_default(server: Server) -> None:
    server.call("POST", "/demo/roles", {"name": "reader"})
    assert recorded(server) == []


def test_an_event_says_who_did_what_to_what(server: Server) -> None:
    turn_on(server)
    made = server.call("POST", "/demo/clients", {"clientId": "svc", "secret": CANARY})
    (event,) = recorded(server)
    assert brief(event) == ("CREATE", "CLIENT", f"clients/{made.id}")
    assert event["time"] == int(server.now * 1000)
    assert event["realmId"] == server.call("GET", "/demo").body["id"]
    master = server.call("GET", "/master").body["id"]
    (user,) = server.call("GET", "/master/users", query="username=admin").body
    (client,) = server.call("GET", "/master/clients", query="clientId=admin-cli").body
    assert event["authDetails"] == {
        "realmId": master,
        "clientId": client["id"],
        "userId": user["id"],
        "ipAddress": "127.0.0.1",
    }
    shown = json.loads(event["representation"])
    assert shown == {"id": made.id, "clientId": "svc", "secret": "**********"}


def test_the_representation_is_there_only_with_details(server: Server) -> None:
    turn_on(server, details=False)
    server.call("POST", "/demo/roles", {"name": "reader"})
    (event,) = recorded(server)
    assert "representation" not in event
    assert brief(event) == ("CREATE", "REALM_ROLE", "roles/reader")


def test_turning_events_on_and_off_is_recorded(server: Server) -> None:
    server.call("PUT", "/demo/events/config", {"adminEventsEnabled": True})
    server.call("PUT", "/demo", {"adminEventsEnabled": False})
    server.call("PUT", "/demo", {"displayName": "quiet"})
    assert [brief(event) for event in recorded(server)] == [
        ("UPDATE", "REALM", "events/config"),
        ("UPDATE", "REALM", None),
    ]


def test_a_new_realm_is_recorded_in_master(server: Server) -> None:
    server.call("PUT", "/master/events/config", {"adminEventsEnabled": True, "adminEventsDetailsEnabled": True})
    smtp = {"host": "h", "from": "a@example.com", "password": CANARY}
    assert server.call("POST", "", {"realm": "fresh", "smtpServer": smtp}).status == 201
    event = server.call("GET", "/master/admin-events").body[0]
    assert brief(event) == ("CREATE", "REALM", "fresh")
    shown = json.loads(event["representation"])
    assert (shown["realm"], shown["smtpServer"]["password"]) == ("fresh", "**********")


def test_a_refused_call_leaves_no_event(server: Server) -> None:
    server.call("POST", "/demo/clients", {"clientId": "svc"})
    turn_on(server)
    assert server.call("POST", "/demo/clients", {"clientId": "svc"}).status == 409
    assert server.call("DELETE", "/demo/roles/nobody").status == 404
    assert server.call("POST", "/demo/roles", {"name": "x"}, token=server.holder_of("view-realm")).status == 403
    assert recorded(server) == []


def test_what_a_call_is_refused_with_does_not_depend_on_events(server: Server) -> None:
    weak = server.holder_of("view-clients")
    before = [server.call("DELETE", path, token=weak).status for path in ("/demo/roles/no", "/demo/roles-by-id/no")]
    turn_on(server)
    after = [server.call("DELETE", path, token=weak).status for path in ("/demo/roles/no", "/demo/roles-by-id/no")]
    assert before == after


def test_a_change_whose_event_cannot_be_stored_does_not_happen(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    turn_on(server)

    def full(*_: object) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as failing:
        failing.setattr(admin_events, "write", full)
        assert server.call("POST", "/demo/roles", {"name": "reader"}).status == 503
    assert server.call("GET", "/demo/roles/reader").status == 404
    assert recorded(server) == []


def test_what_changes_nothing_is_not_recorded(server: Server) -> None:
    user = server.call("POST", "/demo/users", {"username": "ada", "email": "ada@example.com"}).id
    group = server.call("POST", "/demo/groups", {"name": "team"}).id
    turn_on(server)
    for method in ("PUT", "PUT", "DELETE", "DELETE"):
        server.call(method, f"/demo/users/{user}/groups/{group}")
    server.call("POST", f"/demo/users/{user}/role-mappings/realm", [])
    events = recorded(server)
    path = f"users/{user}/groups/{group}"
    assert [brief(event) for event in events] == [
        ("CREATE", "GROUP_MEMBERSHIP", path),
        ("DELETE", "GROUP_MEMBERSHIP", path),
    ]
    assert events[0]["details"] == {"username": "ada", "email": "ada@example.com"}


def test_of_no_roles_all_is_recorded_but_their_mapping(server: Server) -> None:
    client = server.call("POST", "/demo/clients", {"clientId": "svc"}).id
    user = server.call("POST", "/demo/users", {"username": "ada"}).id
    server.call("POST", "/demo/roles", {"name": "above"})
    turn_on(server)
    paths = [
        "roles/above/composites",
        f"users/{user}/role-mappings/realm",
        f"users/{user}/role-mappings/clients/{client}",
        f"clients/{client}/scope-mappings/realm",
    ]
    for path in paths:
        for method in ("POST", "DELETE"):
            assert server.call(method, f"/demo/{path}", []).status == 204
    told = [(event["operationType"], event["resourcePath"], event["representation"]) for event in recorded(server)]
    unrecorded = {("CREATE", path) for path in paths[1:3]}
    every = [(operation, path) for path in paths for operation in ("CREATE", "DELETE")]
    assert told == [(*each, "[]") for each in every if each not in unrecorded]


@pytest.fixture
def made(server: Server) -> dict[str, str]:
    """The ids of one of each: ``c``lient, client ``s``cope, ``u``ser, ``g``roup, ``r``ole, client role ``k``."""
    ids = {
        "c": server.call("POST", "/demo/clients", {"clientId": "svc"}).id,
        "s": server.call("POST", "/demo/client-scopes", {"name": "extra", "protocol": "openid-connect"}).id,
        "u": server.call("POST", "/demo/users", {"username": "ada"}).id,
        "g": server.call("POST", "/demo/groups", {"name": "team"}).id,
    }
    server.call("POST", "/demo/roles", {"name": "the role"})
    server.call("POST", f"/demo/clients/{ids['c']}/roles", {"name": "kept"})
    ids["r"] = server.call("GET", "/demo/roles/the%20role").body["id"]
    ids["k"] = server.call("GET", f"/demo/clients/{ids['c']}/roles/kept").body["id"]
    turn_on(server)
    return ids


ROLE = [{"id": "{r}", "name": "the role"}]
KEPT = [{"id": "{k}", "name": "kept"}]
MAPPER = {
    "name": "m",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-hardcoded-claim-mapper",
    "config": {"claim.name": "x", "claim.value": "y"},
}


@pytest.mark.parametrize(
    ("method", "path", "body", "event"),
    [
        ("PUT", "clients/{c}", {"description": "d"}, ("UPDATE", "CLIENT", "clients/{c}")),
        ("DELETE", "clients/{c}", None, ("DELETE", "CLIENT", "clients/{c}")),
        ("POST", "clients/{c}/client-secret", None, ("ACTION", "CLIENT", "clients/{c}/client-secret")),
        ("POST", "clients/{c}/nodes", {"node": "n"}, ("CREATE", "CLUSTER_NODE", "clients/{c}/nodes/n")),
        ("POST", "clients/{c}/push-revocation", None, ("ACTION", "CLIENT", "clients/{c}/push-revocation")),
        (
            "PUT",
            "clients/{c}/default-client-scopes/{s}",
            None,
            ("CREATE", "CLIENT_SCOPE_CLIENT_MAPPING", "clients/{c}/default-client-scopes/{s}"),
        ),
        (
            "DELETE",
            "clients/{c}/optional-client-scopes/{s}",
            None,
            ("DELETE", "CLIENT_SCOPE_CLIENT_MAPPING", "clients/{c}/optional-client-scopes/{s}"),
        ),
        ("PUT", "client-scopes/{s}", {"name": "extra"}, ("UPDATE", "CLIENT_SCOPE", "client-scopes/{s}")),
        (
            "PUT",
            "default-default-client-scopes/{s}",
            None,
            ("CREATE", "CLIENT_SCOPE", "default-default-client-scopes/{s}"),
        ),
        (
            "POST",
            "clients/{c}/protocol-mappers/add-models",
            [MAPPER],
            ("CREATE", "PROTOCOL_MAPPER", "clients/{c}/protocol-mappers/add-models"),
        ),
        ("POST", "roles", {"name": "a b"}, ("CREATE", "REALM_ROLE", "roles/a b")),
        ("DELETE", "roles/the%20role", None, ("DELETE", "REALM_ROLE", "roles/the role")),
        ("POST", "clients/{c}/roles", {"name": "x"}, ("CREATE", "CLIENT_ROLE", "clients/{c}/roles/x")),
        ("DELETE", "clients/{c}/roles/kept", None, ("DELETE", "CLIENT_ROLE", "clients/{c}/roles/kept")),
        ("DELETE", "roles-by-id/{k}", None, ("DELETE", "CLIENT_ROLE", "roles-by-id/{k}")),
        ("PUT", "roles-by-id/{r}", {"name": "the role"}, ("UPDATE", "REALM_ROLE", "roles-by-id/{r}")),
        ("POST", "roles-by-id/{r}/composites", KEPT, ("CREATE", "REALM_ROLE", "roles-by-id/{r}/composites")),
        (
            "POST",
            "clients/{c}/scope-mappings/realm",
            ROLE,
            ("CREATE", "REALM_SCOPE_MAPPING", "clients/{c}/scope-mappings/realm"),
        ),
        (
            "POST",
            "client-scopes/{s}/scope-mappings/clients/{c}",
            KEPT,
            ("CREATE", "CLIENT_SCOPE_MAPPING", "client-scopes/{s}/scope-mappings/clients/{c}"),
        ),
        ("PUT", "users/{u}", {"firstName": "Ada"}, ("UPDATE", "USER", "users/{u}")),
        ("DELETE", "users/{u}", None, ("DELETE", "USER", "users/{u}")),
        ("POST", "users/{u}/logout", None, ("ACTION", "USER", "users/{u}/logout")),
        (
            "POST",
            "users/{u}/role-mappings/realm",
            ROLE,
            ("CREATE", "REALM_ROLE_MAPPING", "users/{u}/role-mappings/realm"),
        ),
        (
            "POST",
            "groups/{g}/role-mappings/clients/{c}",
            KEPT,
            ("CREATE", "CLIENT_ROLE_MAPPING", "groups/{g}/role-mappings/clients/{c}"),
        ),
        ("POST", "groups/{g}/children", {"name": "inner"}, ("CREATE", "GROUP", "groups/{g}/children")),
        ("POST", "groups", {"id": "{g}", "name": "team"}, ("UPDATE", "GROUP", "groups")),
        ("DELETE", "groups/{g}", None, ("DELETE", "GROUP", "groups/{g}")),
        ("PUT", "default-groups/{g}", None, ("CREATE", "GROUP", "default-groups/{g}")),
        ("POST", "clear-realm-cache", None, ("ACTION", "REALM", "clear-realm-cache")),
        ("POST", "push-revocation", None, ("ACTION", "REALM", "push-revocation")),
        ("POST", "logout-all", None, ("ACTION", "REALM", "logout-all")),
        (
            "DELETE",
            "attack-detection/brute-force/users",
            None,
            ("DELETE", "USER_LOGIN_FAILURE", "attack-detection/brute-force/users"),
        ),
    ],
)
def test_type_operation_and_path_are_keycloaks(
    server: Server, made: dict[str, str], method: str, path: str, body: Any, event: tuple[str, str, str]
) -> None:
    body = json.loads(_filled(json.dumps(body), made))
    assert server.call(method, f"/demo/{_filled(path, made)}", body).status < 300
    assert [brief(each) for each in recorded(server)] == [tuple(_filled(part, made) for part in event)]


def _filled(text: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def test_no_secret_is_in_any_event(server: Server, made: dict[str, str]) -> None:
    password = {"type": "password", "value": CANARY}
    key = {"name": "k", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider"}
    calls: list[tuple[str, str, Any]] = [
        ("POST", "clients", {"clientId": "x", "secret": CANARY, "registrationAccessToken": CANARY}),
        ("PUT", f"clients/{made['c']}", {"secret": CANARY, "attributes": {"client.secret.rotated": CANARY}}),
        ("POST", "users", {"username": "eve", "credentials": [password]}),
        ("PUT", f"users/{made['u']}", {"credentials": [password]}),
        ("PUT", f"users/{made['u']}/reset-password", password),
        ("POST", "components", {**key, "config": {"priority": ["1"], "privateKey": [CANARY]}}),
        ("PUT", "", {"smtpServer": {"host": "h", "from": "a@example.com", "password": CANARY}}),
    ]
    for method, path, body in calls:
        assert server.call(method, f"/demo/{path}".rstrip("/"), body).status < 300, path
    server.call("POST", f"/demo/clients/{made['c']}/client-secret")
    secret = server.call("GET", f"/demo/clients/{made['c']}/client-secret").body["value"]
    with server.store.read() as reader:
        realm_id = str(server.call("GET", "/demo").body["id"])
        log = repr([json.dumps(str(e.representation)) for e in reader.entries(ADMIN_EVENTS, realm_id, Entries())])
    assert log.count("**********") >= 5
    assert CANARY not in log
    assert secret not in log


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("", ["roles/b%c", "roles/a", "clients"]),
        ("direction=asc&max=2", ["clients", "roles/a"]),
        ("first=1&max=1", ["roles/a"]),
        ("operationTypes=CREATE&operationTypes=UPDATE", ["roles/b%c", "roles/a", "clients"]),
        ("operationTypes=DELETE", []),
        ("resourceTypes=CLIENT", ["clients"]),
        ("resourceTypes=CLIENT&resourceTypes=REALM_ROLE&max=-1", ["roles/b%c", "roles/a", "clients"]),
        ("resourcePath=roles/a", ["roles/a"]),
        ("resourcePath=roles/*", ["roles/b%c", "roles/a"]),
        ("resourcePath=ROLES/a", []),
        ("resourcePath=roles", []),
        ("authIpAddress=127.0.0.1", ["roles/b%c", "roles/a", "clients"]),
        ("authIpAddress=127.*", []),
        ("authUser=nobody", []),
        ("authRealm=master", []),
        ("dateFrom=1800000001000", ["roles/b%c", "roles/a"]),
        ("dateTo=1800000001000", ["roles/a", "clients"]),
        ("dateFrom=2027-01-15&dateTo=2027-01-15", ["roles/b%c", "roles/a", "clients"]),
        ("dateTo=2027-01-14", []),
    ],
)
def test_events_are_found_by_what_they_say(server: Server, query: str, paths: list[str]) -> None:
    turn_on(server)
    server.call("POST", "/demo/clients", {"clientId": "svc"})
    for name in ("a", "b%25c"):
        server.now += 1
        server.call("POST", "/demo/roles", {"name": name.replace("%25", "%")})
    found = [event["resourcePath"] for event in recorded(server, query)]
    assert [path.partition("/")[0] if path.startswith("clients") else path for path in found] == paths


@pytest.mark.parametrize("query", ["operationTypes=NOPE", "resourceTypes=CLIENT&resourceTypes=nope"])
def test_unknown_names_are_refused(server: Server, query: str) -> None:
    answer = server.call("GET", "/demo/admin-events", query=query)
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


def test_events_are_cleared(server: Server) -> None:
    turn_on(server)
    server.call("POST", "/demo/roles", {"name": "reader"})
    assert server.call("DELETE", "/demo/admin-events").status == 204
    assert recorded(server) == []


def test_who_may_not_see_events_gets_none(server: Server) -> None:
    for path in ("events", "admin-events"):
        assert server.call("GET", f"/demo/{path}", token=server.holder_of("view-realm")).status == 403
        assert server.call("GET", f"/demo/{path}", token=server.holder_of("view-events")).status == 200
        assert server.call("DELETE", f"/demo/{path}", token=server.holder_of("view-events")).status == 403
