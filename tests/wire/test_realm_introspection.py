"""Token introspection (RFC 7662), answer for answer as Keycloak 26.7.3."""

from typing import Any

import pytest

from harness.realm import NOW, RealmUnderTest, new_id
from harness.realm_server import RealmServer
from keyturn.jose import jwt
from keyturn.representations import ClientRepresentation, ProtocolMapperRepresentation, RoleRepresentation, given
from keyturn.store.collections import ROLES, SESSIONS
from keyturn.store.spi import Relation

SVC = ("svc", "svc-secret")
API = ("api", "api-secret")
INACTIVE = {"active": False}


def audience(client_id: str) -> ProtocolMapperRepresentation:
    return ProtocolMapperRepresentation(
        id=f"audience-{client_id}",
        name=client_id,
        protocol="openid-connect",
        protocol_mapper="oidc-audience-mapper",
        config={
            "included.client.audience": client_id,
            "access.token.claim": "true",
            "introspection.token.claim": "true",
            "lightweight.claim": "true",
        },
    )


@pytest.fixture
def svc(realm: RealmUnderTest) -> ClientRepresentation:
    realm.add_client(client_id="api", secret="api-secret")
    return realm.add_client(
        client_id="svc",
        secret="svc-secret",
        service_accounts_enabled=True,
        direct_access_grants_enabled=True,
        protocol_mappers=[audience("api")],
    )


def introspect(server: RealmServer, token: str, auth: tuple[str, str] | None = API, **form: Any) -> Any:
    response = server.protocol("POST", "token/introspect", data={"token": token} | form, auth=auth)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-cache"
    return response.json()


@pytest.mark.usefixtures("svc")
def test_tells_the_audience_what_the_token_says_now(server: RealmServer) -> None:
    token = server.client_credentials(SVC)["access_token"]
    claims = jwt.parse(token).claims
    answer = introspect(server, token)
    roles = answer.pop("realm_access")["roles"]
    assert sorted(roles) == ["default-roles-machines", "offline_access", "uma_authorization"]
    assert sorted(answer.pop("aud")) == ["account", "api"]
    assert sorted(answer.pop("resource_access")["account"]["roles"]) == [
        "manage-account",
        "manage-account-links",
        "view-profile",
    ]
    assert answer == {
        "exp": NOW + 300,
        "iat": NOW,
        "jti": claims["jti"],
        "iss": server.issuer,
        "sub": claims["sub"],
        "typ": "Bearer",
        "azp": "svc",
        "acr": "1",
        "scope": claims["scope"],
        "email_verified": False,
        "preferred_username": "service-account-svc",
        "client_id": "svc",
        "username": "service-account-svc",
        "token_type": "Bearer",
        "active": True,
    }


@pytest.mark.usefixtures("svc")
def test_is_for_the_audience_alone(server: RealmServer) -> None:
    token = server.client_credentials(SVC)["access_token"]
    assert introspect(server, token, SVC) == INACTIVE


@pytest.mark.usefixtures("svc")
def test_takes_the_secret_from_the_form(server: RealmServer) -> None:
    token = server.client_credentials(SVC)["access_token"]
    assert introspect(server, token, None, client_id="api", client_secret="api-secret")["active"]


@pytest.mark.usefixtures("svc")
def test_serves_a_bearer_only_client(server: RealmServer, realm: RealmUnderTest, svc: ClientRepresentation) -> None:
    realm.add_client(client_id="bearer", secret="s", bearer_only=True)
    realm.change_client(svc, lambda c: setattr(c, "protocol_mappers", [audience("bearer")]))
    token = server.client_credentials(SVC)["access_token"]
    assert introspect(server, token, ("bearer", "s"))["active"]


@pytest.mark.usefixtures("svc")
@pytest.mark.parametrize(
    ("auth", "form", "expect"),
    [
        (None, {}, (401, "invalid_client", "Invalid client or Invalid client credentials")),
        (("nobody", "x"), {}, (401, "invalid_client", "Invalid client or Invalid client credentials")),
        (("api", "wrong"), {}, (401, "invalid_client", "Client authentication failed.")),
        (None, {"client_id": "public"}, (403, "invalid_request", "Client not allowed.")),
        (API, {"token": None}, (400, "invalid_request", "Token not provided.")),
        (API, {"token": ["a", "b"]}, (400, "invalid_request", "duplicated parameter")),
        (API, {"token_type_hint": "unknown"}, (400, "invalid_request", "Unsupported token type.")),
        (API, {"token_type_hint": ""}, (400, "invalid_request", "Unsupported token type.")),
    ],
)
def test_refuses_what_is_no_request_of_a_confidential_client(
    server: RealmServer,
    realm: RealmUnderTest,
    auth: tuple[str, str] | None,
    form: dict[str, Any],
    expect: tuple[int, str, str],
) -> None:
    realm.add_client(client_id="public", public_client=True)
    data = {name: value for name, value in ({"token": "x"} | form).items() if value is not None}
    response = server.protocol("POST", "token/introspect", data=data, auth=auth)
    body = response.json()
    assert (response.status_code, body["error"], body["error_description"]) == expect
    assert server.sink.events[-1].type == "INTROSPECT_TOKEN_ERROR"


