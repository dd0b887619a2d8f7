"""Which required actions keep people from tokens (Keycloak ``VerifyUserProfile``, ``VerifyEmail``)."""

import pytest

from keyturn.model.required_actions import demands_profile, demands_verified_email
from keyturn.representations import UNSET
from keyturn.representations.authentication import RequiredActionProviderRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation


def realm(*enabled: str, verify_email: bool = True) -> RealmRepresentation:
    known = [
        RequiredActionProviderRepresentation(alias=name, provider_id=name, enabled=name in enabled)
        for name in ("VERIFY_PROFILE", "VERIFY_EMAIL")
    ]
    return RealmRepresentation(required_actions=known, verify_email=verify_email)


def test_the_profile_counts_where_the_realm_has_it_verified() -> None:
    assert demands_profile(RealmRepresentation())
    assert demands_profile(realm("VERIFY_PROFILE"))
    assert not demands_profile(realm("VERIFY_EMAIL"))
    assert not demands_profile(RealmRepresentation(required_actions=[]))


@pytest.mark.parametrize(
    ("where", "user", "demanded"),
    [
        (realm("VERIFY_EMAIL"), UserRepresentation(email="a@example.org"), True),
        (RealmRepresentation(verify_email=True), UserRepresentation(email="a@example.org"), True),
        (realm("VERIFY_EMAIL"), UserRepresentation(email="a@example.org", email_verified=True), False),
        (realm("VERIFY_EMAIL"), UserRepresentation(email=UNSET), False),
        (realm("VERIFY_EMAIL", verify_email=False), UserRepresentation(email="a@example.org"), False),
        (realm(), UserRepresentation(email="a@example.org"), False),
    ],
    ids=["action enabled", "usual actions", "verified", "no address", "not wanted", "action off"],
)
def test_an_address_counts_where_the_realm_wants_it_verified(
    where: RealmRepresentation, user: UserRepresentation, demanded: bool
) -> None:
    assert demands_verified_email(where, user) is demanded
