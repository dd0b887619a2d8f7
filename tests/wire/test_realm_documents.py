"""Metadata, keys, the realm's page, and the paths and methods that are not there, as Keycloak 26.7.3 has them."""

from base64 import b64decode

import pytest

from harness.realm import RealmUnderTest
from harness.realm_server import BASE_URL, RealmServer
from keyturn.http.origin import Forwarding, MutualTls
from keyturn.jose import jwk, jwt
from keyturn.oauth2.client_authentication import METHODS
from keyturn.oauth2.grants import GRANTS
from keyturn.store.collections import COMPONENTS

PATHS = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "//.well-known/oauth-authorization-server/realms/machines",
]
ENDPOINTS = {
    "authorization_endpoint": "auth",
    "token_endpoint": "token",
    "introspection_endpoint": "token/introspect",
    "userinfo_endpoint": "userinfo",
    "end_session_endpoint": "logout",
    "revocation_endpoint": "revoke",
    "jwks_uri": "certs",
}


@pytest.mark.parametrize("path", PATHS)
def test_metadata_name_the_issuer_and_the_endpoints(server: RealmServer, path: str) -> None:
    response = server.request("GET", path)
    assert response.headers["cache-control"] == "no-cache, must-revalidate, no-transform, no-store"
    document = response.json()
    assert document["issuer"] == server.issuer
    for name, endpoint in ENDPOINTS.items():
        assert document[name] == f"{server.issuer}/protocol/openid-connect/{endpoint}"
    assert document["mtls_endpoint_aliases"]["token_endpoint"] == document["token_endpoint"]


def test_metadata_leave_out_what_is_empty(server: RealmServer) -> None:
    """RFC 8414 §3.2."""
    for path in PATHS:
        assert all(value not in ([], "", None) for value in server.request("GET", path).json().values())


def test_metadata_are_the_same_under_each_path(server: RealmServer) -> None:
    first, *others = (server.request("GET", path).json() for path in PATHS)
    assert all(other == first for other in others)


def test_metadata_name_every_grant_and_method_that_there_is(server: RealmServer) -> None:
    document = server.request("GET", PATHS[0]).json()
    assert {grant.grant_type for grant in GRANTS} <= set(document["grant_types_supported"])
    for endpoint in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        supported = set(document[f"{endpoint}_auth_methods_supported"])
        assert {name for method in METHODS for name in method.metadata} <= supported
    assert "none" not in document["id_token_signing_alg_values_supported"]
    assert not [name for name in document["dpop_signing_alg_values_supported"] if name.startswith("HS")]


