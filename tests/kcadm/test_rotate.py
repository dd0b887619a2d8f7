"""`keyturn rotate`: which clients it means, what it sends and tells, and how it goes on."""

import json

import pytest

from kcadm.answering_server import AnsweringServer
from kcadm.conftest import Kcadm
from keyturn.cli.rotate import CannotRotate, rotate_secrets, seconds_of

CLIENTS = "/admin/realms/demo/clients"


def client(number: int, client_id: str, **more: object) -> dict[str, object]:
    return {"id": f"id-{number}", "clientId": client_id, "serviceAccountsEnabled": True, **more}


LISTED = [
    client(1, "shop-web"),
    client(2, "shop-mail", clientAuthenticatorType="client-secret-jwt"),
    client(3, "before"),
    client(4, "forbidden"),
    client(5, "signing", clientAuthenticatorType="client-jwt"),
    client(6, "public", publicClient=True),
    client(7, "bearer", bearerOnly=True),
    client(8, "browser", serviceAccountsEnabled=False),
]


@pytest.fixture(autouse=True)
def logged_in(kcadm: Kcadm, server: AnsweringServer) -> None:
    credentials = ("--realm", "m", "--user", "u", "--password", "p")
    assert kcadm("config", "credentials", "--server", server.url, *credentials).status == 0
    server.prepared = {
        CLIENTS: [200, "application/json", LISTED],
        f"{CLIENTS}/id-1/credentials": [201, "application/json", {"secret": "one"}],
        f"{CLIENTS}/id-2/credentials": [201, "application/json", {"secret": "two"}],
        f"{CLIENTS}/id-3/credentials": [409, "application/json", {"errorMessage": "taken"}],
        f"{CLIENTS}/id-3/client-secret": [200, "application/json", {"value": "three"}],
        f"{CLIENTS}/id-4/credentials": [403, "application/json", {"error": "HTTP 403 Forbidden"}],
        f"{CLIENTS}/id-8/credentials": [201, "application/json", {"secret": "eight"}],
    }
    server.taken()


def rotate(*patterns: str, dry_run: bool = False) -> int:
    return rotate_secrets("demo", "old", 3600, patterns, config=None, dry_run=dry_run)


def test_gives_new_secrets_to_those_who_have_one_and_goes_on_after_a_failure(
    server: AnsweringServer, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert rotate() == 1
    told = capfdbinary.readouterr()
    assert told.out.decode().splitlines() == ["shop-web,one", "shop-mail,two", "before,three"]
    assert told.err.decode().splitlines() == [
        "forbidden: 403 HTTP 403 Forbidden",
        "2 rotated, 1 were already, 1 failed",
    ]
    sent = next(request for request in server.taken() if request[0] == f"POST {CLIENTS}/id-1/credentials")
    assert "authorization: Bearer AT" in sent
    assert json.loads(sent[-1]) == {"type": "secret", "replaces": "secret", "name": "old", "overlap": 3600}


def test_clients_are_chosen_by_their_ids(server: AnsweringServer, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert rotate("shop-*", "browser", "public") == 0
    assert capfdbinary.readouterr().out.decode().splitlines() == ["shop-web,one", "shop-mail,two", "browser,eight"]


def test_a_dry_run_changes_nothing(server: AnsweringServer, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert rotate("shop-*", dry_run=True) == 0
    assert capfdbinary.readouterr().out.decode().splitlines() == ["shop-web", "shop-mail"]
    assert not [request for request in server.taken() if request[0].startswith("POST /admin")]


def test_says_why_nothing_can_be_done(server: AnsweringServer) -> None:
    server.prepared[CLIENTS] = [404, "application/json", {"error": "Realm not found."}]
    with pytest.raises(CannotRotate, match="realm demo cannot be read: 404 Realm not found"):
        rotate()


@pytest.mark.parametrize(("text", "seconds"), [("14d", 1209600), ("12h", 43200), ("30m", 1800), ("60", 60), ("0", 0)])
def test_periods_are_written_as_people_do(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "2w", "-1", "1.5h", "99999999999"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no period"):
        seconds_of(text)
