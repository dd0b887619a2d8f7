"""Brute-force detection. Source: Keycloak ``AttackDetectionResource``."""

from typing import Any, Final

from keyturn.admin.answers import NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.permissions import MANAGE_USERS, VIEW_USERS
from keyturn.admin.resource import Resource

__all__ = ["attack_detection"]

attack_detection: Final = Resource("attack detection")

_NOTHING: Final = {
    "numFailures": 0,
    "disabled": False,
    "lastIPFailure": "n/a",
    "lastFailure": 0,
    "failedLoginNotBefore": 0,
    "numTemporaryLockouts": 0,
    "numSecondaryAuthFailures": 0,
}


@attack_detection.get("brute-force/users/{user_id}", needs=VIEW_USERS)
def get_failures(realm: RealmView, user_id: str) -> dict[str, Any]:
    """What is known of failed logins; nothing, as they are not counted."""
    return dict(_NOTHING)


@attack_detection.delete("brute-force/users/{user_id}", needs=MANAGE_USERS)
def clear_failures(realm: RealmAdmin, user_id: str) -> NoContent:
    """Forgets a user's failed logins."""
    return NoContent()


@attack_detection.delete("brute-force/users", needs=MANAGE_USERS)
def clear_all_failures(realm: RealmAdmin) -> NoContent:
    """Forgets all failed logins."""
    return NoContent()