@pytest.mark.usefixtures("svc")
def test_a_json_body_has_no_token(server: RealmServer) -> None:
    response = server.protocol("POST", "token/introspect", json={"token": "x"}, auth=API)
    assert response.json()["error_description"] == "Token not provided."


@pytest.mark.usefixtures("svc")
@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "a" * 70_000])
def test_nonsense_is_not_active(server: RealmServer, token: str) -> None:
    assert introspect(server, token) == INACTIVE


@pytest.mark.usefixtures("svc")
def test_a_tampered_token_is_not_active(server: RealmServer) -> None:
    head, claims, signature = server.client_credentials(SVC)["access_token"].split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert introspect(server, f"{head}.{claims}.{flipped}") == INACTIVE
    assert introspect(server, f"{head}.{claims}.") == INACTIVE


@pytest.mark.usefixtures("svc")
def test_a_token_of_another_issuer_is_not_active(server: RealmServer) -> None:
    token = server.client_credentials(SVC)["access_token"]
    form = {"token": token}
    response = server.protocol("POST", "token/introspect", data=form, auth=API, base_url="https://other.test")
    assert response.json() == INACTIVE


@pytest.mark.usefixtures("svc")
def test_a_token_is_active_until_it_expires(server: RealmServer, realm: RealmUnderTest) -> None:
    token = server.client_credentials(SVC)["access_token"]
    realm.clock.now = NOW + 299
    assert introspect(server, token)["active"]
    realm.clock.now = NOW + 300
    assert introspect(server, token) == INACTIVE


def test_a_token_of_a_disabled_client_is_not_active(
    server: RealmServer, realm: RealmUnderTest, svc: ClientRepresentation
) -> None:
    token = server.client_credentials(SVC)["access_token"]
    realm.change_client(svc, lambda client: setattr(client, "enabled", False))
    assert introspect(server, token) == INACTIVE
    realm.change_client(svc, lambda client: setattr(client, "enabled", True))
    assert introspect(server, token)["active"]


def test_a_token_from_before_the_clients_not_before_is_not_active(
    server: RealmServer, realm: RealmUnderTest, svc: ClientRepresentation
) -> None:
    token = server.client_credentials(SVC)["access_token"]
    realm.change_client(svc, lambda client: setattr(client, "not_before", NOW + 1))
    assert introspect(server, token) == INACTIVE
    realm.change_client(svc, lambda client: setattr(client, "not_before", NOW))
    assert introspect(server, token)["active"]


@pytest.mark.usefixtures("svc")
def test_a_token_from_before_the_realms_not_before_is_not_active(server: RealmServer, realm: RealmUnderTest) -> None:
    token = server.client_credentials(SVC)["access_token"]
    realm.change_realm(lambda document: setattr(document, "not_before", NOW + 1))
    assert introspect(server, token) == INACTIVE


def test_a_token_of_a_client_without_its_service_account_is_not_active(
    server: RealmServer, realm: RealmUnderTest, svc: ClientRepresentation
) -> None:
    token = server.client_credentials(SVC)["access_token"]
    realm.change_client(svc, lambda client: setattr(client, "service_accounts_enabled", False))
    assert introspect(server, token) == INACTIVE


@pytest.mark.usefixtures("svc")
def test_a_role_counts_as_soon_as_it_is_granted(server: RealmServer, realm: RealmUnderTest) -> None:
    user = realm.add_person("ada", "engine")
    token = server.login("ada", "engine", SVC)["access_token"]
    with realm.store.write() as transaction:
        role = RoleRepresentation(id=new_id(), name="auditor", client_role=False, container_id=realm.id)
        transaction.insert(ROLES, realm.id, role)
        transaction.link(Relation.USER_ROLE, realm.id, str(user.id), str(role.id))
    assert "auditor" not in jwt.parse(token).claims["realm_access"]["roles"]
    assert "auditor" in introspect(server, token)["realm_access"]["roles"]


@pytest.mark.usefixtures("svc")
def test_a_persons_token_ends_with_the_session(server: RealmServer, realm: RealmUnderTest) -> None:
    user = realm.add_person("ada", "engine")
    token = server.login("ada", "engine", SVC)["access_token"]
    answer = introspect(server, token)
    assert (answer["username"], answer["sub"]) == ("ada", user.id)
    with realm.store.write() as transaction:
        transaction.delete(SESSIONS, realm.id, answer["sid"])
    assert introspect(server, token) == INACTIVE


@pytest.mark.usefixtures("svc")
def test_a_token_of_a_disabled_person_is_not_active(server: RealmServer, realm: RealmUnderTest) -> None:
    user = realm.add_person("ada", "engine")
    token = server.login("ada", "engine", SVC)["access_token"]
    realm.change_user(user, lambda person: setattr(person, "enabled", False))
    assert introspect(server, token) == INACTIVE


