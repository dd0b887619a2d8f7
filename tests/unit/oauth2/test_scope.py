"""Which scopes a client gets (RFC 6749 §3.3), in Keycloak's way."""

import pytest

from harness.realm import RealmUnderTest
from harness.tokens import ask

GRANT = {"grant_type": "client_credentials"}


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        ("email", {"email", "profile"}),
        ("openid", {"openid", "email", "profile"}),
        ("address phone", {"address", "phone", "email", "profile"}),
        ("roles", {"email", "profile"}),
        ("organization", {"email", "profile"}),
        ("offline_access", {"offline_access", "email", "profile"}),
        ("email email", {"email", "profile"}),
        ("email ", {"email", "profile"}),
        (" ", {"email", "profile"}),
    ],
)
def test_optional_scopes_are_granted_where_asked_for(realm: RealmUnderTest, requested: str, granted: set[str]) -> None:
    realm.add_client(client_id="svc", secret="s3cret", service_accounts_enabled=True)
    answer = ask(realm, GRANT | {"scope": requested}, basic=("svc", "s3cret"))
    assert set(answer.body["scope"].split()) == granted


@pytest.mark.parametrize(
    "requested", ["", "unknown", "email unknown", "email  email", " email", "EMAIL", "email,profile", "\temail"]
)
def test_anything_else_is_refused_with_the_whole_text(realm: RealmUnderTest, requested: str) -> None:
    realm.add_client(client_id="svc", secret="s3cret", service_accounts_enabled=True)
    answer = ask(realm, GRANT | {"scope": requested}, basic=("svc", "s3cret"))
    assert answer.error == (400, "invalid_scope", f"Invalid scopes: {requested}")


def test_leaves_out_a_scope_that_is_made_for_roles_of_which_the_subject_holds_none(realm: RealmUnderTest) -> None:
    realm.add_client(client_id="svc", secret="s3cret", service_accounts_enabled=True)
    form = {"grant_type": "client_credentials", "scope": "offline_access"}
    assert "offline_access" in ask(realm, form, basic=("svc", "s3cret")).body["scope"]
    realm.take_default_roles("service-account-svc")
    assert "offline_access" not in ask(realm, form, basic=("svc", "s3cret")).body["scope"]


def test_refuses_offline_tokens_to_those_without_the_role(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")
    realm.add_client(client_id="tool", secret="s3cret", direct_access_grants_enabled=True)
    form = {"grant_type": "password", "username": "ada", "password": "engine", "scope": "offline_access"}
    body = ask(realm, form, basic=("tool", "s3cret")).body
    realm.take_default_roles("ada")
    refused = (400, "not_allowed", "Offline tokens not allowed for the user or client")
    assert ask(realm, form, basic=("tool", "s3cret")).error == refused
    refresh = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    gone = (400, "invalid_grant", "Offline session invalid because offline access not granted anymore")
    assert ask(realm, refresh, basic=("tool", "s3cret")).error == gone
