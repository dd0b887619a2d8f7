"""Events of all workers, written down when one of them is asked for events."""

import asyncio
from functools import partial

import pytest

from keyturn.http import flushing
from keyturn.http.flushing import Flushing


def test_the_others_have_written_when_it_returns() -> None:
    shared, written = Flushing(3), list[int]()

    async def ask() -> None:
        others = [asyncio.create_task(shared.answer(other, partial(written.append, other))) for other in (0, 2)]
        for _ in range(3):
            written.clear()
            await asyncio.to_thread(shared.flush, 1, lambda: written.append(1))
            assert sorted(written) == [0, 1, 2]
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run(asyncio.wait_for(ask(), 20))


def test_who_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flushing, "_PATIENCE", 0.01)
    shared, written = Flushing(2), list[int]()
    for number in range(3):
        shared.flush(0, partial(written.append, number))
    assert written == [0, 1, 2]

    async def come_back() -> None:
        other = asyncio.create_task(shared.answer(1, lambda: written.append(9)))
        while 9 not in written:
            await asyncio.sleep(0.001)
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)

    asyncio.run(asyncio.wait_for(come_back(), 20))


def test_one_failure_does_not_end_the_writing(caplog: pytest.LogCaptureFixture) -> None:
    shared, tried = Flushing(2), list[int]()

    def write() -> None:
        tried.append(0)
        if len(tried) == 1:
            raise ValueError("an event that cannot be written")

    async def ask() -> None:
        other = asyncio.create_task(shared.answer(1, write))
        while len(tried) < 2 and not other.done():
            await asyncio.to_thread(shared.flush, 0, lambda: None)
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)

    asyncio.run(asyncio.wait_for(ask(), 20))
    assert len(tried) == 2
    assert "events could not be written" in caplog.text
