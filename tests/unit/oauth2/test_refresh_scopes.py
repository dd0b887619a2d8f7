"""What a refresh token gives: fewer scopes where that is asked for, and no offline session without end by accident."""

from typing import Any

import pytest

from harness.realm import RealmUnderTest
from harness.tokens import Answer, ask, verified
from keyturn.representations import ClientRepresentation
from keyturn.store.collections import CLIENT_SCOPES
from keyturn.store.spi import Relation

_APP = ("app", "app-secret")


@pytest.fixture
def app(realm: RealmUnderTest) -> ClientRepresentation:
    realm.add_person("ada", "engine")
    return realm.add_client(client_id="app", secret="app-secret", direct_access_grants_enabled=True)


def _login(realm: RealmUnderTest, scope: str) -> dict[str, Any]:
    form = {"grant_type": "password", "username": "ada", "password": "engine", "scope": scope}
    return ask(realm, form, basic=_APP).body


def _refresh(realm: RealmUnderTest, token: str, **form: str) -> Answer:
    return ask(realm, {"grant_type": "refresh_token", "refresh_token": token} | form, basic=_APP)


def _scopes(text: str) -> set[str]:
    return set(text.split(" "))


@pytest.mark.usefixtures("app")
def test_a_refresh_may_ask_for_fewer_scopes_and_have_them_all_again_later(realm: RealmUnderTest) -> None:
    first = _login(realm, "openid address")
    narrow = _refresh(realm, first["refresh_token"], scope="email").body
    assert _scopes(narrow["scope"]) == {"email", "profile"}
    assert _scopes(verified(realm, narrow["access_token"])["scope"]) == {"email", "profile"}
    assert "id_token" in narrow
    again = _refresh(realm, narrow["refresh_token"]).body
    assert _scopes(again["scope"]) == {"openid", "address", "email", "profile"}


@pytest.mark.usefixtures("app")
def test_a_refresh_does_not_widen(realm: RealmUnderTest) -> None:
    first = _login(realm, "address")
    assert _scopes(_refresh(realm, first["refresh_token"], scope="phone").body["scope"]) == {"email", "profile"}


@pytest.mark.usefixtures("app")
def test_the_answer_to_an_offline_token_tells_all_its_scopes(realm: RealmUnderTest) -> None:
    first = _login(realm, "offline_access")
    narrow = _refresh(realm, first["refresh_token"], scope="email").body
    assert _scopes(narrow["scope"]) == {"email", "profile", "offline_access"}
    assert _scopes(verified(realm, narrow["access_token"])["scope"]) == {"email", "profile"}


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("settings", "expect"),
    [
        ({"offline_session_max_lifespan_enabled": False, "offline_session_max_lifespan": 100}, (0, None)),
        ({"offline_session_max_lifespan_enabled": True, "offline_session_max_lifespan": 100}, (100, 100)),
        (
            {
                "offline_session_max_lifespan_enabled": True,
                "offline_session_max_lifespan": 100,
                "client_offline_session_max_lifespan": 80,
                "client_offline_session_idle_timeout": 60,
            },
            (60, 60),
        ),
    ],
)
def test_an_offline_token_ends_only_where_the_realm_has_its_sessions_end(
    realm: RealmUnderTest, settings: dict[str, object], expect: tuple[int, int | None]
) -> None:
    for name, value in settings.items():
        realm.change_realm(lambda document, name=name, value=value: setattr(document, name, value))  # type: ignore[misc]
    body = _login(realm, "offline_access")
    claims = verified(realm, body["refresh_token"])
    lives = claims["exp"] - claims["iat"] if "exp" in claims else None
    assert (body["refresh_expires_in"], lives) == expect


def test_an_offline_token_is_worth_nothing_without_the_scope(realm: RealmUnderTest, app: ClientRepresentation) -> None:
    token = _login(realm, "offline_access")["refresh_token"]
    with realm.store.write() as transaction:
        scope = transaction.find(CLIENT_SCOPES, realm.id, name="offline_access")
        assert scope is not None
        transaction.unlink(Relation.CLIENT_OPTIONAL_SCOPE, realm.id, str(app.id), str(scope.id))
    refused = "Offline session invalid because offline access not granted anymore"
    assert _refresh(realm, token).error == (400, "invalid_grant", refused)


@pytest.mark.usefixtures("app")
def test_refresh_tokens_differ_where_each_may_be_used_once(realm: RealmUnderTest) -> None:
    realm.change_realm(lambda document: setattr(document, "revoke_refresh_token", True))
    first = _login(realm, "email")
    second = _refresh(realm, first["refresh_token"]).body
    ids = {verified(realm, body["refresh_token"])["reuse_id"] for body in (first, second)}
    assert len(ids) == 2
