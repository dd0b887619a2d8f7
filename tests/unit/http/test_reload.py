"""Settings that are read again while the server runs."""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import cast

import pytest

from harness.realm import RealmUnderTest, make_realm
from keyturn.config import SETTINGS, Loaded, Settings, SettingsError
from keyturn.http.now_and_then import keep_up
from keyturn.http.reload import Reloading
from keyturn.store.backends.sqlite import open_store
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Store

BEFORE = Settings(data=Path("/data"), log_level="info", http_port=8080)


def loading(**changed: object) -> Loaded:
    fields = {setting.field: getattr(BEFORE, setting.field) for setting in SETTINGS}
    return Loaded(Settings(**(fields | changed)), ())


def test_what_may_change_is_used_and_the_rest_waits_for_the_next_start(caplog: pytest.LogCaptureFixture) -> None:
    used: list[Settings] = []
    reloading = Reloading(BEFORE, lambda: loading(log_level="debug", http_port=9090, workers=4), used.append)
    assert reloading.reload()
    assert reloading.settings is used[-1]
    assert (used[-1].log_level, used[-1].http_port, used[-1].workers) == ("debug", 8080, 1)
    assert "count from the next start: http-port, workers" in caplog.text


@pytest.mark.parametrize("error", [SettingsError("no"), OSError("no")], ids=["settings", "file"])
def test_what_cannot_be_used_changes_nothing(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_: Settings) -> None:
        raise error

    reloading = Reloading(BEFORE, lambda: loading(log_level="debug"), refuse)
    assert not reloading.reload()
    assert reloading.settings is BEFORE
    assert "the settings stay as they are: no" in caplog.text


def test_a_file_that_cannot_be_read_changes_nothing() -> None:
    def broken() -> Loaded:
        raise SettingsError("unknown key")

    used: list[Settings] = []
    assert not Reloading(BEFORE, broken, used.append).reload()
    assert used == []


def test_one_of_several_workers_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert Reloading(BEFORE, lambda: loading(workers=4), lambda _: None, tell=False).reload()
    assert caplog.text == ""


def test_what_a_worker_could_not_tell_of_any_more_is_found(tmp_path: Path) -> None:
    realm: RealmUnderTest = make_realm(tmp_path)
    entry = realm.entry
    killed = open_store(tmp_path / "keyturn.db", SealKeys.from_environment(tmp_path, {}), realm.clock)
    with killed.write() as transaction:
        transaction.delete_realm(realm.id)
    killed.close()
    assert realm.registry.realm(realm.name) is entry

    async def look() -> None:
        looking = asyncio.create_task(keep_up(realm.store, 0.001))
        with contextlib.suppress(KeyError):  # it is not known any more
            while realm.registry.realm(realm.name) is entry:
                await asyncio.sleep(0.001)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    asyncio.run(asyncio.wait_for(look(), 20))
    assert realm.registry.load_realm(realm.name) is None
    realm.store.close()


def test_one_failure_does_not_end_the_looking() -> None:
    looked: list[int] = []

    class Failing:
        def catch_up(self) -> None:
            looked.append(0)
            raise ValueError("one listener fails")

    async def look() -> None:
        looking = asyncio.create_task(keep_up(cast("Store", Failing()), 0.001))
        while len(looked) < 2 and not looking.done():
            await asyncio.sleep(0.001)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    asyncio.run(asyncio.wait_for(look(), 20))
    assert len(looked) >= 2
