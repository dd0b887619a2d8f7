"""What every admin request goes through: the path, the token, the media types, the body."""

from typing import Any

import pytest

from admin_server import BASE_URL, Server
from keyturn.jose.base64url import encode as b64url
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import CLIENTS, REALMS, USERS

_NOT_NORMAL = {"error": "missingNormalization", "error_description": "Request path not normalized"}
_SEMICOLON = {"error": "invalidCharacter", "error_description": "Request path contains invalid character ';'"}
_UNRECOGNIZED = 'Invalid json representation for RoleRepresentation. Unrecognized field "nope" at line 1 column 11.'


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/demo/clients/", 200, None),
        ("GET", "/demo//clients", 400, _NOT_NORMAL),
        ("GET", "/demo;x/clients", 400, _SEMICOLON),
        ("GET", "/d%65mo/clients", 400, _NOT_NORMAL),
        ("GET", "/demo/Clients", 404, {"error": "HTTP 404 Not Found"}),
        ("GET", "/nowhere/clients", 404, {"error": "Realm not found."}),
        ("GET", "/demo/clients/nothing", 404, {"error": "Could not find client"}),
        ("PATCH", "/demo/roles", 405, {"error": "HTTP 405 Method Not Allowed"}),
        ("DELETE", "/demo/clients", 405, {"error": "HTTP 405 Method Not Allowed"}),
        ("GET", "/admin/nothing/more", 405, {"error": "HTTP 405 Method Not Allowed"}),
    ],
)
def test_answers_paths_and_methods_as_keycloak_does(
    server: Server, method: str, path: str, status: int, body: Any
) -> None:
    answer = server.call(method, path)
    assert answer.status == status
    assert body is None or answer.body == body


@pytest.mark.parametrize(
    "authorization", ["", "Basic YWRtaW46YWRtaW4=", "Bearer nonsense", "Bearer a b", "DPoP {token}"]
)
def test_refuses_what_is_no_bearer_token(server: Server, authorization: str) -> None:
    answer = server.call("GET", "/nowhere", authorization=authorization.replace("{token}", server.token()))
    assert (answer.status, answer.body) == (401, {"error": "HTTP 401 Unauthorized"})


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"iss": "http://elsewhere/realms/master"},
        {"iss": f"{BASE_URL}/realms/demo"},
        {"iss": f"{BASE_URL}/realms/master", "exp": 10**400},
        {"azp": "nobody"},
        {"sub": "nobody"},
        {"typ": "Refresh"},
        {"typ": "ID"},
        {"sid": "ended"},
        {"cnf": {"jkt": "key"}},
    ],
)
def test_refuses_a_token_that_does_not_count(server: Server, claims: dict[str, Any]) -> None:
    assert server.call("GET", "/demo", token=server.token(**claims)).status == 401


def test_refuses_an_issuer_that_is_no_unicode(server: Server) -> None:
    header, claims = (b64url(part) for part in (b'{"alg":"RS256"}', b'{"iss":"%b/realms/\\ud800"}' % BASE_URL.encode()))
    forged = b".".join((header, claims, b64url(b"signature"))).decode()
    assert server.call("GET", "/demo", token=forged).status == 401


def test_refuses_a_token_signed_by_another_realm(server: Server) -> None:
    forged = server.holder_of("realm-admin", iss=f"{BASE_URL}/realms/master")
    assert server.call("GET", "/demo", token=forged).status == 401


@pytest.mark.parametrize("what", ["user", "client", "realm"])
def test_refuses_at_once_when_disabled(server: Server, what: str) -> None:
    token = server.token()
    assert server.call("GET", "/demo", token=token).status == 200
    with server.store.write() as tx:
        master = tx.find(REALMS, None, realm="master")
        assert master is not None
        master_id = str(master.id)
        if what == "realm":
            master.enabled = False
            tx.update(REALMS, master_id, master)
        elif what == "user":
            user = tx.find(USERS, master_id, username="admin")
            assert user is not None
            user.enabled = False
            tx.update(USERS, master_id, user)
        else:
            client = tx.find(CLIENTS, master_id, client_id="admin-cli")
            assert client is not None
            client.enabled = False
            tx.update(CLIENTS, master_id, client)
    assert server.call("GET", "/demo", token=token).status == 401


def test_refuses_tokens_from_before_not_before(server: Server) -> None:
    with server.store.write() as tx:
        master = tx.find(REALMS, None, realm="master")
        assert isinstance(master, RealmRepresentation)
        master.not_before = int(server.now) + 1
        tx.update(REALMS, str(master.id), master)
    assert server.call("GET", "/demo").status == 401


@pytest.mark.parametrize(
    ("body", "status", "document"),
    [
        (b'{"name":', 400, {"error": "invalid_request", "error_description": "Cannot parse the JSON"}),
        (b"[1]", 400, {"error": "unknown_error", "error_description": "Cannot parse the JSON"}),
        (b"null", 400, {"error": "invalid_request", "error_description": "The body is missing"}),
        (b'{"nope": 1}', 400, {"error": _UNRECOGNIZED}),
        (b"{}", 400, {"error": "role has no name"}),
    ],
)
def test_says_what_is_wrong_with_a_body(server: Server, body: bytes, status: int, document: Any) -> None:
    answer = server.call("POST", "/demo/roles", body)
    assert (answer.status, answer.body) == (status, document)


def test_takes_json_only(server: Server) -> None:
    answer = server.call("POST", "/demo/roles", {"name": "r"}, content_type="text/plain")
    assert answer.status == 415
    assert server.call("GET", "/demo/roles", accept="application/xml").status == 406
    assert server.call("GET", "/demo/roles", accept="text/html, */*;q=0.1").status == 200


@pytest.mark.parametrize("query", ["first=x", "max=1.5", "max=99999999999"])
def test_numbers_that_are_none_are_not_found(server: Server, query: str) -> None:
    answer = server.call("GET", "/demo/clients", query=query)
    assert (answer.status, answer.body) == (404, {"error": "HTTP 404 Not Found"})


def test_a_preflight_needs_no_token(server: Server) -> None:
    answer = server.call("OPTIONS", "/demo/clients", token="", origin="https://console.example.com")
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://console.example.com"


def test_refuses_other_origins_unless_the_token_allows_them(server: Server) -> None:
    answer = server.call("GET", "/demo", origin="https://evil.example.com")
    assert (answer.status, answer.body) == (403, {"error": "Invalid origin"})
    token = server.token("master", "admin", **{"allowed-origins": ["https://console.example.com"]})
    answer = server.call("GET", "/demo", token=token, origin="https://console.example.com")
    assert answer.headers["access-control-allow-origin"] == "https://console.example.com"


def test_nothing_is_left_of_a_refused_write(server: Server) -> None:
    before = len(server.call("GET", "/demo/clients").body)
    answer = server.call("POST", "/demo/clients", {"clientId": "x", "redirectUris": ["javascript:1"]})
    assert answer.status == 400
    assert len(server.call("GET", "/demo/clients").body) == before
