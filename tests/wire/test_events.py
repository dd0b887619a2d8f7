"""What events tell of requests at a realm's endpoints, in Keycloak 26.7.3's words."""

from typing import Any

import pytest

from harness.realm import RealmUnderTest
from harness.realm_server import RealmServer
from keyturn.events.event import Event
from keyturn.events.recorder import Recorder
from keyturn.jose import jwt
from keyturn.representations import ProtocolMapperRepresentation, RealmRepresentation
from keyturn.store.collections import USERS
from keyturn.store.logs import EVENTS
from keyturn.store.recording import saver
from keyturn.store.spi import Entries

SECRET = "CANARY-secret-71f0"
PASSWORD = "CANARY-password-1d3e"
SVC = ("svc", SECRET)
RS = ("rs", SECRET)
GRANT = {"grant_type": "client_credentials"}
LOGIN = {"grant_type": "password", "username": "ada", "password": PASSWORD}
REFRESH = {"grant_type": "refresh_token"}
METHOD = {"client_auth_method": "client-secret"}
BY_PASSWORD = METHOD | {"grant_type": "password", "auth_method": "openid-connect"}
AT_FIRST = METHOD | {"grant_type": "password", "auth_method": "oauth_credentials"}


@pytest.fixture(autouse=True)
def everybody(realm: RealmUnderTest) -> None:
    mapper = ProtocolMapperRepresentation(
        name="rs",
        protocol="openid-connect",
        protocol_mapper="oidc-audience-mapper",
        config={"included.client.audience": "rs", "access.token.claim": "true"},
    )
    machine: dict[str, Any] = {"secret": SECRET, "service_accounts_enabled": True}
    realm.add_client(client_id="svc", direct_access_grants_enabled=True, protocol_mappers=[mapper], **machine)
    realm.add_client(client_id="rs", **machine)
    realm.add_client(client_id="off", enabled=False, **machine)
    realm.add_client(client_id="plain", secret=SECRET)
    realm.add_client(client_id="public", public_client=True, direct_access_grants_enabled=True)
    realm.add_client(client_id="consent", secret=SECRET, consent_required=True, direct_access_grants_enabled=True)
    realm.add_person("ada", PASSWORD)
    realm.add_person("gone", PASSWORD, enabled=False)
    realm.add_person("new", PASSWORD, required_actions=["UPDATE_PASSWORD"])


def last(server: RealmServer) -> Event:
    return server.sink.events[-1]


def user_id(realm: RealmUnderTest, username: str) -> str:
    with realm.store.read() as reader:
        user = reader.find(USERS, realm.id, username=username)
    assert user is not None
    return str(user.id)


def test_a_token_for_a_client(server: RealmServer, realm: RealmUnderTest) -> None:
    keep(realm, True)
    server.client_credentials(SVC)
    event = last(server)
    assert (event.type, event.error, event.client_id, event.session_id) == ("CLIENT_LOGIN", None, "svc", None)
    assert event.user_id == user_id(realm, "service-account-svc")
    assert (event.realm, event.realm_id, event.address) == ("machines", realm.id, "192.0.2.7")
    assert event.details == METHOD | {
        "grant_type": "client_credentials",
        "token_id": event.details["token_id"],
        "scope": event.details["scope"],
        "username": "service-account-svc",
    }
    assert event.details["token_id"].startswith("trrtcc:")
    assert set(event.details["scope"].split()) == {"email", "profile"}


def test_the_id_that_is_told_is_the_tokens(server: RealmServer, realm: RealmUnderTest) -> None:
    keep(realm, True)
    for scope in ("email", "openid"):
        token = server.client_credentials(SVC, scope=scope)["access_token"]
        assert last(server).details["token_id"] == jwt.parse(token).claims["jti"]


def test_a_login_and_its_refresh(server: RealmServer, realm: RealmUnderTest) -> None:
    keep(realm, True, types=["LOGIN", "REFRESH_TOKEN"])
    tokens = server.tokens(LOGIN, SVC)
    login = last(server)
    assert (login.type, login.user_id, login.session_id) == ("LOGIN", user_id(realm, "ada"), tokens["session_state"])
    assert {"auth_method": "openid-connect", "username": "ada", "refresh_token_type": "Refresh"}.items() <= (
        login.details.items()
    )
    realm.clock.now += 7
    server.tokens(REFRESH | {"refresh_token": tokens["refresh_token"]}, SVC)
    refresh = last(server)
    assert (refresh.type, refresh.user_id, refresh.session_id) == ("REFRESH_TOKEN", login.user_id, login.session_id)
    told = dict(refresh.details)
    assert told.pop("token_id").startswith("onrtrt:")
    assert told.pop("updated_refresh_token_id") != told["refresh_token_id"]
    assert set(told.pop("scope").split()) == {"email", "profile"}
    assert told == METHOD | REFRESH | {
        "access_token_expiration_time": "300",
        "age_of_refresh_token": "7",
        "refresh_token_id": login.details["refresh_token_id"],
        "refresh_token_sub": login.user_id,
        "refresh_token_type": "Refresh",
    }


