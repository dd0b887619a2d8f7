"""Standard token exchange (RFC 8693)."""

from typing import Any

import pytest

from harness.realm import RealmUnderTest
from harness.realm_server import RealmServer
from harness.tokens import Answer, ask, verified
from keyturn.representations import ClientRepresentation, ProtocolMapperRepresentation
from keyturn.store.collections import USERS

_TYPE = "urn:ietf:params:oauth:token-type:"
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_GATEWAY = ("gateway", "gateway-secret")
_ENABLED = {
    "standard.token.exchange.enabled": "true",
    "standard.token.exchange.enableRefreshRequestedTokenType": "SAME_SESSION",
}


def _mapper(name: str, provider: str, **config: str) -> ProtocolMapperRepresentation:
    everywhere = {"access.token.claim": "true", "introspection.token.claim": "true", **config}
    return ProtocolMapperRepresentation(
        id=f"{provider}-{name}", name=name, protocol="openid-connect", protocol_mapper=provider, config=everywhere
    )


def _audience(client_id: str) -> ProtocolMapperRepresentation:
    return _mapper(client_id, "oidc-audience-mapper", **{"included.client.audience": client_id})


@pytest.fixture
def gateway(realm: RealmUnderTest) -> ClientRepresentation:
    realm.add_client(
        client_id="app",
        secret="app-secret",
        service_accounts_enabled=True,
        direct_access_grants_enabled=True,
        protocol_mappers=[_audience("gateway")],
    )
    realm.add_client(client_id="orders", secret="orders-secret")
    realm.add_client(client_id="stock", secret="stock-secret", enabled=False)
    return realm.add_client(
        client_id="gateway",
        secret="gateway-secret",
        attributes=_ENABLED,
        protocol_mappers=[_audience("orders"), _audience("gateway")],
    )


def _service_token(realm: RealmUnderTest) -> str:
    answer = ask(realm, {"grant_type": "client_credentials"}, basic=("app", "app-secret"))
    token: str = answer.body["access_token"]
    return token


def _login(realm: RealmUnderTest, **form: str) -> dict[str, Any]:
    password = {"grant_type": "password", "username": "ada", "password": "engine"}
    return ask(realm, password | form, basic=("app", "app-secret")).body


def _exchange(realm: RealmUnderTest, subject: str, basic: tuple[str, str] = _GATEWAY, **form: object) -> Answer:
    fixed = {"grant_type": _GRANT, "subject_token": subject, "subject_token_type": f"{_TYPE}access_token"}
    return ask(realm, fixed | form, basic=basic)


@pytest.mark.usefixtures("gateway")
def test_gives_a_token_of_the_same_user_to_whom_it_was_sent(realm: RealmUnderTest) -> None:
    subject = _service_token(realm)
    answer = _exchange(realm, subject)
    claims = verified(realm, answer.body["access_token"])
    assert answer.body["issued_token_type"] == f"{_TYPE}access_token"
    assert answer.body["token_type"] == "Bearer"
    assert claims["sub"] == verified(realm, subject)["sub"]
    assert (claims["azp"], claims["jti"][:7]) == ("gateway", "trrtte:")
    assert "sid" not in claims
    assert "clientHost" not in claims


