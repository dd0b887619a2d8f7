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
