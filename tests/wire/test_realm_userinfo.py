"""The userinfo endpoint (OpenID Connect Core §5.3), answer for answer as Keycloak 26.7.3."""

from typing import Any

import httpx
import pytest

from harness.realm import NOW, RealmUnderTest
from harness.realm_server import RealmServer
from keyturn.jose import jwt
from keyturn.representations import ClientRepresentation
from keyturn.store.collections import SESSIONS

SVC = ("svc", "svc-secret")
PLAIN = 'Bearer realm="machines"'


@pytest.fixture
def svc(realm: RealmUnderTest) -> ClientRepresentation:
    return realm.add_client(
        client_id="svc", secret="svc-secret", service_accounts_enabled=True, direct_access_grants_enabled=True
    )


def ask(server: RealmServer, token: str, method: str = "GET", **options: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} | options.pop("headers", {})
    return server.protocol(method, "userinfo", headers=headers, **options)


def challenge(response: httpx.Response) -> tuple[int, str]:
    assert response.content == b""
    assert response.headers["content-type"] == "text/plain;charset=utf-8"
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
    return response.status_code, response.headers["www-authenticate"]


def invalid(description: str) -> tuple[int, str]:
    return 401, f'{PLAIN}, error="invalid_token", error_description="{description}"'


@pytest.mark.usefixtures("svc")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_tells_of_the_service_account(server: RealmServer, method: str) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    response = ask(server, token, method)
    assert response.json() == {
        "sub": jwt.parse(token).claims["sub"],
        "email_verified": False,
        "preferred_username": "service-account-svc",
    }
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store, no-cache", "no-cache")


@pytest.mark.usefixtures("svc")
def test_tells_of_a_person_what_is_known_now(server: RealmServer, realm: RealmUnderTest) -> None:
    user = realm.add_person("ada", "engine")
    token = server.login("ada", "engine", SVC, scope="openid")["access_token"]
    realm.change_user(user, lambda person: setattr(person, "email", "new@example.com"))
    assert ask(server, token).json() == {
        "sub": user.id,
        "name": "Ada Byron",
        "given_name": "Ada",
        "family_name": "Byron",
        "email": "new@example.com",
        "email_verified": False,
        "preferred_username": "ada",
    }


@pytest.mark.usefixtures("svc")
def test_takes_the_token_from_the_form_but_not_from_the_query(server: RealmServer) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    assert server.protocol("POST", "userinfo", data={"access_token": token}).status_code == 200
    assert challenge(server.protocol("GET", "userinfo", params={"access_token": token})) == (401, PLAIN)
    assert challenge(server.protocol("POST", "userinfo", json={"access_token": token})) == (401, PLAIN)


@pytest.mark.usefixtures("svc")
def test_takes_one_token(server: RealmServer) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    both = ask(server, token, "POST", data={"access_token": token})
    more = "More than one method used for including an access token"
    assert challenge(both) == (400, f'{PLAIN}, error="invalid_request", error_description="{more}"')
    twice = server.protocol("POST", "userinfo", data={"access_token": [token, token]})
    assert challenge(twice) == (400, f'{PLAIN}, error="invalid_request", error_description="Duplicate parameter"')


@pytest.mark.usefixtures("svc")
@pytest.mark.parametrize("authorization", [None, "Bearer", "Basic c3ZjOnN2Yy1zZWNyZXQ=", "Bearer a b"])
def test_asks_for_a_token(server: RealmServer, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    assert challenge(server.protocol("GET", "userinfo", headers=headers)) == (401, PLAIN)


@pytest.mark.usefixtures("svc")
def test_the_scheme_is_known_in_any_case(server: RealmServer) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    assert server.protocol("GET", "userinfo", headers={"Authorization": f"bearer {token}"}).status_code == 200


@pytest.mark.usefixtures("svc")
def test_refuses_what_is_no_access_token_of_the_realm(server: RealmServer, realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    tokens = server.login("ada", "engine", SVC, scope="openid")
    head, claims, _ = tokens["access_token"].split(".")
    for token in ("nonsense", tokens["id_token"], tokens["refresh_token"], f"{head}.{claims}.AAAA"):
        assert challenge(ask(server, token)) == invalid("Token verification failed")


@pytest.mark.usefixtures("svc")
def test_refuses_an_expired_token(server: RealmServer, realm: RealmUnderTest) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    realm.clock.now = NOW + 300
    assert challenge(ask(server, token)) == invalid("Token verification failed")


@pytest.mark.usefixtures("svc")
def test_needs_the_scope_openid(server: RealmServer) -> None:
    token = server.client_credentials(SVC)["access_token"]
    expect = f'{PLAIN}, error="insufficient_scope", error_description="Missing openid scope"'
    assert challenge(ask(server, token)) == (403, expect)


@pytest.mark.usefixtures("svc")
def test_refuses_a_token_whose_session_has_ended(server: RealmServer, realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    token = server.login("ada", "engine", SVC, scope="openid")["access_token"]
    with realm.store.write() as transaction:
        transaction.delete(SESSIONS, realm.id, jwt.parse(token).claims["sid"])
    assert challenge(ask(server, token)) == invalid("user_session_not_found")


@pytest.mark.usefixtures("svc")
def test_refuses_a_token_of_a_disabled_person(server: RealmServer, realm: RealmUnderTest) -> None:
    user = realm.add_person("ada", "engine")
    token = server.login("ada", "engine", SVC, scope="openid")["access_token"]
    realm.change_user(user, lambda person: setattr(person, "enabled", False))
    assert challenge(ask(server, token)) == invalid("User disabled")


def test_refuses_a_token_whose_client_has_changed(
    server: RealmServer, realm: RealmUnderTest, svc: ClientRepresentation
) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    realm.change_client(svc, lambda client: setattr(client, "service_accounts_enabled", False))
    assert challenge(ask(server, token)) == invalid("user_not_found")
    realm.change_client(svc, lambda client: setattr(client, "enabled", False))
    assert challenge(ask(server, token)) == invalid("Client disabled")


@pytest.mark.usefixtures("svc")
def test_refuses_a_lightweight_token(server: RealmServer, realm: RealmUnderTest) -> None:
    realm.add_client(
        client_id="light",
        secret="s",
        service_accounts_enabled=True,
        attributes={"client.use.lightweight.access.token.enabled": "true"},
    )
    token = server.client_credentials(("light", "s"), scope="openid")["access_token"]
    assert challenge(ask(server, token)) == invalid("Lightweight access token not allowed for userinfo endpoint")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_signs_the_answer_where_the_client_wants_it(
    server: RealmServer, realm: RealmUnderTest, svc: ClientRepresentation, algorithm: str
) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    plain = ask(server, token).json()

    def change(client: ClientRepresentation) -> None:
        client.attributes = {"user.info.response.signature.alg": algorithm}

    realm.change_client(svc, change)
    response = ask(server, token)
    assert response.headers["content-type"] == "application/jwt"
    claims = jwt.verify(response.text, realm.entry.realm.keys.verifying, frozenset({algorithm}))
    assert dict(claims) == plain | {"iss": server.issuer, "aud": "svc"}


@pytest.mark.usefixtures("svc")
def test_a_disabled_realm_tells_nothing(server: RealmServer, realm: RealmUnderTest) -> None:
    token = server.client_credentials(SVC, scope="openid")["access_token"]
    realm.change_realm(lambda document: setattr(document, "enabled", False))
    assert challenge(ask(server, token)) == invalid("Token verification failed")
