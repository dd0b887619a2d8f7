"""Requests of pages of other origins, answer for answer as Keycloak 26.7.3."""

import pytest

from harness.realm import RealmUnderTest
from harness.realm_server import BASE_URL, RealmServer

SVC = ("svc", "svc-secret")
APP = "https://app.example"
EVIL = "https://evil.example"
ALLOWED_HEADERS = {
    "Origin",
    "Accept",
    "Access-Control-Request-Method",
    "X-Requested-With",
    "Access-Control-Request-Headers",
    "DPoP",
    "Content-Type",
    "Authorization",
}


@pytest.fixture(autouse=True)
def svc(realm: RealmUnderTest) -> None:
    realm.add_client(client_id="svc", secret="svc-secret", service_accounts_enabled=True, web_origins=[APP])


@pytest.mark.parametrize(
    ("endpoint", "methods"),
    [
        ("token", "POST, OPTIONS"),
        ("revoke", "POST, OPTIONS"),
        ("userinfo", "GET, HEAD, OPTIONS"),
        ("logout", "GET, HEAD, OPTIONS"),
        ("certs", "GET"),
    ],
)
def test_a_preflight_allows_any_origin(server: RealmServer, endpoint: str, methods: str) -> None:
    headers = {"Origin": EVIL, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-own"}
    response = server.protocol("OPTIONS", endpoint, headers=headers)
    assert (response.status_code, response.content) == (200, b"")
    answer = {name: value for name, value in response.headers.items() if name.startswith("access-control")}
    assert set(answer.pop("access-control-allow-headers").split(", ")) == ALLOWED_HEADERS
    assert answer == {
        "access-control-allow-origin": EVIL,
        "access-control-allow-methods": methods,
        "access-control-allow-credentials": "true",
        "access-control-max-age": "3600",
    }


def test_options_without_an_origin_say_nothing(server: RealmServer) -> None:
    response = server.protocol("OPTIONS", "token")
    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("access-control") or name == "allow"]


def test_introspection_is_not_for_pages(server: RealmServer) -> None:
    response = server.protocol("OPTIONS", "token/introspect", headers={"Origin": APP})
    assert response.headers["allow"] == "HEAD, POST, OPTIONS"
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", ["", "/.well-known/openid-configuration", "/protocol/openid-connect/certs"])
def test_any_page_may_read_what_is_public(server: RealmServer, path: str) -> None:
    headers = server.request("GET", path, headers={"Origin": EVIL}).headers
    assert headers["access-control-allow-origin"] == EVIL
    assert "access-control-expose-headers" not in headers


def test_a_page_of_the_clients_origin_may_read_the_answer(server: RealmServer) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    origin = {"Origin": APP}
    revoked = server.protocol("POST", "revoke", data={"token": "x"}, auth=SVC, headers=origin)
    userinfo = server.protocol("GET", "userinfo", headers=origin | {"Authorization": f"Bearer {token}"})
    for response in (revoked, userinfo):
        assert response.headers.get_list("access-control-allow-origin") == [APP]
        assert response.headers["access-control-allow-credentials"] == "true"
        assert response.headers["access-control-expose-headers"] == "Access-Control-Allow-Methods"


@pytest.mark.parametrize("origin", [EVIL, "null", "HTTPS://APP.example", "https://app.example:444"])
def test_a_page_of_another_origin_gets_nothing(server: RealmServer, origin: str) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    headers = {"Origin": origin}
    answers = (
        server.protocol("POST", "revoke", data={"token": token}, auth=SVC, headers=headers),
        server.protocol("POST", "logout", data={"refresh_token": "x"}, auth=SVC, headers=headers),
        server.protocol("GET", "userinfo", headers=headers | {"Authorization": f"Bearer {token}"}),
    )
    for response in answers:
        assert (response.status_code, response.json()) == (403, {"error": "Invalid origin"})
        assert "access-control-allow-origin" not in response.headers


def test_a_page_learns_that_its_client_did_not_authenticate(server: RealmServer) -> None:
    response = server.protocol("POST", "revoke", data={"token": "x"}, auth=("svc", "wrong"), headers={"Origin": EVIL})
    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == EVIL


def test_a_page_learns_that_its_token_is_wrong(server: RealmServer) -> None:
    response = server.protocol("GET", "userinfo", headers={"Origin": EVIL, "Authorization": "Bearer x"})
    assert response.headers.get_list("access-control-expose-headers") == [
        "Access-Control-Allow-Methods, WWW-Authenticate"
    ]


def test_the_servers_own_pages_need_no_permission(server: RealmServer) -> None:
    response = server.protocol("POST", "revoke", data={"token": "x"}, auth=SVC, headers={"Origin": BASE_URL})
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers


def test_a_star_is_any_origin(server: RealmServer, realm: RealmUnderTest) -> None:
    realm.add_client(client_id="any", secret="s", web_origins=["*"])
    response = server.protocol("POST", "revoke", data={"token": "x"}, auth=("any", "s"), headers={"Origin": EVIL})
    assert response.headers["access-control-allow-origin"] == EVIL