@pytest.mark.usefixtures("svc")
def test_a_refresh_token_needs_its_hint_and_tells_its_client_alone(server: RealmServer, realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    tokens = server.login("ada", "engine", SVC, scope="openid")
    refresh = tokens["refresh_token"]
    assert introspect(server, refresh, SVC) == INACTIVE
    assert introspect(server, tokens["access_token"], SVC, token_type_hint="refresh_token") == INACTIVE
    assert introspect(server, refresh, API, token_type_hint="refresh_token") == INACTIVE
    answer = introspect(server, refresh, SVC, token_type_hint="refresh_token")
    own = jwt.parse(refresh).claims
    assert (answer["typ"], answer["token_type"], answer["active"]) == ("Refresh", "Refresh", True)
    assert answer["aud"][0] == server.issuer
    assert "api" in answer["aud"]
    assert {name: answer[name] for name in ("jti", "exp", "iat", "sid", "scope")} == {
        name: own[name] for name in ("jti", "exp", "iat", "sid", "scope")
    }
    realm.clock.now = own["exp"]
    assert introspect(server, refresh, SVC, token_type_hint="refresh_token") == INACTIVE


@pytest.mark.usefixtures("svc")
def test_says_little_of_a_token_that_is_asked_about_as_a_permission(server: RealmServer) -> None:
    token = server.client_credentials(SVC)["access_token"]
    answer = introspect(server, token, token_type_hint="requesting_party_token")
    assert answer.keys() == {"exp", "iat", "jti", "aud", "typ", "acr", "active"}


@pytest.mark.parametrize("allowed", [True, False])
def test_adds_a_signed_copy_where_the_caller_may_have_one(
    server: RealmServer, realm: RealmUnderTest, svc: ClientRepresentation, allowed: bool
) -> None:
    attributes = {"client.introspection.response.allow.jwt.claim.enabled": str(allowed).lower()}
    realm.add_client(client_id="reader", secret="s", attributes=attributes)
    realm.change_client(svc, lambda client: setattr(client, "protocol_mappers", [audience("reader")]))
    token = server.client_credentials(SVC)["access_token"]
    plain = introspect(server, token, ("reader", "s"))
    response = server.protocol(
        "POST",
        "token/introspect",
        data={"token": token},
        auth=("reader", "s"),
        headers={"Accept": "application/jwt"},
    )
    answer = response.json()
    signed = answer.pop("jwt", None)
    assert answer == plain
    assert (signed is not None) == allowed
    if signed:
        claims = jwt.verify(signed, realm.entry.realm.keys.verifying, frozenset({"RS256"}))
        rest = {"client_id", "username", "token_type", "active"}
        assert dict(claims) == {name: value for name, value in plain.items() if name not in rest}


@pytest.mark.usefixtures("svc")
def test_a_disabled_realm_denies_access(server: RealmServer, realm: RealmUnderTest) -> None:
    realm.change_realm(lambda document: setattr(document, "enabled", False))
    response = server.protocol("POST", "token/introspect", data={"token": "x"}, auth=API)
    assert (response.status_code, response.json()["error"]) == (403, "access_denied")


@pytest.mark.usefixtures("svc")
def test_pages_are_not_served(server: RealmServer) -> None:
    token = server.client_credentials(SVC)["access_token"]
    headers = {"Origin": "https://evil.example"}
    response = server.protocol("POST", "token/introspect", data={"token": token}, auth=API, headers=headers)
    assert response.json()["active"]
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.usefixtures("svc")
def test_a_client_of_another_protocol_may_not_ask(server: RealmServer, realm: RealmUnderTest) -> None:
    realm.add_client(client_id="saml", secret="s3cret", protocol="saml")
    token = server.client_credentials(SVC)["access_token"]
    answer = server.protocol("POST", "token/introspect", data={"token": token}, auth=("saml", "s3cret"))
    assert (answer.status_code, answer.json()["error_description"]) == (400, "Wrong client protocol.")


@pytest.mark.usefixtures("svc")
def test_a_lightweight_token_may_leave_it_to_introspection_whom_it_is_for(
    server: RealmServer, realm: RealmUnderTest
) -> None:
    light, mapper = {"client.use.lightweight.access.token.enabled": "true"}, audience("api")
    mapper.config = given(mapper.config, {}) | {"lightweight.claim": "false", "introspection.token.claim": "true"}
    own: dict[str, Any] = {"secret": "s", "service_accounts_enabled": True, "attributes": light}
    realm.add_client(client_id="light", protocol_mappers=[mapper], **own)
    realm.add_client(client_id="lighter", **own)
    for client_id, told in (("light", True), ("lighter", False)):
        token = server.client_credentials((client_id, "s"))["access_token"]
        assert "aud" not in jwt.parse(token).claims
        assert introspect(server, token)["active"] is told
    token = server.client_credentials(("light", "s"))["access_token"]
    assert "api" in introspect(server, token)["aud"]
