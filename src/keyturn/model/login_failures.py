"""Failed logins of a person, and how long they lock the person out (Keycloak's brute-force detection)."""

from typing import Final

from keyturn.representations import RealmRepresentation, Representation, given

PERMANENTLY: Final = 2**63 - 1
"""``not_before`` of somebody who stays locked out until an administrator enables the account."""

DISABLED_REASON: Final = "disabledReason"
"""The user attribute that tells those apart, with the value ``LOCKED_OUT``, whom an administrator has disabled."""
LOCKED_OUT: Final = "permanentLockout"


class LoginFailures(Representation, kw_only=True):
    """What is remembered of one person's failed logins; a login that succeeds makes it forgotten."""

    id: str
    """The user's."""
    failures: int = 0
    last_failure: int = 0
    """Milliseconds since the epoch."""
    last_address: str = ""
    not_before: int = 0
    """Locked until then, in epoch seconds."""
    temporary_lockouts: int = 0

    def locks(self, now: float) -> bool:
        """Whether no password counts at `now` (epoch seconds)."""
        return now < self.not_before


def after_failure(
    known: LoginFailures | None, user_id: str, realm: RealmRepresentation, *, now_ms: int, address: str
) -> LoginFailures:
    """What is to be remembered after one more failure; permanently locked out where `realm` wants it.

    Source: Keycloak ``DefaultBruteForceProtector``; asked of Keycloak.
    """
    before = known or LoginFailures(id=user_id)
    since_ms = now_ms - before.last_failure if before.last_failure else None
    factor = max(given(realm.failure_factor, 30), 1)
    failures, lockouts, not_before = before.failures, before.temporary_lockouts, before.not_before
    permanent = given(realm.permanent_lockout, False)
    most_lockouts = given(realm.max_temporary_lockouts, 0)
    if permanent and not most_lockouts:
        failures += 1
        if failures >= factor:
            not_before = PERMANENTLY
    else:
        if since_ms is not None and since_ms > given(realm.max_delta_time_seconds, 43200) * 1000:
            failures = 0
        failures += 1
        wait = _wait(realm, failures, factor)
        if wait:
            lockouts += 1
        elif since_ms is not None and since_ms < given(realm.quick_login_check_milli_seconds, 1000):
            wait = given(realm.minimum_quick_login_wait_seconds, 60)
        if permanent and lockouts > most_lockouts:
            not_before = PERMANENTLY
        elif wait:
            not_before = now_ms // 1000 + min(wait, given(realm.max_failure_wait_seconds, 900))
    return LoginFailures(
        id=user_id,
        failures=failures,
        last_failure=now_ms,
        last_address=address,
        not_before=not_before,
        temporary_lockouts=lockouts,
    )


def _wait(realm: RealmRepresentation, failures: int, factor: int) -> int:
    """How many seconds so many failures lock out; 0 where there are too few."""
    increment = given(realm.wait_increment_seconds, 60)
    if given(realm.brute_force_strategy, "MULTIPLE") == "LINEAR":
        return increment * max(1 + failures - factor, 0)
    return increment * (failures // factor)