def test_metadata_name_self_signed_certificates_where_they_can_be_shown(
    server: RealmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # That they are not where TLS is missing is seen by the comparison with Keycloak (tests/parity).
    for mutual_tls, shown in ((MutualTls(), True), (None, False)):
        monkeypatch.setattr(server.services, "forwarding", Forwarding(mutual_tls=mutual_tls))
        document = server.request("GET", PATHS[0], base_url="https://sso.example.org").json()
        assert ("self_signed_tls_client_auth" in document["token_endpoint_auth_methods_supported"]) is shown


def test_metadata_name_the_realms_scopes(server: RealmServer) -> None:
    scopes = server.request("GET", PATHS[0]).json()["scopes_supported"]
    assert {"openid", "email", "profile", "roles", "basic", "offline_access"} <= set(scopes)
    assert "saml_organization" not in scopes


def test_the_issuer_follows_the_host(server: RealmServer) -> None:
    document = server.request("GET", PATHS[0], base_url="https://other.test:8080").json()
    assert document["issuer"] == "https://other.test:8080/realms/machines"


def test_uma_metadata_have_the_endpoints_of_protection(server: RealmServer) -> None:
    document = server.request("GET", "/.well-known/uma2-configuration").json()
    assert document["resource_registration_endpoint"] == f"{server.issuer}/authz/protection/resource_set"
    assert "userinfo_endpoint" not in document


def test_the_keys_verify_what_the_realm_signs(server: RealmServer, realm: RealmUnderTest) -> None:
    realm.add_client(client_id="svc", secret="s", service_accounts_enabled=True)
    token = server.client_credentials(("svc", "s"))["access_token"]
    response = server.protocol("GET", "certs")
    assert response.headers["cache-control"] == "no-cache"
    keys = {key["kid"]: key for key in response.json()["keys"]}
    published = keys[jwt.parse(token).kid]
    jwt.verify(token, lambda kid, algorithm: jwk.public_key_from_jwk(published), frozenset({"RS256"}))
    assert sorted((key["use"], key["alg"]) for key in keys.values()) == [("enc", "RSA-OAEP"), ("sig", "RS256")]
    assert not [name for key in keys.values() for name in key if name in ("d", "p", "q", "k")]


def test_a_disabled_key_is_not_published(server: RealmServer, realm: RealmUnderTest) -> None:
    with realm.store.write() as transaction:
        for component in transaction.select(COMPONENTS, realm.id, where={"name": "rsa-generated"}):
            component.config = component.config | {"enabled": ["false"]}  # type: ignore[operator]
            transaction.update(COMPONENTS, realm.id, component)
    assert [key["alg"] for key in server.protocol("GET", "certs").json()["keys"]] == ["RSA-OAEP"]


@pytest.mark.parametrize("path", ["", "/"])
def test_the_realms_page_says_which_key_signs(server: RealmServer, realm: RealmUnderTest, path: str) -> None:
    response = server.request("GET", path)
    assert response.headers["content-type"] == "application/json;charset=UTF-8"
    document = response.json()
    key = realm.entry.realm.keys.signing["RS256"]
    assert b64decode(document.pop("public_key")) == key.public.to_der()
    assert document == {
        "realm": "machines",
        "token-service": f"{server.issuer}/protocol/openid-connect",
        "account-service": f"{server.issuer}/account",
        "tokens-not-before": 0,
    }


def test_a_disabled_realm_still_shows_keys_and_metadata(server: RealmServer, realm: RealmUnderTest) -> None:
    realm.change_realm(lambda document: setattr(document, "enabled", False))
    for path in ("", PATHS[0], "/protocol/openid-connect/certs"):
        assert server.request("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "//realms/", 404, "Unable to find matching target resource method"),
        ("GET", "//realms/nobody", 404, "Realm does not exist"),
        ("GET", "//realms/MACHINES", 404, "Realm does not exist"),
        ("GET", "//realms/nobody/protocol/openid-connect/certs", 404, "Realm does not exist"),
        ("POST", "//realms/nobody/protocol/openid-connect/token/introspect", 404, "Realm does not exist"),
        ("OPTIONS", "//realms/nobody/protocol/openid-connect/token", 404, "Realm does not exist"),
        ("GET", "/nothing", 404, "HTTP 404 Not Found"),
        ("GET", "/.well-known", 404, "HTTP 404 Not Found"),
        ("GET", "/.well-known/nothing", 404, "HTTP 404 Not Found"),
        ("POST", "/.well-known/openid-configuration", 404, "HTTP 404 Not Found"),
        ("GET", "/protocol", 404, "HTTP 404 Not Found"),
        ("GET", "/protocol/", 404, "HTTP 404 Not Found"),
        ("GET", "/protocol/nothing/certs", 404, "Protocol not found"),
        ("GET", "/protocol/openid-connect", 404, "HTTP 404 Not Found"),
        ("GET", "/protocol/openid-connect/nothing", 404, "HTTP 404 Not Found"),
        ("GET", "/protocol/openid-connect/certs/nothing", 404, "HTTP 404 Not Found"),
        ("OPTIONS", "/protocol/openid-connect/nothing", 404, "HTTP 404 Not Found"),
        ("GET", "//realms/nobody/protocol/openid-connect/token", 404, "Realm does not exist"),
        ("GET", "/protocol/openid-connect/token/nothing", 405, "HTTP 405 Method Not Allowed"),
        ("POST", "/protocol/openid-connect/token/nothing", 404, "HTTP 404 Not Found"),
        ("OPTIONS", "/protocol/openid-connect/token/nothing", 404, "HTTP 404 Not Found"),
        ("POST", "/protocol/openid-connect/certs/nothing", 405, "HTTP 405 Method Not Allowed"),
        ("GET", "/protocol/openid-connect/logout/nothing", 404, "HTTP 404 Not Found"),
        ("POST", "", 405, "HTTP 405 Method Not Allowed"),
        ("POST", "/protocol/openid-connect/certs", 405, "HTTP 405 Method Not Allowed"),
        ("DELETE", "/protocol/openid-connect/certs", 405, "HTTP 405 Method Not Allowed"),
        ("GET", "/protocol/openid-connect/token", 405, "HTTP 405 Method Not Allowed"),
        ("GET", "/protocol/openid-connect/token/introspect", 405, "HTTP 405 Method Not Allowed"),
        ("GET", "/protocol/openid-connect/revoke", 405, "HTTP 405 Method Not Allowed"),
        ("PUT", "/protocol/openid-connect/logout", 405, "HTTP 405 Method Not Allowed"),
        ("PATCH", "/protocol/openid-connect/userinfo", 405, "HTTP 405 Method Not Allowed"),
        ("GET", "/protocol/openid-connect//certs", 400, "missingNormalization"),
    ],
)
def test_what_is_not_there(server: RealmServer, method: str, path: str, status: int, error: str) -> None:
    response = server.request(method, path)
    assert (response.status_code, response.json()["error"]) == (status, error)


@pytest.mark.parametrize("path", ["/protocol/openid-connect/certs/", "/.well-known/openid-configuration/"])
def test_a_slash_at_the_end_does_not_matter(server: RealmServer, path: str) -> None:
    assert server.request("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/protocol/openid-connect/certs", 403), ("/.well-known/openid-configuration", 403), ("", 200)],
)
def test_plain_http_from_outside_is_refused_but_for_the_realms_page(
    server: RealmServer, path: str, status: int
) -> None:
    response = server.request("GET", path, base_url=BASE_URL.replace("https", "http"))
    assert response.status_code == status
    if status == 403:
        assert response.json() == {"error": "invalid_request", "error_description": "HTTPS required"}


def test_every_answer_has_the_security_headers(server: RealmServer) -> None:
    for path in ("", "/nothing", "/protocol/openid-connect/certs"):
        headers = server.request("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_a_body_that_is_too_long_is_refused(server: RealmServer) -> None:
    response = server.protocol("POST", "revoke", content=b"a" * (1024 * 1024 + 1))
    assert response.status_code == 413


def test_a_host_that_is_no_host_is_refused(server: RealmServer) -> None:
    assert server.request("GET", "", headers={"Host": "a/b"}).status_code == 400
