"""Clients whose credentials are guessed: off unless a realm wants it, so that nothing differs from Keycloak."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.connection import Port, parsed, protocol_request
from harness.realm import RealmUnderTest, make_realm
from harness.realm_server import RealmServer
from harness.tokens import ask
from keyturn.http.oauth2 import TokenService
from keyturn.representations import RealmRepresentation, given

RIGHT, WRONG, NOBODY = ("svc", "svc-secret"), ("svc", "guess"), ("nobody", "guess")
FORM = {"grant_type": "client_credentials"}


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[RealmUnderTest]:
    made = make_realm(tmp_path, attributes={"keyturn.throttle.after": "3", "keyturn.throttle.longest": "8"})
    made.add_client(client_id="svc", secret="svc-secret", service_accounts_enabled=True)
    yield made
    made.store.close()


def post(server: RealmServer, auth: tuple[str, str], endpoint: str = "token", **form: str) -> httpx.Response:
    return server.protocol("POST", endpoint, data=FORM | form, auth=auth)


def statuses(server: RealmServer, auth: tuple[str, str], times: int) -> list[int]:
    return [post(server, auth).status_code for _ in range(times)]


@pytest.mark.parametrize("wrong", [WRONG, NOBODY], ids=["a wrong secret", "an unknown client"])
def test_a_guesser_is_told_to_come_back(server: RealmServer, realm: RealmUnderTest, wrong: tuple[str, str]) -> None:
    assert statuses(server, wrong, 6) == [401, 401, 401, 401, 429, 429]
    answer = post(server, wrong)
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {"error": "temporarily_unavailable", "error_description": "Too many failed attempts"}
    waits = [1]
    for _ in range(4):
        realm.clock.now += waits[-1]
        assert statuses(server, wrong, 2) == [401, 429]
        waits.append(int(post(server, wrong).headers["retry-after"]))
    assert waits == [1, 2, 4, 8, 8]


def test_a_right_guess_is_not_told_from_a_wrong_one(server: RealmServer, realm: RealmUnderTest) -> None:
    assert post(server, RIGHT).status_code == 200
    statuses(server, WRONG, 4)
    assert (post(server, RIGHT).status_code, post(server, WRONG).status_code) == (429, 429)
    assert post(server, RIGHT, "token/introspect", token="x").status_code == 429
    realm.clock.now += 1
    assert statuses(server, RIGHT, 1) == [200]
    assert statuses(server, WRONG, 3) == [401, 401, 401], "who has proved who it is starts anew"


def test_nobody_waits_at_another_address(realm: RealmUnderTest) -> None:
    for _ in range(5):
        assert ask(realm, FORM, basic=WRONG, address="192.0.2.1").status in (401, 429)
    assert ask(realm, FORM, basic=RIGHT, address="192.0.2.1").status == 429
    assert ask(realm, FORM, basic=RIGHT, address="192.0.2.2").status == 200


def test_failures_at_one_endpoint_count_at_all(server: RealmServer) -> None:
    for endpoint in ("token/introspect", "revoke", "logout", "token"):
        assert post(server, WRONG, endpoint, token="x", refresh_token="x").status_code == 401
    assert post(server, RIGHT).status_code == 429


def test_a_client_that_asks_for_its_settings_is_no_way_around(server: RealmServer) -> None:
    path = "/clients-registrations/install/svc"
    assert server.request("GET", path, auth=RIGHT).status_code == 200
    guesses = [server.request("GET", path, auth=WRONG).status_code for _ in range(5)]
    assert guesses == [401, 401, 401, 401, 429]
    assert (server.request("GET", path, auth=RIGHT).status_code, post(server, RIGHT).status_code) == (429, 429)


@pytest.mark.parametrize("endpoint", ["token", "token/introspect"])
@pytest.mark.parametrize("strict", ["false", "true"])
def test_a_failure_is_counted_once_wherever_it_is_answered(realm: RealmUnderTest, endpoint: str, strict: str) -> None:
    def as_strict(document: RealmRepresentation) -> None:
        document.attributes = {**given(document.attributes, {}), "keyturn.strict": strict}

    realm.change_realm(as_strict)
    port = Port(realm)
    realm.registry.load_client(realm.name, "svc")
    request = protocol_request(realm.name, endpoint, FORM | {"token": "x"}, WRONG)
    answers = [port.connect().exchange(request) for _ in range(5)]
    port.close()
    assert [parsed(answer)[0] for answer in answers] == [401, 401, 401, 401, 429]


def test_nothing_is_counted_unless_the_realm_wants_it(server: RealmServer, realm: RealmUnderTest) -> None:
    def off(document: RealmRepresentation) -> None:
        document.attributes = {"keyturn.throttle.after": "no number"}

    realm.change_realm(off)
    assert statuses(server, WRONG, 20) == [401] * 20
    assert not realm.entry.failures.used


def test_a_request_that_is_well_known_waits_as_well(realm: RealmUnderTest) -> None:
    service = TokenService(RealmServer(realm).services)
    scope: Any = {
        "type": "http",
        "scheme": "https",
        "method": "POST",
        "client": ("192.0.2.7", 1),
        "headers": [
            (b"host", b"keyturn.test"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
    }
    body = b"grant_type=client_credentials&client_id=svc&client_secret="
    realm.registry.load_client(realm.name, "svc")
    answered = service.at_once(scope, realm.name, body + b"svc-secret")
    assert answered is not None
    assert answered[1] is not None
    again = answered[1].repetition
    assert again() is not None
    for _ in range(4):
        service.at_once(scope, realm.name, body + b"guess")
    assert again() is None
    realm.clock.now += 1
    assert again() is not None
