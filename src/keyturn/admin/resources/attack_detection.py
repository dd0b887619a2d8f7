"""Brute-force detection. Source: Keycloak ``AttackDetectionResource``."""

from typing import Any, Final

from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import NoContent, Unchanged
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.permissions import MANAGE_USERS, VIEW_USERS
from keyturn.admin.resource import Resource
from keyturn.representations import given
from keyturn.store.collections import LOGIN_FAILURES

__all__ = ["attack_detection"]

attack_detection: Final = Resource("attack detection", event=Recorded("USER_LOGIN_FAILURE"))

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
    """What is known of the user's failed logins, times in milliseconds and the lock's end in seconds."""
    found = realm.reader.get(LOGIN_FAILURES, realm.id, user_id)
    if found is None or not given(realm.realm.brute_force_protected, False):
        return dict(_NOTHING)
    locked = found.locks(realm.environment.clock())
    return _NOTHING | {
        "numFailures": found.failures,
        "disabled": locked,
        "lastIPFailure": found.last_address,
        "lastFailure": found.last_failure,
        "failedLoginNotBefore": found.not_before if locked else 0,
        "numTemporaryLockouts": found.temporary_lockouts,
    }


@attack_detection.delete("brute-force/users/{user_id}", needs=MANAGE_USERS)
def clear_failures(realm: RealmAdmin, user_id: str) -> NoContent:
    """Forgets a user's failed logins. Does NOT enable somebody who is locked out permanently."""
    return NoContent() if realm.tx.delete(LOGIN_FAILURES, realm.id, user_id) else Unchanged()


@attack_detection.delete("brute-force/users", needs=MANAGE_USERS)
def clear_all_failures(realm: RealmAdmin) -> NoContent:
    """Forgets all failed logins."""
    for failures in realm.reader.select(LOGIN_FAILURES, realm.id):
        realm.tx.delete(LOGIN_FAILURES, realm.id, failures.id)
    return NoContent()
