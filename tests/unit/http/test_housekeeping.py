"""What a server does by itself, now and then."""

import asyncio
from pathlib import Path

import pytest

from harness.realm import RealmUnderTest, make_realm
from keyturn.http import housekeeping
from keyturn.http.housekeeping import keep_tidy
from keyturn.model.key_rotation import OVERLAP, PERIOD
from keyturn.store.spi import Unavailable


@pytest.fixture
def realm(tmp_path: Path) -> RealmUnderTest:
    return make_realm(tmp_path, attributes={PERIOD: "8000", OVERLAP: "2000"})


def test_keys_rotate_even_if_nothing_can_be_tidied(realm: RealmUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(store: object, now: float) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(housekeeping, "tidy", fail)

    async def until_a_key_is_seen_signing() -> None:
        tidying = asyncio.create_task(keep_tidy(realm.store, realm.clock, 0.001))
        while realm.entry.realm.keys_change is None:
            await asyncio.sleep(0.001)
        tidying.cancel()

    asyncio.run(asyncio.wait_for(until_a_key_is_seen_signing(), 10))
    realm.store.close()
