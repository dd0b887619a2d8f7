"""Events of all workers and nodes for whoever looks for them: each can have the others write down what waits in them.

Nobody waits for long: one that hangs holds back its own events, and the answer only for a moment.
"""

import asyncio
import contextlib
import logging
import mmap
import os
import struct
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

from anyio import to_thread

from keyturn.store.spi import Change, Store

_LOGGER: Final = logging.getLogger("keyturn.events")

_WANTED: Final = "waiting_events"
"""The kind of a change that changes nothing: another node wants to read what waits here."""

_WORD: Final = struct.Struct("Q")
_PATIENCE: Final = 0.25
"""Seconds for which the others are waited for."""
_STEP: Final = 0.001


def between_nodes(store: Store, own: Callable[[], None], of_server: Callable[[], None]) -> Callable[[], None]:
    """What has the events of all nodes written down.

    Args:
        own: writes down this process's, from now on also where another node asks for it.
        of_server: has all processes of this server do so.
    """

    def hear(changes: Sequence[Change]) -> None:
        if any(change.kind == _WANTED for change in changes):
            try:
                own()
            except Exception:  # who asks next is answered all the same
                _LOGGER.exception("events could not be written")

    def flush() -> None:
        store.ask_others(_WANTED)
        of_server()

    store.subscribe(hear)
    return flush


class Flushing:
    """What so many workers share for it. To be made before they are forked."""

    def __init__(self, workers: int) -> None:
        row = workers * _WORD.size
        self._asked: Final = mmap.mmap(-1, row)
        """How often each has asked; it alone writes that."""
        self._done: Final = tuple(mmap.mmap(-1, row) for _ in range(workers))
        """What each has found in ``_asked`` before it wrote down its events last."""
        self._wakes: Final = tuple(os.pipe() for _ in range(workers))
        for end in (end for pipe in self._wakes for end in pipe):
            os.set_blocking(end, False)
        self._asking: Final = Lock()

    def flush(self, worker: int, own: Callable[[], None]) -> None:
        """Writes down the events of `worker` by `own`, and has the others do likewise. For worker threads."""
        at = worker * _WORD.size
        with self._asking:
            number = _WORD.unpack_from(self._asked, at)[0] + 1
            _WORD.pack_into(self._asked, at, number)
        others = [other for other in range(len(self._wakes)) if other != worker]
        for other in others:
            with contextlib.suppress(BlockingIOError):  # it is full of what will wake the other
                os.write(self._wakes[other][1], b"+")
        own()
        until = time.monotonic() + _PATIENCE
        while any(_WORD.unpack_from(self._done[other], at)[0] < number for other in others):
            if time.monotonic() >= until:
                return
            time.sleep(_STEP)

    async def answer(self, worker: int, own: Callable[[], None]) -> None:
        """Writes down the events of `worker` when others ask for them, until it is cancelled."""
        woken, wake = asyncio.Event(), self._wakes[worker][0]

        def hear() -> None:
            os.read(wake, 4096)
            woken.set()

        loop = asyncio.get_running_loop()
        loop.add_reader(wake, hear)
        try:
            while True:
                await woken.wait()
                woken.clear()
                asked = self._asked[:]
                try:
                    await to_thread.run_sync(own)
                except Exception:  # who asks next is answered all the same
                    _LOGGER.exception("events could not be written")
                    continue
                self._done[worker][:] = asked
        finally:
            loop.remove_reader(wake)
