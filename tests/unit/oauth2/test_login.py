"""The password and refresh token grants: how administrators' tools log in and stay so."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.realm import NOW, RealmUnderTest
from harness.tokens import Answer, ask, verified
from keyturn.oauth2.spi import EndSession, FindSession, Overtaken, SaveSession, SessionFound

INVALID = (400, "invalid_grant", "Invalid user credentials")


def login(realm: RealmUnderTest, username: str = "ada", password: str = "engine", **form: str) -> Answer:
    request = {"grant_type": "password", "client_id": "admin-cli", "username": username, "password": password}
    return ask(realm, request | form)


def refresh(realm: RealmUnderTest, token: str, **form: str) -> Answer:
    return ask(realm, {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": token} | form)


def test_a_login_brings_a_lightweight_access_token_and_a_refresh_token(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    body = login(realm).body
    access = dict(verified(realm, body["access_token"]))
    assert access.pop("jti").startswith("onltro:")
    assert access.keys() == {"exp", "iat", "iss", "typ", "azp", "sid", "scope"}
    token = verified(realm, body["refresh_token"])
    assert token.header["alg"] == "HS512"
    assert (token["typ"], token["azp"], token["sid"], token["aud"]) == (
        "Refresh",
        "admin-cli",
        access["sid"],
        access["iss"],
    )
    assert (body["expires_in"], body["refresh_expires_in"], body["session_state"]) == (300, 1800, access["sid"])


@pytest.mark.parametrize("username", ["ada", "ADA", "ada@example.com", " ada "])
def test_a_person_is_known_by_name_and_address(realm: RealmUnderTest, username: str) -> None:
    realm.add_person("ada", "engine")
    assert login(realm, username).status == 200


@pytest.mark.parametrize(
    ("form", "expect"),
    [
        ({"password": "wrong"}, INVALID),
        ({"username": "nobody"}, INVALID),
        ({"username": ""}, INVALID),
        ({"password": ""}, INVALID),
        ({"scope": "bad"}, (400, "invalid_scope", "Invalid scopes: bad")),
    ],
)
def test_a_login_that_fails_says_no_more_than_keycloaks(
    realm: RealmUnderTest, form: dict[str, str], expect: tuple[int, str, str]
) -> None:
    realm.add_person("ada", "engine")
    assert login(realm, **form).error == expect


def test_a_login_without_a_name_is_malformed(realm: RealmUnderTest) -> None:
    form = {"grant_type": "password", "client_id": "admin-cli", "password": "x"}
    assert ask(realm, form).error == (401, "invalid_request", "Missing parameter: username")


@pytest.mark.parametrize(
    ("fields", "description"),
    [
        ({"enabled": False}, "Account disabled"),
        ({"required_actions": ["UPDATE_PASSWORD"]}, "Account is not fully set up"),
        ({"email": ""}, "Account is not fully set up"),
        ({"last_name": ""}, "Account is not fully set up"),
    ],
)
def test_an_account_that_is_not_ready_is_refused(
    realm: RealmUnderTest, fields: dict[str, Any], description: str
) -> None:
    realm.add_person("ada", "engine", **fields)
    assert login(realm).error == (400, "invalid_grant", description)
    assert login(realm, password="wrong").error == INVALID


def test_a_service_account_cannot_log_in(realm: RealmUnderTest) -> None:
    realm.add_client(client_id="svc", secret="s3cret", service_accounts_enabled=True)
    assert login(realm, "service-account-svc", "s3cret").error == INVALID


def test_a_refresh_goes_on_with_the_session(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    first = login(realm).body
    realm.clock.now += 100
    second = refresh(realm, first["refresh_token"]).body
    assert verified(realm, second["access_token"])["jti"].startswith("onltrt:")
    assert second["session_state"] == first["session_state"]
    assert verified(realm, second["refresh_token"])["exp"] == NOW + 100 + 1800


@pytest.mark.parametrize("what", ["access", "nonsense", "tampered", ""])
def test_only_its_own_refresh_tokens_are_accepted(realm: RealmUnderTest, what: str) -> None:
    realm.add_person("ada", "engine")
    body = login(realm).body
    head, claims, signature = body["refresh_token"].split(".")
    tampered = ".".join((head, claims, signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")))
    token = {"access": body["access_token"], "tampered": tampered}.get(what, what)
    assert refresh(realm, token).error == (400, "invalid_grant", "Invalid refresh token")


def test_a_refresh_token_is_its_clients_alone(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    realm.add_client(client_id="other", secret="s3cret")
    form = {"grant_type": "refresh_token", "refresh_token": login(realm).body["refresh_token"]}
    assert ask(realm, form, basic=("other", "s3cret")).error == (
        400,
        "invalid_grant",
        "Invalid refresh token. Token client and authorized client don't match",
    )


def test_a_refresh_token_expires_with_the_idle_time(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    token = login(realm).body["refresh_token"]
    realm.clock.now += 1799
    assert refresh(realm, token).status == 200
    realm.clock.now += 1
    assert refresh(realm, token).error == (400, "invalid_grant", "Token is not active")


def test_a_session_ends_at_its_longest_life_however_often_it_is_refreshed(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    body = login(realm).body
    while realm.clock.now < NOW + 36000 - 1000:
        realm.clock.now += 1000
        body = refresh(realm, body["refresh_token"]).body
    assert body["refresh_expires_in"] == 1000
    realm.clock.now += 1000
    assert refresh(realm, body["refresh_token"]).status == 400


def test_a_disabled_user_is_not_refreshed(realm: RealmUnderTest) -> None:
    user = realm.add_person("ada", "engine")
    token = login(realm).body["refresh_token"]
    realm.change_user(user, lambda stored: setattr(stored, "enabled", False))
    assert refresh(realm, token).error == (400, "invalid_grant", "User disabled")


@pytest.mark.parametrize("whose", ["realm", "user"])
def test_not_before_ends_older_refresh_tokens(realm: RealmUnderTest, whose: str) -> None:
    user = realm.add_person("ada", "engine")
    token = login(realm).body["refresh_token"]
    if whose == "realm":
        realm.change_realm(lambda stored: setattr(stored, "not_before", NOW + 1))
    else:
        realm.change_user(user, lambda stored: setattr(stored, "not_before", NOW + 1))
    assert refresh(realm, token).error == (400, "invalid_grant", "Stale token")


def test_a_used_refresh_token_ends_the_session_where_the_realm_revokes_them(realm: RealmUnderTest) -> None:
    realm.change_realm(lambda stored: setattr(stored, "revoke_refresh_token", True))
    realm.add_person("ada", "engine")
    once = login(realm).body["refresh_token"]
    twice = refresh(realm, once).body["refresh_token"]
    exceeded = (400, "invalid_grant", "Maximum allowed refresh token reuse exceeded")
    assert refresh(realm, once).error == exceeded
    assert refresh(realm, twice).error == (400, "invalid_grant", "Session doesn't have required client")


def test_a_realm_may_allow_some_reuse(realm: RealmUnderTest) -> None:
    realm.change_realm(lambda stored: setattr(stored, "revoke_refresh_token", True))
    realm.change_realm(lambda stored: setattr(stored, "refresh_token_max_reuse", 1))
    realm.add_person("ada", "engine")
    token = login(realm).body["refresh_token"]
    assert [refresh(realm, token).status for _ in range(3)] == [200, 200, 400]


def test_an_offline_session_does_not_expire_with_the_idle_time_of_others(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    realm.add_client(client_id="tool", secret="s3cret", direct_access_grants_enabled=True)
    form = {"grant_type": "password", "username": "ada", "password": "engine", "scope": "offline_access"}
    body = ask(realm, form, basic=("tool", "s3cret")).body
    token = verified(realm, body["refresh_token"])
    assert (token["typ"], "exp" in token, body["refresh_expires_in"]) == ("Offline", False, 0)
    realm.clock.now += 86400
    form = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    assert ask(realm, form, basic=("tool", "s3cret")).status == 200


def test_two_refreshes_at_once_do_not_both_use_a_token_that_may_be_used_once(realm: RealmUnderTest) -> None:
    realm.change_realm(lambda stored: setattr(stored, "revoke_refresh_token", True))
    realm.add_person("ada", "engine")
    token = login(realm).body["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        statuses = [answer.status for answer in pool.map(lambda _: refresh(realm, token), range(8))]
    assert statuses.count(200) == 1


def test_a_refresh_does_not_bring_a_session_back_that_was_ended_meanwhile(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    body = login(realm).body
    entry = realm.entry
    found = realm.facts.resolve(entry.realm, FindSession(body["session_state"]))
    assert isinstance(found, SessionFound)
    assert found.session is not None
    realm.facts.perform(entry.realm, EndSession(body["session_state"]))
    with pytest.raises(Overtaken):
        realm.facts.perform(entry.realm, SaveSession(found.session, replaces=found.session))
    assert refresh(realm, body["refresh_token"]).error == (400, "invalid_grant", "Session not active")