@pytest.mark.parametrize(
    ("form", "auth", "kind", "error", "client_id", "user", "details"),
    [
        (GRANT, ("svc", "x"), "CLIENT_LOGIN_ERROR", "invalid_client_credentials", "svc", None, GRANT),
        (GRANT | {"client_id": "svc"}, None, "CLIENT_LOGIN_ERROR", "invalid_client_credentials", "svc", None, GRANT),
        (GRANT, ("nobody", "x"), "CLIENT_LOGIN_ERROR", "client_not_found", "nobody", None, GRANT),
        (GRANT, ("off", SECRET), "CLIENT_LOGIN_ERROR", "client_disabled", "off", None, GRANT),
        (GRANT, None, "CLIENT_LOGIN_ERROR", "client_not_found", None, None, GRANT),
        (
            GRANT,
            ("plain", SECRET),
            "CLIENT_LOGIN_ERROR",
            "invalid_client",
            "plain",
            None,
            GRANT | METHOD | {"reason": "Client not enabled to retrieve service account"},
        ),
        (
            GRANT | {"scope": "nope"},
            SVC,
            "CLIENT_LOGIN_ERROR",
            "invalid_request",
            "svc",
            "service-account-svc",
            GRANT | METHOD | {"reason": "Invalid scopes: nope", "username": "service-account-svc"},
        ),
        (
            LOGIN | {"password": "no"},
            SVC,
            "LOGIN_ERROR",
            "invalid_user_credentials",
            "svc",
            "ada",
            BY_PASSWORD | {"username": "ada"},
        ),
        (
            LOGIN | {"username": "ghost"},
            SVC,
            "LOGIN_ERROR",
            "user_not_found",
            "svc",
            None,
            BY_PASSWORD | {"username": "ghost"},
        ),
        ({"grant_type": "password"}, SVC, "LOGIN_ERROR", "user_not_found", "svc", None, BY_PASSWORD),
        (
            LOGIN | {"username": "gone"},
            SVC,
            "LOGIN_ERROR",
            "user_disabled",
            "svc",
            "gone",
            BY_PASSWORD | {"username": "gone"},
        ),
        (
            LOGIN | {"username": "new"},
            SVC,
            "LOGIN_ERROR",
            "resolve_required_actions",
            "svc",
            "new",
            BY_PASSWORD | {"username": "new", "reason": "Account is not fully set up"},
        ),
        (
            LOGIN,
            RS,
            "LOGIN_ERROR",
            "not_allowed",
            "rs",
            None,
            AT_FIRST | {"reason": "Client not allowed for direct access grants"},
        ),
        (
            LOGIN,
            ("consent", SECRET),
            "LOGIN_ERROR",
            "consent_denied",
            "consent",
            None,
            AT_FIRST | {"reason": "Client requires user consent"},
        ),
        (LOGIN, ("svc", "x"), "LOGIN_ERROR", "invalid_client_credentials", "svc", None, {"grant_type": "password"}),
        (
            REFRESH | {"refresh_token": "garbage"},
            SVC,
            "REFRESH_TOKEN_ERROR",
            "invalid_token",
            "svc",
            None,
            METHOD | REFRESH | {"reason": "Invalid refresh token"},
        ),
        (REFRESH, ("svc", "x"), "REFRESH_TOKEN_ERROR", "invalid_client_credentials", "svc", None, REFRESH),
    ],
)
def test_a_refused_token_request(
    server: RealmServer,
    realm: RealmUnderTest,
    form: dict[str, str],
    auth: tuple[str, str] | None,
    kind: str,
    error: str,
    client_id: str | None,
    user: str | None,
    details: dict[str, str],
) -> None:
    keep(realm, True, types=[kind])
    assert server.protocol("POST", "token", data=form, auth=auth).status_code >= 400
    event = last(server)
    assert (event.type, event.error, event.client_id, event.kept) == (kind, error, client_id, True)
    assert event.user_id == (user and user_id(realm, user))
    assert event.details == details
    assert event.issued_to is None


