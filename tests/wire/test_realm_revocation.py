"""Token revocation (RFC 7009), answer for answer as Keycloak 26.7.3."""

from typing import Any

import httpx
import pytest

from harness.realm import NOW, RealmUnderTest
from harness.realm_server import RealmServer
from keyturn.jose import jwt
from keyturn.representations import ProtocolMapperRepresentation

SVC = ("svc", "svc-secret")
OTHER = ("other", "other-secret")
OWN_AUDIENCE = ProtocolMapperRepresentation(
    id="own",
    name="own",
    protocol="openid-connect",
    protocol_mapper="oidc-audience-mapper",
    config={"included.client.audience": "svc", "access.token.claim": "true"},
)


@pytest.fixture(autouse=True)
def clients(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    for client_id, secret in (SVC, OTHER):
        realm.add_client(
            client_id=client_id,
            secret=secret,
            service_accounts_enabled=True,
            direct_access_grants_enabled=True,
            protocol_mappers=[OWN_AUDIENCE],
        )


def revoke(server: RealmServer, auth: tuple[str, str] | None = SVC, **form: Any) -> httpx.Response:
    return server.protocol("POST", "revoke", data=form, auth=auth)


def is_active(server: RealmServer, token: str) -> bool:
    answer = server.protocol("POST", "token/introspect", data={"token": token}, auth=SVC).json()
    return bool(answer["active"])


@pytest.mark.parametrize("hint", [None, "access_token", "unknown"])
def test_an_access_token_is_worth_nothing_afterwards(server: RealmServer, hint: str | None) -> None:
    token = server.client_credentials(SVC)["access_token"]
    other = server.client_credentials(SVC)["access_token"]
    assert is_active(server, token)
    form = {"token": token} if hint is None else {"token": token, "token_type_hint": hint}
    response = server.protocol("POST", "revoke", data=form, auth=SVC)
    assert (response.status_code, response.content) == (200, b"")
    assert "content-type" not in response.headers
    assert not is_active(server, token)
    assert is_active(server, other)
    assert [event.client_id for event in server.sink.events if event.type == "REVOKE_GRANT"] == ["svc"]


def test_a_token_may_be_revoked_again(server: RealmServer) -> None:
    token = server.client_credentials(SVC)["access_token"]
    assert revoke(server, token=token).status_code == 200
    again = revoke(server, token=token)
    assert (again.status_code, again.content) == (200, b"")


def test_a_revocation_is_kept_as_long_as_the_token_would_live(server: RealmServer, realm: RealmUnderTest) -> None:
    token = server.client_credentials(SVC)["access_token"]
    revoke(server, token=token)
    with realm.store.read() as reader:
        assert reader.used(f"revoked:{realm.id}", NOW + 300) == [(jwt.parse(token).claims["jti"], NOW + 301)]


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_nonsense_is_worth_nothing_already(server: RealmServer, token: str) -> None:
    response = revoke(server, token=token)
    assert response.status_code == 200
    assert response.json() == {"error": "invalid_token", "error_description": "Invalid token"}


def test_an_expired_token_is_worth_nothing_already(server: RealmServer, realm: RealmUnderTest) -> None:
    token = server.client_credentials(SVC)["access_token"]
    realm.clock.now = NOW + 300
    assert revoke(server, token=token).json()["error"] == "invalid_token"


@pytest.mark.parametrize(
    ("auth", "form", "expect"),
    [
        (None, {"token": "x"}, (401, "invalid_client", "Invalid client or Invalid client credentials")),
        (
            ("svc", "wrong"),
            {"token": "x"},
            (401, "unauthorized_client", "Invalid client or Invalid client credentials"),
        ),
        (SVC, {"a": "b"}, (400, "invalid_request", "Token not provided")),
        (SVC, {"token": ["a", "b"]}, (400, "invalid_request", "duplicated parameter")),
    ],
)
def test_says_what_is_wrong(
    server: RealmServer, auth: tuple[str, str] | None, form: dict[str, Any], expect: tuple[int, str, str]
) -> None:
    response = revoke(server, auth, **form)
    body = response.json()
    assert (response.status_code, body["error"], body["error_description"]) == expect


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_nobody_revokes_the_token_of_another_client(server: RealmServer, kind: str) -> None:
    token = server.login("ada", "engine", SVC)[kind]
    response = revoke(server, OTHER, token=token)
    assert (response.status_code, response.json()["error_description"]) == (400, "Unmatching clients")
    assert revoke(server, token=token).content == b""


def test_an_id_token_cannot_be_revoked(server: RealmServer) -> None:
    token = server.client_credentials(SVC, scope="openid")["id_token"]
    response = revoke(server, token=token)
    assert response.status_code == 400
    assert response.json() == {"error": "unsupported_token_type", "error_description": "Unsupported token type"}


def test_a_revoked_access_token_leaves_its_session_alone(server: RealmServer) -> None:
    tokens = server.login("ada", "engine", SVC)
    revoke(server, token=tokens["access_token"])
    server.tokens({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}, SVC)


def test_a_revoked_refresh_token_ends_its_session(server: RealmServer) -> None:
    tokens = server.login("ada", "engine", SVC)
    assert revoke(server, token=tokens["refresh_token"], token_type_hint="refresh_token").content == b""
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    response = server.protocol("POST", "token", data=form, auth=SVC)
    assert (response.status_code, response.json()["error_description"]) == (400, "Session not active")
    assert not is_active(server, tokens["access_token"])
    assert revoke(server, token=tokens["refresh_token"]).json()["error"] == "invalid_token"
