"""Which of a realm's required actions keep people from getting tokens by their password.

Source: Keycloak ``AuthenticationManager.evaluateRequiredActions``, ``VerifyUserProfile``, ``VerifyEmail``.
"""

from typing import Final

from keyturn.representations import given, present
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation

__all__ = ["demands_profile", "demands_verified_email"]

_VERIFY_PROFILE: Final = "VERIFY_PROFILE"
_VERIFY_EMAIL: Final = "VERIFY_EMAIL"


def demands_profile(realm: RealmRepresentation) -> bool:
    """Whether what the user profile requires has to be there."""
    return _is_enabled(realm, _VERIFY_PROFILE)


def demands_verified_email(realm: RealmRepresentation, user: UserRepresentation) -> bool:
    """Whether `user` has to show first that their address is theirs."""
    if realm.verify_email is not True or user.email_verified is True or not given(user.email, ""):
        return False
    return _is_enabled(realm, _VERIFY_EMAIL)


def _is_enabled(realm: RealmRepresentation, provider_id: str) -> bool:
    """Both actions are enabled in a realm that has the usual ones."""
    if not present(realm.required_actions):
        return True
    actions = given(realm.required_actions, [])
    return any(action.provider_id == provider_id and action.enabled is True for action in actions)