@pytest.mark.parametrize(
    ("form", "auth"),
    [({}, SVC), ({"grant_type": "nope"}, SVC), (REFRESH, SVC), (GRANT | {"scope": ["a", "b"]}, SVC)],
)
def test_a_malformed_request_is_told_to_the_log_but_not_kept(
    server: RealmServer, realm: RealmUnderTest, form: dict[str, Any], auth: tuple[str, str]
) -> None:
    keep(realm, True)
    assert server.protocol("POST", "token", data=form, auth=auth).status_code == 400
    assert last(server).type.endswith("_ERROR")
    assert not last(server).kept


def test_a_session_that_has_ended_is_named(server: RealmServer) -> None:
    tokens = server.tokens(LOGIN, SVC)
    server.protocol("POST", "logout", data={"refresh_token": tokens["refresh_token"]}, auth=SVC)
    form = REFRESH | {"refresh_token": tokens["refresh_token"]}
    assert server.protocol("POST", "token", data=form, auth=SVC).status_code == 400
    event = last(server)
    assert (event.type, event.error, event.session_id) == (
        "REFRESH_TOKEN_ERROR",
        "invalid_token",
        tokens["session_state"],
    )
    assert event.details["reason"] == "Session not active"
    assert event.details["refresh_token_type"] == "Refresh"


def test_introspection(server: RealmServer, realm: RealmUnderTest) -> None:
    tokens = server.tokens(LOGIN, SVC)
    server.protocol("POST", "token/introspect", data={"token": tokens["access_token"]}, auth=RS)
    event = last(server)
    assert (event.type, event.client_id, event.error) == ("INTROSPECT_TOKEN", "rs", None)
    assert (event.user_id, event.session_id) == (user_id(realm, "ada"), tokens["session_state"])
    assert event.details == METHOD | {
        "token_issued_for": "svc",
        "token_id": event.details["token_id"],
        "token_type": "Bearer",
    }


@pytest.mark.parametrize(
    ("form", "auth", "error", "details"),
    [
        ({"token": "garbage"}, RS, "invalid_token", METHOD | {"reason": "not a JWT"}),
        ({}, RS, "invalid_request", METHOD | {"detail": "Token not provided."}),
        ({"token": "x", "token_type_hint": "y"}, RS, "invalid_request", METHOD | {"detail": "Unsupported token type."}),
        ({"token": "x"}, ("rs", "x"), "invalid_client_credentials", {}),
        ({"token": "x"}, ("nobody", "x"), "client_not_found", {}),
        ({"token": "x", "client_id": "public"}, None, "invalid_request", METHOD | {"detail": "Client not allowed."}),
    ],
)
def test_introspection_of_what_is_nothing(
    server: RealmServer, form: dict[str, str], auth: tuple[str, str] | None, error: str, details: dict[str, str]
) -> None:
    server.protocol("POST", "token/introspect", data=form, auth=auth)
    event = last(server)
    assert (event.type, event.error, event.details) == ("INTROSPECT_TOKEN_ERROR", error, details)


def test_introspection_by_whom_the_token_is_not_for(server: RealmServer) -> None:
    token = server.client_credentials(SVC)["access_token"]
    server.protocol("POST", "token/introspect", data={"token": token}, auth=SVC)
    event = last(server)
    assert (event.type, event.error) == ("INTROSPECT_TOKEN_ERROR", "invalid_token")
    assert event.details["reason"] == "Client 'svc' is not in the token audience"


def test_userinfo(server: RealmServer, realm: RealmUnderTest) -> None:
    def ask(token: str | None) -> Event:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        server.protocol("POST", "userinfo", headers=headers)
        return last(server)

    event = ask(server.tokens(LOGIN | {"scope": "openid"}, SVC)["access_token"])
    assert (event.type, event.client_id, event.user_id) == ("USER_INFO_REQUEST", "svc", user_id(realm, "ada"))
    method = {"auth_method": "validate_access_token"}
    assert event.details == method | {"signature_required": "false", "username": "ada"}
    event = ask(server.tokens(LOGIN, SVC)["access_token"])
    assert (event.type, event.error) == ("USER_INFO_REQUEST_ERROR", "access_denied")
    assert event.details == method | {"reason": "Missing openid scope"}
    event = ask(None)
    assert (event.type, event.error) == ("USER_INFO_REQUEST_ERROR", "invalid_token")
    assert event.details == method | {"reason": "Missing token"}


