"""How failed logins lock a person out. The figures are those that Keycloak gives for the same attempts."""

from typing import Any

import pytest

from keyturn.model.login_failures import PERMANENTLY, LoginFailures, after_failure
from keyturn.representations import RealmRepresentation

SECOND = 1000
START = 1_800_000_000


def attempts(*at: float, **settings: Any) -> LoginFailures:
    """What is remembered after failures at these seconds."""
    realm = RealmRepresentation(**{"quick_login_check_milli_seconds": 0} | settings)
    known = None
    for seconds in at:
        now_ms = round((START + seconds) * SECOND)
        known = after_failure(known, "ada", realm, now_ms=now_ms, address="192.0.2.7")
    assert known is not None
    return known


@pytest.mark.parametrize(("failures", "wait"), [(1, None), (2, 2), (3, 2), (4, 4), (5, 4), (6, 5)], ids=str)
def test_locks_for_longer_with_every_so_many_failures(failures: int, wait: int | None) -> None:
    at = range(0, failures * 10, 10)
    known = attempts(*at, failure_factor=2, wait_increment_seconds=2, max_failure_wait_seconds=5)
    assert known.not_before == (0 if wait is None else START + at[-1] + wait)
    assert known.temporary_lockouts == max(failures - 1, 0)


@pytest.mark.parametrize(("failures", "wait"), [(2, 1), (3, 2), (4, 3)])
def test_locks_for_longer_with_every_failure_where_that_is_wanted(failures: int, wait: int) -> None:
    at = range(0, failures * 10, 10)
    known = attempts(*at, failure_factor=2, wait_increment_seconds=1, brute_force_strategy="LINEAR")
    assert known.not_before == START + at[-1] + wait


def test_locks_shortly_after_failures_that_follow_each_other_too_fast() -> None:
    quick = {"quick_login_check_milli_seconds": 1000, "minimum_quick_login_wait_seconds": 2}
    known = attempts(0, 0.5, **quick)
    assert (known.not_before, known.temporary_lockouts) == (START + 2, 0)
    assert attempts(0, 1.5, **quick).not_before == 0


def test_begins_to_count_anew_after_a_long_while() -> None:
    assert attempts(0, 1, 3, failure_factor=3, max_delta_time_seconds=1).failures == 1


def test_locks_for_good_where_that_is_wanted() -> None:
    assert attempts(0, 5, failure_factor=2, permanent_lockout=True).not_before == PERMANENTLY


def test_locks_for_good_after_so_many_temporary_lockouts() -> None:
    settings = {"failure_factor": 2, "permanent_lockout": True, "max_temporary_lockouts": 1}
    assert attempts(0, 100, **settings).not_before != PERMANENTLY
    assert attempts(0, 100, 300, **settings).not_before == PERMANENTLY


def test_locks_until_the_second_that_it_says() -> None:
    known = LoginFailures(id="ada", not_before=START)
    assert known.locks(START - 0.1)
    assert not known.locks(START)
