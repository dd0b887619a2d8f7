"""Clients that ask for refresh tokens with client_credentials have a session like a person's."""

import pytest

from harness.realm import RealmUnderTest
from harness.tokens import ask, verified

_OWN = {"grant_type": "client_credentials"}


@pytest.fixture
def _client(realm: RealmUnderTest) -> None:
    realm.add_client(
        client_id="svc",
        secret="s3cret",
        service_accounts_enabled=True,
        attributes={"client_credentials.use_refresh_token": "true", "use.refresh.tokens": "false"},
    )


@pytest.mark.usefixtures("_client")
def test_gives_a_refresh_token_whatever_other_grants_do(realm: RealmUnderTest) -> None:
    answer = ask(realm, _OWN, basic=("svc", "s3cret"))
    claims = verified(realm, answer.body["access_token"])
    assert answer.body["refresh_token"]
    assert answer.body["session_state"] == claims["sid"]
    assert claims["jti"].startswith("onrtcc:")


@pytest.mark.usefixtures("_client")
def test_shows_the_address_of_the_first_request_in_refreshed_tokens(realm: RealmUnderTest) -> None:
    first = ask(realm, _OWN, basic=("svc", "s3cret"), address="192.0.2.7").body
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = ask(realm, form, basic=("svc", "s3cret"), address="192.0.2.8").body
    assert verified(realm, second["access_token"])["clientAddress"] == "192.0.2.7"


@pytest.mark.usefixtures("_client")
def test_gives_an_offline_token_for_the_offline_scope(realm: RealmUnderTest) -> None:
    answer = ask(realm, _OWN | {"scope": "offline_access"}, basic=("svc", "s3cret"))
    assert answer.body["refresh_expires_in"] == 0
    assert verified(realm, answer.body["access_token"])["jti"].startswith("ofrtcc:")


def test_tells_the_latest_not_before_of_realm_client_and_user(realm: RealmUnderTest) -> None:
    client = realm.add_client(client_id="plain", secret="s3cret", service_accounts_enabled=True)
    realm.change_client(client, lambda document: setattr(document, "not_before", 7))
    assert ask(realm, _OWN, basic=("plain", "s3cret")).body["not-before-policy"] == 7
    realm.change_realm(lambda document: setattr(document, "not_before", 9))
    assert ask(realm, _OWN, basic=("plain", "s3cret")).body["not-before-policy"] == 9
