"""Token requests that are not well formed."""

import pytest

from harness.realm import RealmUnderTest
from harness.tokens import ask


@pytest.mark.parametrize(
    ("form", "expect"),
    [
        ({"scope": "email"}, (400, "invalid_request", "Missing form parameter: grant_type")),
        (b"", (400, "invalid_request", "Missing form parameter: grant_type")),
        ({"grant_type": ""}, (400, "unsupported_grant_type", "Unsupported grant_type")),
        ({"grant_type": "CLIENT_CREDENTIALS"}, (400, "unsupported_grant_type", "Unsupported grant_type")),
        ({"grant_type": ["client_credentials"] * 2}, (400, "invalid_request", "duplicated parameter")),
        (
            {"grant_type": "client_credentials", "color": ["red", "blue"]},
            (400, "invalid_request", "duplicated parameter"),
        ),
        ({"grant_type": "refresh_token"}, (400, "invalid_request", "No refresh token")),
        (
            {"grant_type": "password"},
            (400, "unauthorized_client", "Client not allowed for direct access grants"),
        ),
    ],
)
def test_says_what_is_wrong(
    realm: RealmUnderTest, form: dict[str, object] | bytes, expect: tuple[int, str, str]
) -> None:
    realm.add_client(client_id="svc", secret="s3cret", service_accounts_enabled=True)
    assert ask(realm, form, basic=("svc", "s3cret")).error == expect


def test_the_grant_is_checked_before_the_client(realm: RealmUnderTest) -> None:
    assert ask(realm, {"grant_type": "unknown"}).error[1] == "unsupported_grant_type"


def test_unknown_parameters_are_ignored(realm: RealmUnderTest) -> None:
    realm.add_client(client_id="svc", secret="s3cret", service_accounts_enabled=True)
    form = {"grant_type": "client_credentials", "color": "red"}
    assert ask(realm, form, basic=("svc", "s3cret")).status == 200
