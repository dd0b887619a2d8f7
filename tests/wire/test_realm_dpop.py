"""Tokens that are bound to a key (RFC 9449), answer for answer as Keycloak 26.7.3."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.proofs import Holder
from harness.realm import RealmUnderTest, make_realm
from harness.realm_server import RealmServer
from keyturn.jose import jwt
from keyturn.oauth2.dpop import NONCE_PERIOD
from keyturn.representations import ProtocolMapperRepresentation

SVC, BOUND = ("svc", "svc-secret"), ("bound", "bound-secret")
CHALLENGE = 'DPoP algs="ES256 ES384 ES512 EdDSA PS256 PS384 PS512 RS256 RS384 RS512", realm="machines"'


@pytest.fixture(scope="module")
def shared_realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmUnderTest]:
    made = make_realm(tmp_path_factory.mktemp("dpop"))
    own: dict[str, Any] = {"service_accounts_enabled": True, "direct_access_grants_enabled": True}
    attributes = {"dpop.bound.access.tokens": "true"}
    made.add_client(client_id="svc", secret="svc-secret", **own)
    made.add_client(client_id="bound", secret="bound-secret", attributes=attributes, **own)
    made.add_client(client_id="app", public_client=True, direct_access_grants_enabled=True)
    made.add_person("ada", "engine")
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def shared(shared_realm: RealmUnderTest) -> RealmServer:
    return RealmServer(shared_realm)


@pytest.fixture(scope="module")
def holder(shared: RealmServer) -> Holder:
    return Holder(f"{shared.issuer}/protocol/openid-connect/")


@pytest.fixture(scope="module")
def other(holder: Holder) -> Holder:
    return Holder(holder.url)


def ask(server: RealmServer, proof: str | None, auth: tuple[str, str] | None = SVC, /, **form: str) -> httpx.Response:
    headers = {} if proof is None else {"DPoP": proof}
    form = {"grant_type": "client_credentials"} | form
    return server.protocol("POST", "token", data=form, auth=auth, headers=headers)


def login(server: RealmServer, proof: str | None) -> dict[str, Any]:
    form = {"grant_type": "password", "client_id": "app", "username": "ada", "password": "engine", "scope": "openid"}
    answer: dict[str, Any] = ask(server, proof, None, **form).json()
    return answer


def refresh(server: RealmServer, proof: str | None, token: str) -> httpx.Response:
    return ask(server, proof, None, grant_type="refresh_token", client_id="app", refresh_token=token)


def refused(response: httpx.Response) -> tuple[int, str, str]:
    body = response.json()
    return response.status_code, body["error"], body["error_description"]


def bound(shared: RealmServer, holder: Holder, **form: str) -> str:
    token: str = ask(shared, holder.proof("POST", "token"), **form).json()["access_token"]
    return token


@pytest.mark.parametrize("auth", [SVC, BOUND])
def test_a_proof_binds_the_token_whoever_asked_for_it(
    shared: RealmServer, holder: Holder, auth: tuple[str, str]
) -> None:
    answer = ask(shared, holder.proof("POST", "token"), auth).json()
    claims = jwt.parse(answer["access_token"]).claims
    assert answer["token_type"] == claims["typ"] == "DPoP"
    assert claims["cnf"] == {"jkt": holder.jkt, "kc-jkt-type": "DPoP"}


def test_tokens_of_two_keys_and_of_none_differ(shared: RealmServer, holder: Holder, other: Holder) -> None:
    first, second = (jwt.parse(bound(shared, each)).claims["cnf"]["jkt"] for each in (holder, other))
    plain = ask(shared, None).json()
    assert (first, second) == (holder.jkt, other.jkt)
    assert plain["token_type"] == jwt.parse(plain["access_token"]).claims["typ"] == "Bearer"
    assert "cnf" not in jwt.parse(plain["access_token"]).claims


def test_a_bound_client_shows_a_proof_before_all_else(shared: RealmServer) -> None:
    assert refused(ask(shared, None, BOUND, scope="none")) == (400, "invalid_request", "DPoP proof is missing")
    assert refused(ask(shared, "", SVC)) == (400, "invalid_request", "DPoP proof is missing")


def test_a_wrong_secret_is_told_before_a_wrong_proof(shared: RealmServer) -> None:
    assert refused(ask(shared, "x", ("svc", "wrong")))[1] == "unauthorized_client"
    assert refused(ask(shared, "x", SVC, grant_type="none"))[1] == "unsupported_grant_type"


def test_a_proof_is_used_up_by_a_request_that_fails(shared: RealmServer, holder: Holder) -> None:
    proof = holder.proof("POST", "token")
    assert refused(ask(shared, proof, scope="none")) == (400, "invalid_scope", "Invalid scopes: none")
    assert refused(ask(shared, proof)) == (400, "invalid_request", "DPoP proof has already been used")
    assert shared.sink.events[-1].error == "invalid_dpop_proof"
    assert shared.sink.events[-1].client_id == "svc"


def test_the_path_of_the_request_is_the_one_that_was_sent(shared: RealmServer, holder: Holder) -> None:
    headers = {"DPoP": holder.proof("POST", "token")}
    form = {"grant_type": "client_credentials"}
    answer = shared.protocol("POST", "token/", data=form, auth=SVC, headers=headers)
    assert refused(answer)[2] == "DPoP HTTP URL mismatch"
    headers = {"DPoP": holder.proof("POST", "token/?a=b")}
    assert shared.protocol("POST", "token/?c=d", data=form, auth=SVC, headers=headers).status_code == 200


def test_refresh_tokens_of_public_clients_are_bound(shared: RealmServer, holder: Holder, other: Holder) -> None:
    token = login(shared, holder.proof("POST", "token"))["refresh_token"]
    assert jwt.parse(token).claims["cnf"]["jkt"] == holder.jkt
    assert refused(refresh(shared, None, token)) == (400, "invalid_grant", "DPoP proof is missing")
    mismatch = (400, "invalid_grant", "DPoP confirmation doesn't match DPoP proof")
    assert refused(refresh(shared, other.proof("POST", "token"), token)) == mismatch
    renewed = refresh(shared, holder.proof("POST", "token"), token).json()
    assert renewed["token_type"] == "DPoP"
    assert jwt.parse(renewed["refresh_token"]).claims["cnf"]["jkt"] == holder.jkt
    form = {"client_id": "app", "refresh_token": token}
    # Keycloak looks for no proof at the logout, not even for the right one.
    logout = shared.protocol("POST", "logout", data=form, headers=holder.headers("POST", "logout"))
    assert refused(logout) == (400, "invalid_grant", "DPoP proof is missing")


def test_refresh_tokens_of_confidential_clients_are_not(shared: RealmServer, holder: Holder, other: Holder) -> None:
    form = {"grant_type": "password", "username": "ada", "password": "engine"}
    token = ask(shared, holder.proof("POST", "token"), **form).json()["refresh_token"]
    again = {"grant_type": "refresh_token", "refresh_token": token}
    assert ask(shared, None, **again).json()["token_type"] == "Bearer"
    renewed = ask(shared, other.proof("POST", "token"), **again).json()
    assert jwt.parse(renewed["access_token"]).claims["cnf"]["jkt"] == other.jkt


def test_userinfo_takes_the_token_with_its_proof(shared: RealmServer, holder: Holder) -> None:
    token = bound(shared, holder, scope="openid")
    for method in ("GET", "POST"):
        answer = shared.protocol(method, "userinfo?a=b", headers=holder.headers(method, "userinfo", token))
        assert answer.json()["preferred_username"] == "service-account-svc"


def test_userinfo_refuses_the_token_in_any_other_way(shared: RealmServer, holder: Holder, other: Holder) -> None:
    token, plain = bound(shared, holder, scope="openid"), ask(shared, None, scope="openid").json()["access_token"]
    good = holder.headers("GET", "userinfo", token)
    shown: list[tuple[dict[str, str], str]] = [
        ({"Authorization": f"DPoP {token}"}, CHALLENGE),
        (good | {"DPoP": other.proof("GET", "userinfo", access_token=token)}, CHALLENGE),
        (good | {"DPoP": holder.proof("GET", "userinfo", access_token=plain)}, CHALLENGE),
        (good | {"DPoP": holder.proof("GET", "userinfo")}, CHALLENGE),
        (good | {"DPoP": holder.proof("GET", "token", access_token=token)}, CHALLENGE),
        (holder.headers("GET", "userinfo", plain), CHALLENGE),
        (good | {"Authorization": f"Bearer {token}"}, 'Bearer realm="machines"'),
    ]
    for headers, challenge in shown:
        answer = shared.protocol("GET", "userinfo", headers=headers)
        assert answer.status_code == 401
        failed = f'{challenge}, error="invalid_token", error_description="Token verification failed"'
        assert answer.headers["www-authenticate"] == failed
    answer = shared.protocol("GET", "userinfo", headers=holder.headers("GET", "userinfo", bound(shared, holder)))
    missing = f'{CHALLENGE}, error="insufficient_scope", error_description="Missing openid scope"'
    assert (answer.status_code, answer.headers["www-authenticate"]) == (403, missing)


def test_introspection_tells_of_the_key(shared: RealmServer, shared_realm: RealmUnderTest, holder: Holder) -> None:
    audience = ProtocolMapperRepresentation(
        id="audience",
        name="audience",
        protocol="openid-connect",
        protocol_mapper="oidc-audience-mapper",
        config={"included.client.audience": "told", "access.token.claim": "true"},
    )
    shared_realm.add_client(client_id="told", secret="s", service_accounts_enabled=True, protocol_mappers=[audience])
    token = ask(shared, holder.proof("POST", "token"), ("told", "s")).json()["access_token"]
    answer = shared.protocol("POST", "token/introspect", data={"token": token}, auth=("told", "s")).json()
    assert answer["cnf"] == {"jkt": holder.jkt, "kc-jkt-type": "DPoP"}
    assert answer["token_type"] == answer["typ"] == "DPoP"


def test_a_nonce_is_asked_for_where_it_is_wanted(tmp_path: Path) -> None:
    realm = make_realm(tmp_path, attributes={"keyturn.dpop.nonce": "true"})
    own: dict[str, Any] = {"secret": "s", "service_accounts_enabled": True}
    realm.add_client(client_id="svc", **own)
    realm.add_client(client_id="without", attributes={"keyturn.dpop.nonce": "false"}, **own)
    server = RealmServer(realm)
    holder = Holder(f"{server.issuer}/protocol/openid-connect/")

    def shown(nonce: str | None) -> httpx.Response:
        return ask(server, holder.proof("POST", "token", nonce=nonce, now=realm.clock()), ("svc", "s"))

    first = shown(None)
    assert refused(first) == (400, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof")
    nonce = first.headers["dpop-nonce"]
    assert shown("guessed").headers["dpop-nonce"] == nonce
    good = shown(nonce)
    assert good.json()["token_type"] == "DPoP"
    assert "dpop-nonce" not in good.headers
    realm.clock.now += NONCE_PERIOD
    later = shown(nonce)
    assert later.status_code == 200
    newer = later.headers["dpop-nonce"]
    assert newer != nonce
    realm.clock.now += NONCE_PERIOD
    assert refused(shown(nonce))[1] == "use_dpop_nonce"
    assert shown(newer).status_code == 200
    assert ask(server, holder.proof("POST", "token", now=realm.clock()), ("without", "s")).status_code == 200
    realm.store.close()