def test_revocation(server: RealmServer, realm: RealmUnderTest) -> None:
    def revoke(token: str) -> Event:
        server.protocol("POST", "revoke", data={"token": token}, auth=SVC)
        return last(server)

    tokens = server.tokens(LOGIN, SVC)
    event = revoke(tokens["access_token"])
    assert (event.type, event.error, event.user_id) == ("REVOKE_GRANT", None, user_id(realm, "ada"))
    assert event.details == METHOD | {"token_id": event.details["token_id"]}
    event = revoke(tokens["refresh_token"])
    assert (event.type, event.session_id) == ("REVOKE_GRANT", tokens["session_state"])
    assert {"refresh_token_type": "Refresh", "revoked_client": "svc"}.items() <= event.details.items()
    assert (revoke(tokens["refresh_token"]).error, revoke("garbage").error) == (
        "user_session_not_found",
        "invalid_token",
    )
    assert last(server).type == "REVOKE_GRANT_ERROR"


def test_a_logout_is_told_once(server: RealmServer, realm: RealmUnderTest) -> None:
    tokens = server.tokens(LOGIN, SVC)
    for _ in range(2):
        server.protocol("POST", "logout", data={"refresh_token": tokens["refresh_token"]}, auth=SVC)
    server.protocol("GET", "logout")
    (event,) = [event for event in server.sink.events if event.type == "LOGOUT"]
    assert (event.client_id, event.user_id, event.session_id, event.details) == (
        "svc",
        user_id(realm, "ada"),
        tokens["session_state"],
        METHOD,
    )


def keep(realm: RealmUnderTest, enabled: bool, types: list[str] | None = None) -> None:
    """Has the realm keep events of these types, or of those that Keycloak keeps by default."""

    def change(document: RealmRepresentation) -> None:
        document.events_enabled = enabled
        if types is not None:
            document.enabled_event_types = types

    realm.change_realm(change)


def test_which_events_are_kept(server: RealmServer, realm: RealmUnderTest) -> None:
    def kept() -> dict[str, bool]:
        server.sink.events.clear()
        tokens = server.tokens(LOGIN, SVC)
        server.tokens(REFRESH | {"refresh_token": tokens["refresh_token"]}, SVC)
        server.client_credentials(SVC)
        return {event.type: event.kept for event in server.sink.events}

    assert kept() == {"LOGIN": False, "REFRESH_TOKEN": False, "CLIENT_LOGIN": False}
    keep(realm, True)
    assert kept() == {"LOGIN": True, "REFRESH_TOKEN": False, "CLIENT_LOGIN": True}
    keep(realm, True, types=["REFRESH_TOKEN"])
    assert kept() == {"LOGIN": False, "REFRESH_TOKEN": True, "CLIENT_LOGIN": False}
    keep(realm, False)
    assert not any(kept().values())


def test_no_secret_is_in_any_event(server: RealmServer, realm: RealmUnderTest) -> None:
    keep(realm, True, types=sorted(ALL_TYPES))
    tokens = server.tokens(LOGIN | {"scope": "openid"}, SVC)
    given = [tokens["access_token"], tokens["refresh_token"], tokens["id_token"]]
    for path in ("token", "token/introspect", "logout", "revoke"):
        for token in given:
            for auth in (SVC, ("svc", f"{SECRET}-wrong")):
                form = REFRESH | {"refresh_token": token, "token": token}
                server.protocol("POST", path, data=form, auth=auth)
    server.protocol("POST", "token", data=LOGIN | {"password": f"{PASSWORD}-wrong"}, auth=SVC)
    server.protocol("POST", "userinfo", headers={"authorization": f"Bearer {given[1]}"})
    recorder = Recorder(saver(realm.store, iter(map(str, range(1000))).__next__))
    for event in server.sink.events:
        recorder.record(event)
    recorder.flush()
    with realm.store.read() as reader:
        stored = reader.entries(EVENTS, realm.id, Entries())
    assert {str(entry.type) for entry in stored} >= ALL_TYPES - {"USER_INFO_REQUEST"}
    text = repr(stored)
    for secret in (SECRET, PASSWORD, *given):
        assert secret not in text


ALL_TYPES = frozenset(
    f"{kind}{ending}"
    for kind in ("LOGIN", "REFRESH_TOKEN", "INTROSPECT_TOKEN", "REVOKE_GRANT", "LOGOUT", "USER_INFO_REQUEST")
    for ending in ("", "_ERROR")
)
