"""Guessing of people's passwords is slowed down where the realm says so."""

from typing import Any

import pytest

from harness.realm import RealmUnderTest
from harness.tokens import Answer, ask

_REFUSED = (400, "invalid_grant", "Invalid user credentials")


def guess(realm: RealmUnderTest, password: str) -> Answer:
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "ada", "password": password}
    return ask(realm, form)


def protect(realm: RealmUnderTest, **settings: Any) -> None:
    def change(document: Any) -> None:
        wanted = {"brute_force_protected": True, "failure_factor": 2, "quick_login_check_milli_seconds": 0}
        for name, value in (wanted | settings).items():
            setattr(document, name, value)

    realm.change_realm(change)


@pytest.fixture
def _ada(realm: RealmUnderTest) -> None:
    realm.add_person("ada", "engine")


@pytest.mark.usefixtures("_ada")
def test_locks_out_after_too_many_wrong_passwords_whatever_the_password(realm: RealmUnderTest) -> None:
    protect(realm, wait_increment_seconds=60)
    assert [guess(realm, "wrong").error for _ in range(2)] == [_REFUSED] * 2
    assert guess(realm, "engine").error == _REFUSED
    realm.clock.now += 61
    assert guess(realm, "engine").status == 200


@pytest.mark.usefixtures("_ada")
def test_does_not_count_guesses_while_locked_out(realm: RealmUnderTest) -> None:
    protect(realm, wait_increment_seconds=60)
    for _ in range(10):
        guess(realm, "wrong")
        realm.clock.now += 7
    assert guess(realm, "engine").status == 200


@pytest.mark.usefixtures("_ada")
def test_a_right_password_makes_wrong_ones_forgotten(realm: RealmUnderTest) -> None:
    protect(realm)
    for password in ("wrong", "engine", "wrong", "engine"):
        answer = guess(realm, password)
    assert answer.status == 200


@pytest.mark.usefixtures("_ada")
def test_locks_out_for_good_where_the_realm_says_so(realm: RealmUnderTest) -> None:
    protect(realm, permanent_lockout=True)
    for _ in range(2):
        guess(realm, "wrong")
    realm.clock.now += 10_000_000
    assert guess(realm, "engine").error == _REFUSED


@pytest.mark.usefixtures("_ada")
def test_counts_nothing_where_the_realm_does_not_say_so(realm: RealmUnderTest) -> None:
    protect(realm, brute_force_protected=False)
    for _ in range(5):
        guess(realm, "wrong")
    assert guess(realm, "engine").status == 200
