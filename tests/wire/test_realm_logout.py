"""The end-session endpoint as tools use it, answer for answer as Keycloak 26.7.3."""

from typing import Any

import httpx
import pytest

from harness.realm import RealmUnderTest
from harness.realm_server import RealmServer

SVC = ("svc", "svc-secret")
OTHER = ("other", "other-secret")


@pytest.fixture(autouse=True)
def clients(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    for client_id, secret in (SVC, OTHER):
        realm.add_client(client_id=client_id, secret=secret, direct_access_grants_enabled=True)


def log_out(server: RealmServer, token: Any, auth: tuple[str, str] | None = SVC, **form: Any) -> httpx.Response:
    return server.protocol("POST", "logout", data={"refresh_token": token} | form, auth=auth)


def test_access_ends_at_once(server: RealmServer) -> None:
    tokens = server.login("ada", "engine", SVC, scope="openid")
    response = log_out(server, tokens["refresh_token"])
    assert (response.status_code, response.content) == (204, b"")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert server.protocol("GET", "userinfo", headers=headers).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert server.protocol("POST", "token", data=form, auth=SVC).json()["error_description"] == "Session not active"
    assert [event.client_id for event in server.sink.events if event.type == "LOGOUT"] == ["svc"]


def test_a_public_client_logs_out_without_a_secret(server: RealmServer) -> None:
    login = {"grant_type": "password", "username": "ada", "password": "engine", "client_id": "admin-cli"}
    tokens = server.tokens(login)
    assert log_out(server, tokens["refresh_token"], None, client_id="admin-cli").status_code == 204


def test_another_session_of_the_same_person_goes_on(server: RealmServer) -> None:
    ended, other = server.login("ada", "engine", SVC), server.login("ada", "engine", SVC)
    log_out(server, ended["refresh_token"])
    server.tokens({"grant_type": "refresh_token", "refresh_token": other["refresh_token"]}, SVC)


def test_a_session_that_has_ended_ends_again(server: RealmServer) -> None:
    token = server.login("ada", "engine", SVC)["refresh_token"]
    assert [log_out(server, token).status_code for _ in range(2)] == [204, 204]


def test_an_expired_refresh_token_ends_its_session_as_well(server: RealmServer, realm: RealmUnderTest) -> None:
    token = server.login("ada", "engine", SVC)["refresh_token"]
    realm.clock.now += 1_000_000
    assert log_out(server, token).status_code == 204


@pytest.mark.parametrize(
    ("auth", "expect"),
    [
        (SVC, (400, "invalid_grant", "Invalid refresh token")),
        (None, (401, "invalid_client", "Invalid client or Invalid client credentials")),
        (("nobody", "x"), (401, "invalid_client", "Invalid client or Invalid client credentials")),
        (("svc", "wrong"), (401, "unauthorized_client", "Invalid client or Invalid client credentials")),
    ],
)
def test_says_what_is_wrong(server: RealmServer, auth: tuple[str, str] | None, expect: tuple[int, str, str]) -> None:
    response = log_out(server, "nonsense", auth)
    body = response.json()
    assert (response.status_code, body["error"], body["error_description"]) == expect


def test_an_access_token_logs_nobody_out(server: RealmServer) -> None:
    tokens = server.login("ada", "engine", SVC)
    assert log_out(server, tokens["access_token"]).json()["error_description"] == "Invalid refresh token"


def test_nobody_logs_out_the_session_of_another_client(server: RealmServer) -> None:
    token = server.login("ada", "engine", SVC)["refresh_token"]
    response = log_out(server, token, OTHER)
    expect = "Invalid refresh token. Token client and authorized client don't match"
    assert (response.status_code, response.json()["error_description"]) == (400, expect)
    server.tokens({"grant_type": "refresh_token", "refresh_token": token}, SVC)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_browser_is_told_that_it_is_logged_out(server: RealmServer, method: str) -> None:
    response = server.protocol(method, "logout")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html;charset=utf-8"
    assert "You are logged out" in response.text
