"""A lock that is granted in the order of asking, so that no writer starves."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from keyturn.store.spi import Busy


class Turns:
    """Lets one thread in at a time, first come first served."""

    def __init__(self) -> None:
        self._state = threading.Lock()
        self._holder: int | None = None
        self._waiting: deque[tuple[int, threading.Event]] = deque()

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        return len(self._waiting)

    @contextmanager
    def turn(self, timeout: float) -> Iterator[None]:
        """Waits at most `timeout` seconds. Raises Busy; RuntimeError where this thread has the turn already."""
        self._acquire(timeout)
        try:
            yield
        finally:
            self._release()

    def _acquire(self, timeout: float) -> None:
        me = threading.get_ident()
        with self._state:
            if self._holder is None:
                self._holder = me
                return
            if self._holder == me:
                raise RuntimeError("a write transaction inside another one of the same thread")
            ticket = (me, threading.Event())
            self._waiting.append(ticket)
        if ticket[1].wait(timeout):
            return
        with self._state:
            if ticket[1].is_set():  # granted at the very end of the wait
                return
            self._waiting.remove(ticket)
        raise Busy("other writers hold the database")

    def _release(self) -> None:
        with self._state:
            if not self._waiting:
                self._holder = None
                return
            self._holder, granted = self._waiting.popleft()
            granted.set()
