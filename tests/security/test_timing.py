"""Whether somebody exists cannot be timed: the costly steps are the same ones, however a login fails.

Counted, not timed: the calls that hash and compare, which a clock would need thousands of requests to tell apart. Where
a realm promises not to tell at all, each answer waits for its moment.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from harness.assertions import assertion, form, key, with_keys
from harness.realm import RealmUnderTest, make_realm
from harness.realm_server import RealmServer
from harness.tokens import ask
from keyturn.http.held import HELD
from keyturn.http.oauth2 import TokenService
from keyturn.model.strictness import ONE_ERROR

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


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    made = make_realm(tmp_path_factory.mktemp("silent"), attributes={ONE_ERROR: "true"})
    made.add_client(client_id="known", secret="secret", service_accounts_enabled=True)
    made.add_client(client_id="signer", **with_keys(key()))
    yield RealmServer(made)
    made.store.close()


@pytest.mark.parametrize("shown", ["a wrong secret", "an unknown client", "a wrong signature", "an unknown signer"])
@pytest.mark.parametrize("endpoint", ["token", "token/introspect"])
def test_a_realm_that_says_nothing_takes_the_same_time_to_say_it(
    silent: RealmServer, endpoint: str, shown: str
) -> None:
    sent = {
        "a wrong secret": {"client_id": "known", "client_secret": "wrong"},
        "an unknown client": {"client_id": "unknown", "client_secret": "wrong"},
        "a wrong signature": form(assertion("signer", silent.issuer, silent.realm.clock(), key(number=1))),
        "an unknown signer": form(assertion("unknown", silent.issuer, silent.realm.clock(), key(number=1))),
    }[shown]
    begun = time.monotonic()
    answer = silent.protocol("POST", endpoint, data={"grant_type": "client_credentials", "token": "x"} | sent)
    assert time.monotonic() - begun >= HELD
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_who_proves_who_it_is_does_not_wait(silent: RealmServer) -> None:
    """Only it is answered where its bytes arrive."""
    service = TokenService(silent.services)
    headers = [(b"host", b"keyturn.test"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope: Any = {"type": "http", "scheme": "https", "method": "POST", "client": ("192.0.2.7", 1), "headers": headers}
    body = b"grant_type=client_credentials&client_id=known&client_secret="
    silent.realm.registry.load_client(silent.realm.name, "known")
    assert service.at_once(scope, silent.realm.name, body + b"wrong") is None
    assert service.at_once(scope, silent.realm.name, body + b"secret") is not None
