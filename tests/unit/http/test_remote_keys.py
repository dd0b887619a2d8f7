"""Key sets at URLs: read when needed, never too often."""

import asyncio
import json
from typing import Any

import pytest

from harness.assertions import jwks, key
from keyturn.http import remote_keys
from keyturn.http.outbound import Unreachable
from keyturn.http.remote_keys import COOL_DOWN, FRESH, FRESH_BUNDLE, LONGEST_FRESH, STALE, RemoteKeys
from keyturn.model.client_keys import ClientKeys, UnreadableKeys
from keyturn.oauth2.inquiries import ReadKeys

URL = "https://keys.example/jwks"


class Issuer:
    """Publishes keys, and counts who reads them."""

    def __init__(self, *published: Any) -> None:
        self.content: str | Exception = jwks(*published)
        self.readings = 0
        self.now = 1000.0
        self.keys = RemoteKeys(self._get, lambda: self.now)

    async def _get(self, url: str, token: str | None = None) -> bytes:
        self.readings += 1
        await asyncio.sleep(0)
        if isinstance(self.content, Exception):
            raise self.content
        return self.content.encode()

    def find(self, kid: str, url: str = URL) -> Any:
        """The ``kid`` of what is found, None for nothing, or the problem."""
        found = asyncio.run(self.keys.read(ReadKeys(url, kid, "ES256")))
        if isinstance(found, UnreadableKeys):
            return found.reason
        named = found.find(kid, "ES256")
        return None if named is None else named.kid


def test_reads_a_set_once_for_many() -> None:
    issuer = Issuer(key())

    async def many() -> list[ClientKeys | UnreadableKeys]:
        return await asyncio.gather(*(issuer.keys.read(ReadKeys(URL, "ES256-0", "ES256")) for _ in range(20)))

    assert len({id(found) for found in asyncio.run(many())}) == 1
    assert issuer.readings == 1


def test_an_unknown_key_causes_one_reading_and_no_flood() -> None:
    issuer = Issuer(key())
    assert issuer.find("ES256-0") == "ES256-0"
    for number in range(50):
        issuer.now += 0.1
        assert issuer.find(f"made-up-{number}") is None
    assert issuer.readings == 1
    issuer.now += COOL_DOWN
    issuer.content = jwks(key(), key(number=1))
    assert issuer.find("ES256-1") == "ES256-1"
    assert issuer.readings == 2


@pytest.mark.parametrize(
    ("hint", "fresh"),
    [(60, 60), (1, COOL_DOWN), (10**9, LONGEST_FRESH), (None, FRESH_BUNDLE), (-5, FRESH_BUNDLE), ("60", FRESH_BUNDLE)],
)
def test_a_bundle_is_read_as_often_as_it_says(hint: object, fresh: float) -> None:
    issuer = Issuer(key())
    bundle = json.loads(jwks(key()))
    issuer.content = json.dumps(bundle if hint is None else bundle | {"spiffe_refresh_hint": hint})
    inquiry = ReadKeys(URL, "ES256-0", "ES256", bundle=True)
    for seconds, readings in ((0, 1), (fresh - 1, 1), (1, 2)):
        issuer.now += seconds
        asyncio.run(issuer.keys.read(inquiry))
        assert issuer.readings == readings


def test_reads_again_after_a_while_so_that_what_was_taken_away_is_gone() -> None:
    issuer = Issuer(key())
    assert issuer.find("ES256-0") == "ES256-0"
    issuer.content = jwks(key(number=1))
    assert issuer.find("ES256-0") == "ES256-0"
    issuer.now += FRESH
    assert issuer.find("ES256-0") is None


def test_serves_what_it_has_while_the_url_fails_but_not_for_ever() -> None:
    issuer = Issuer(key())
    assert issuer.find("ES256-0") == "ES256-0"
    issuer.content = Unreachable("status 500")
    issuer.now += FRESH
    assert issuer.find("ES256-0") == "ES256-0"
    issuer.now += STALE
    assert issuer.find("ES256-0") == "status 500"


def test_serves_what_it_has_while_too_many_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer(key())
    assert issuer.find("ES256-0") == "ES256-0"
    issuer.now += FRESH
    monkeypatch.setattr(remote_keys, "_MAXIMUM_READINGS", 0)
    assert issuer.find("ES256-0") == "ES256-0"
    assert issuer.find("ES256-0", "https://other.example/jwks") == "too many key sets are being read"
    assert issuer.readings == 1


def test_does_not_hammer_a_url_that_fails() -> None:
    issuer = Issuer()
    issuer.content = Unreachable("no connection")
    for _ in range(10):
        assert issuer.find("k") == "no connection"
    assert issuer.readings == 1
    issuer.now += COOL_DOWN
    issuer.content = jwks(key())
    assert issuer.find("ES256-0") == "ES256-0"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": 5}', '{"keys": [5]}', "[" * 100_000])
def test_says_what_is_no_key_set(content: str) -> None:
    issuer = Issuer()
    issuer.content = content
    assert "no J" in issuer.find("k")


def test_keeps_a_bounded_number_of_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_keys, "MAXIMUM_SETS", 3)
    issuer = Issuer(key())
    for number in range(4):
        issuer.find("ES256-0", f"{URL}/{number}")
    issuer.find("ES256-0", f"{URL}/3")
    assert issuer.readings == 4
    issuer.find("ES256-0", f"{URL}/0")
    assert issuer.readings == 5
