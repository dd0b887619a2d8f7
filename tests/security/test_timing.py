"""Whether somebody exists cannot be timed: the costly steps are the same ones, however a login fails.

Counted, not timed: the calls that hash and compare, which a clock would need thousands of requests to tell apart.
"""

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from harness.realm import RealmUnderTest, make_realm
from harness.tokens import ask

WATCHED = frozenset({"openssl_sha256", "compare_digest", "_compare_digest", "hash_secret_raw", "pbkdf2_hmac"})


def steps(call: Callable[[], Any]) -> Counter[str]:
    """How often each of the watched functions runs within `call`."""
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_code.co_name if event == "call" else getattr(argument, "__name__", "")
        if event in {"call", "c_call"} and name in WATCHED:
            counted[name] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(before)
    return counted


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> RealmUnderTest:
    made = make_realm(tmp_path_factory.mktemp("timing"))
    made.add_client(client_id="known", secret="secret", service_accounts_enabled=True)
    made.add_client(client_id="disabled", secret="secret", service_accounts_enabled=True, enabled=False)
    made.add_client(client_id="login", public_client=True, direct_access_grants_enabled=True)
    made.add_person("ada", "password")
    made.add_person("locked", "password", enabled=False)
    return made


def refused(realm: RealmUnderTest, **form: str) -> Counter[str]:
    """The steps of a request that is refused, once everything that it needs is in memory."""
    assert ask(realm, form).status in {400, 401}
    return steps(lambda: ask(realm, form))


def test_an_unknown_client_takes_the_steps_of_a_wrong_secret(realm: RealmUnderTest) -> None:
    grant = {"grant_type": "client_credentials"}
    wrong = refused(realm, client_id="known", client_secret="wrong", **grant)
    assert wrong["openssl_sha256"] == 1
    assert wrong["compare_digest"] + wrong["_compare_digest"] == 1
    assert refused(realm, client_id="unknown", client_secret="wrong", **grant) == wrong
    assert refused(realm, client_id="disabled", client_secret="wrong", **grant) == wrong
    assert refused(realm, client_id="disabled", client_secret="secret", **grant) == wrong


def test_no_secret_takes_the_steps_of_a_wrong_one(realm: RealmUnderTest) -> None:
    wrong = refused(realm, grant_type="client_credentials", client_id="known", client_secret="wrong")
    assert refused(realm, grant_type="client_credentials", client_id="known") == wrong
    assert refused(realm, grant_type="client_credentials", client_id="unknown") == wrong


def test_no_pretended_secret_can_be_guessed(realm: RealmUnderTest) -> None:
    for guess in ("", "\0" * 32, "0" * 64):
        form = {"grant_type": "client_credentials", "client_id": "unknown", "client_secret": guess}
        assert ask(realm, form).error[:2] == (401, "invalid_client")


def test_an_unknown_person_takes_the_steps_of_a_wrong_password(realm: RealmUnderTest) -> None:
    grant = {"grant_type": "password", "client_id": "login", "password": "wrong"}
    wrong = refused(realm, username="ada", **grant)
    assert wrong["hash_secret_raw"] == 1
    for name in ("nobody", "nobody@example.com", "locked", "service-account-known", " "):
        assert refused(realm, username=name, **grant)["hash_secret_raw"] == 1, name


def test_refusals_of_people_say_the_same(realm: RealmUnderTest) -> None:
    grant = {"grant_type": "password", "client_id": "login", "password": "wrong"}
    answers = [ask(realm, {**grant, "username": name}) for name in ("ada", "nobody", "locked", "service-account-known")]
    assert {answer.error for answer in answers} == {(400, "invalid_grant", "Invalid user credentials")}