@pytest.mark.usefixtures("gateway")
def test_an_exchanged_token_of_a_service_counts_where_it_is_for(realm: RealmUnderTest) -> None:
    server = RealmServer(realm)
    token = _exchange(realm, _service_token(realm), audience="orders", scope="openid").body["access_token"]
    told = server.protocol("POST", "token/introspect", data={"token": token}, auth=("orders", "orders-secret")).json()
    assert (told["active"], told["username"]) == (True, "service-account-app")
    assert server.protocol("GET", "userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    again = _exchange(realm, _exchange(realm, token).body["access_token"])
    assert verified(realm, again.body["access_token"])["sub"] == told["sub"]


@pytest.mark.usefixtures("gateway")
def test_its_user_is_found_by_a_subject_that_no_mapper_sets(
    realm: RealmUnderTest, gateway: ClientRepresentation
) -> None:
    victim = realm.add_person("eve", "engine")
    forged = _mapper("sub", "oidc-hardcoded-claim-mapper", **{"claim.name": "sub", "claim.value": str(victim.id)})
    realm.change_client(gateway, lambda client: setattr(client, "protocol_mappers", [forged]))
    subject = _service_token(realm)
    claims = verified(realm, _exchange(realm, subject).body["access_token"])
    assert claims["sub"] == verified(realm, subject)["sub"]


@pytest.mark.usefixtures("gateway")
def test_ends_with_its_subject(realm: RealmUnderTest) -> None:
    server = RealmServer(realm)
    user = realm.add_person("ada", "engine")
    login = _login(realm)
    token = _exchange(realm, login["access_token"]).body["access_token"]
    form, orders = {"token": token}, ("orders", "orders-secret")
    assert server.protocol("POST", "token/introspect", data=form, auth=orders).json()["active"]
    realm.change_user(user, lambda person: setattr(person, "enabled", False))
    assert not server.protocol("POST", "token/introspect", data=form, auth=orders).json()["active"]
    assert _exchange(realm, login["access_token"]).error == (400, "invalid_request", "Invalid token")
    realm.change_user(user, lambda person: setattr(person, "enabled", True))
    logout = {"refresh_token": login["refresh_token"]}
    assert server.protocol("POST", "logout", data=logout, auth=("app", "app-secret")).status_code == 204
    assert not server.protocol("POST", "token/introspect", data=form, auth=orders).json()["active"]
    assert _exchange(realm, login["access_token"]).error == (400, "invalid_request", "Invalid token")


@pytest.mark.usefixtures("gateway")
def test_an_access_token_leaves_the_session_as_it_is(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    login = _login(realm)
    answer = _exchange(realm, login["access_token"])
    claims = verified(realm, answer.body["access_token"])
    assert claims["jti"].startswith("ntrtte:")
    assert claims["sid"] == login["session_state"] == answer.body["session_state"]
    assert "refresh_token" not in answer.body


@pytest.mark.usefixtures("gateway")
def test_a_refresh_token_makes_the_client_part_of_the_session(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    login = _login(realm)
    answer = _exchange(realm, login["access_token"], requested_token_type=f"{_TYPE}refresh_token")
    assert answer.body["issued_token_type"] == f"{_TYPE}refresh_token"
    refresh = {"grant_type": "refresh_token", "refresh_token": answer.body["refresh_token"]}
    claims = verified(realm, ask(realm, refresh, basic=_GATEWAY).body["access_token"])
    assert claims["sid"] == login["session_state"]
    mine = verified(realm, _exchange(realm, login["access_token"]).body["access_token"])
    assert mine["jti"].startswith("onrtte:")


@pytest.mark.usefixtures("gateway")
def test_an_offline_session_gives_no_refresh_token(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    subject = _login(realm, scope="offline_access")["access_token"]
    claims = verified(realm, _exchange(realm, subject).body["access_token"])
    assert claims["jti"].startswith("ftrtte:")
    status, _, description = _exchange(realm, subject, requested_token_type=f"{_TYPE}refresh_token").error
    assert status == 400
    assert description.endswith("creating a new session is needed")


@pytest.mark.usefixtures("gateway")
def test_gives_an_id_token_in_the_place_of_the_access_token(realm: RealmUnderTest) -> None:
    answer = _exchange(realm, _service_token(realm), requested_token_type=f"{_TYPE}id_token", scope="openid")
    claims = verified(realm, answer.body["access_token"])
    assert (claims["typ"], claims["aud"], answer.body["token_type"]) == ("ID", "gateway", "N_A")
    assert "at_hash" not in claims
    assert "id_token" not in answer.body


@pytest.mark.usefixtures("gateway")
def test_narrows_audience_and_roles_to_what_is_asked_for(realm: RealmUnderTest) -> None:
    subject = _service_token(realm)
    wide = verified(realm, _exchange(realm, subject).body["access_token"])
    narrow = verified(realm, _exchange(realm, subject, audience="orders").body["access_token"])
    assert sorted(wide["aud"]) == ["account", "gateway", "orders"]
    assert wide["resource_access"]["account"]
    assert (narrow["aud"], narrow["resource_access"]) == ("orders", {})
    both = verified(realm, _exchange(realm, subject, audience=["orders", "gateway"]).body["access_token"])
    assert sorted(both["aud"]) == ["gateway", "orders"]


@pytest.mark.usefixtures("gateway")
def test_a_token_is_not_mistaken_for_one_of_another_subject(realm: RealmUnderTest) -> None:
    realm.add_client(
        client_id="other", secret="s", service_accounts_enabled=True, protocol_mappers=[_audience("gateway")]
    )
    other = ask(realm, {"grant_type": "client_credentials"}, basic=("other", "s")).body["access_token"]
    subjects = {
        verified(realm, _exchange(realm, token).body["access_token"])["sub"] for token in (_service_token(realm), other)
    }
    assert len(subjects) == 2


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize(
    ("form", "expect"),
    [
        ({"subject_token": "nonsense"}, (400, "invalid_request", "Invalid token")),
        (
            {"subject_token_type": f"{_TYPE}jwt"},
            (400, "invalid_request", "Parameter 'subject_token' supports access tokens only"),
        ),
        (
            {"requested_subject": "ada"},
            (400, "invalid_request", "Parameter 'requested_subject' is not supported for standard token exchange"),
        ),
        ({"requested_token_type": f"{_TYPE}saml2"}, (400, "invalid_request", "requested_token_type unsupported")),
        ({"requested_token_type": "own"}, (400, "invalid_request", "requested_token_type unsupported")),
        ({"audience": "nobody"}, (400, "invalid_client", "Audience not found")),
        ({"audience": "stock"}, (400, "invalid_client", "Client disabled")),
        ({"audience": ["app", "orders"]}, (400, "invalid_request", "Requested audience not available: app")),
        ({"scope": "unknown"}, (400, "invalid_scope", "Invalid scopes: unknown")),
        ({"scope": ["email", "profile"]}, (400, "invalid_request", "duplicated parameter")),
    ],
)
def test_refuses(realm: RealmUnderTest, form: dict[str, Any], expect: tuple[int, str, str]) -> None:
    assert _exchange(realm, _service_token(realm), **form).error == expect


@pytest.mark.usefixtures("gateway")
def test_refuses_who_is_not_in_the_audience(realm: RealmUnderTest) -> None:
    realm.add_client(client_id="stranger", secret="s", attributes=_ENABLED)
    subject = _service_token(realm)
    refused = (403, "access_denied", "Client is not within the token audience")
    assert _exchange(realm, subject, ("stranger", "s")).error == refused
    not_enabled = (400, "invalid_request", "Standard token exchange is not enabled for the requested client")
    assert _exchange(realm, subject, ("app", "app-secret")).error == not_enabled


@pytest.mark.usefixtures("gateway")
def test_refuses_a_revoked_and_an_expired_subject(realm: RealmUnderTest) -> None:
    server = RealmServer(realm)
    revoked, expired = _service_token(realm), _service_token(realm)
    assert server.protocol("POST", "revoke", data={"token": revoked}, auth=("app", "app-secret")).status_code == 200
    assert _exchange(realm, revoked).error == (400, "invalid_request", "Invalid token")
    realm.clock.now += 300
    assert _exchange(realm, expired).error == (400, "invalid_request", "Invalid token")


@pytest.mark.usefixtures("gateway")
def test_only_its_own_parameters_may_be_repeated(realm: RealmUnderTest) -> None:
    form = {"grant_type": "client_credentials", "audience": ["orders", "stock"]}
    assert ask(realm, form, basic=("app", "app-secret")).error == (400, "invalid_request", "duplicated parameter")


@pytest.mark.usefixtures("gateway")
def test_tells_events_whose_token_it_was(realm: RealmUnderTest) -> None:
    realm.change_realm(lambda document: setattr(document, "events_enabled", True))
    realm.change_realm(lambda document: setattr(document, "enabled_event_types", ["TOKEN_EXCHANGE"]))
    server = RealmServer(realm)
    subject = _service_token(realm)
    form = {"grant_type": _GRANT, "subject_token": subject, "subject_token_type": f"{_TYPE}access_token"}
    server.protocol("POST", "token", data=form | {"audience": "orders"}, auth=_GATEWAY)
    server.protocol("POST", "token", data=form | {"audience": "app"}, auth=_GATEWAY)
    issued, refused = server.sink.events
    assert (issued.type, refused.type, refused.error) == ("TOKEN_EXCHANGE", "TOKEN_EXCHANGE_ERROR", "invalid_request")
    assert issued.user_id == refused.user_id == verified(realm, subject)["sub"]
    assert {name: issued.details[name] for name in ("subject_token_client_id", "audience", "username")} == {
        "subject_token_client_id": "app",
        "audience": "orders",
        "username": "service-account-app",
    }
    assert refused.details["reason"] == "Requested audience not available: app"


@pytest.mark.usefixtures("gateway")
def test_an_administrator_may_use_an_exchanged_token_as_the_user_whose_it_is(realm: RealmUnderTest) -> None:
    server = RealmServer(realm)
    token = _exchange(realm, _service_token(realm)).body["access_token"]
    shown = server.request("GET", f"//admin/realms/{realm.name}/clients", headers={"Authorization": f"Bearer {token}"})
    assert shown.status_code == 404, "known, but there is no realm master here"
    with realm.store.write() as transaction:
        user = transaction.find(USERS, realm.id, username="service-account-app")
        assert user is not None
        transaction.delete(USERS, realm.id, str(user.id))
    gone = server.request("GET", f"//admin/realms/{realm.name}/clients", headers={"Authorization": f"Bearer {token}"})
    assert gone.status_code == 401
