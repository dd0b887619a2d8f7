"""The store over a database that several nodes write to: hears of their commits, and knows when it is cut off."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from time import monotonic
from typing import Final, Protocol

from keyturn.store.collections import READ_EACH_TIME
from keyturn.store.connections import Connection, Connections
from keyturn.store.dialect import Dialect
from keyturn.store.revisions import Revisions
from keyturn.store.sealing import Resealed, Sealing
from keyturn.store.spi import Change, StoreError, Unavailable
from keyturn.store.sql import Clock, SqlStore

_LOGGER: Final = logging.getLogger("keyturn.store")

POLL: Final = 0.5
"""Seconds after which the database is asked though it has told of nothing: what it tells may be lost."""

_RETRY: Final = 0.25
"""Seconds between two attempts to reach it."""

_FIRST: Final = 2.0
"""Seconds for which one that begins to follow waits to be seen by the others, lest they write what it does not hear."""

CUT_OFF: Final = 3.0
"""Seconds without an answer after which nobody waits for one any more."""

HEARD_WITHIN: Final = 0.5
"""Seconds for which what a node has written waits to be heard of by the others: by then they have asked themselves."""

_PAUSES: Final = (0.001, 0.002, 0.004, 0.008, 0.016)
"""Seconds between looks at who has heard."""


_APART: Final = 5.0
"""Seconds by which clocks may differ until somebody is told."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the database says of itself: its newest revision, the id of its seal key, and its time (epoch seconds)."""

    revision: int
    seal_key_id: str
    clock: float


class Announcements(Protocol):
    """A connection of its own, to hear of commits by."""

    def newest(self) -> Told:
        """How things stand, by asking. Raises StoreError, within two seconds."""
        ...

    def wait(self, seconds: float) -> int | None:
        """The revision that somebody has committed, or None after so many seconds. Raises StoreError."""
        ...

    def tell(self, revision: int) -> None:
        """Shows to whoever writes that this process has heard of everything up to `revision`. Raises StoreError."""
        ...

    def close(self) -> None: ...


Heard = Callable[[Connection], dict[int, int]]
"""Up to which revision each process of other nodes has told that it has heard."""


class Contact:
    """Whether the database answers, as far as its follower knows; without a follower it is believed to."""

    __slots__ = ("_answered",)

    def __init__(self) -> None:
        self._answered: float | None = None

    def answered(self, at: float | None) -> None:
        """Notes that it did, at a time of ``time.monotonic``; None: nobody follows any more."""
        self._answered = at

    def lost(self) -> bool:
        """Whether it has been silent for too long to be waited for."""
        return self._answered is not None and time.monotonic() - self._answered > CUT_OFF


class SharedStore(SqlStore):
    """A store whose database is shared with other nodes.

    While ``following``, what others commit reaches the listeners within a second, and who is cut off fails at once.
    Whoever writes goes on when all that follow have heard, so that it finds itself believed wherever it asks next.
    """

    def __init__(
        self,
        connections: Connections,
        dialect: Dialect,
        sealing: Sealing,
        clock: Clock,
        revisions: Revisions | None,
        contact: Contact,
        announcements: Callable[[], Announcements],
        heard: Heard,
    ) -> None:
        super().__init__(connections, dialect, sealing, clock, revisions)
        self._contact = contact
        self._announcements = announcements
        self._heard = heard
        self._late: dict[int, int] = {}
        """Who did not hear in time, and what it had heard by then: until that changes, nobody waits for it."""
        self._apart = False
        self._max_staleness = self._true_until = float("inf")
        """Seconds, and the moment from which what the listeners know is too old to decide by."""

    def behind(self) -> bool:
        """As ``SqlStore.behind``; and whether the database has been out of reach for as long as is allowed."""
        return monotonic() > self._true_until or self._revisions.differ(self._words)

    def catch_up(self) -> None:
        """As ``SqlStore.catch_up``. Raises Unavailable at once where the database is out of reach."""
        begun = time.monotonic()
        super().catch_up()
        self._true_until = begun + self._max_staleness

    def ask_others(self, kind: str) -> None:
        try:
            with self._connection(lambda _: None) as connection:
                others = self._heard(connection)
            if others:
                with self.write() as transaction:
                    transaction.announce(kind, "", "")
        except StoreError:
            _LOGGER.warning("the other nodes cannot be asked for %s now", kind)

    @contextmanager
    def following(self, max_staleness: float) -> Iterator[None]:
        """Hears of what other nodes commit, in a thread of its own.

        Args:
            max_staleness: for how many seconds without a word from the database what is remembered is good.
        """
        stop, seen = threading.Event(), threading.Event()
        now = time.monotonic()
        self._contact.answered(now)
        self._max_staleness, self._true_until = max_staleness, now + max_staleness
        thread = threading.Thread(target=self._follow, args=(stop, seen), name="keyturn-follower", daemon=True)
        thread.start()
        seen.wait(_FIRST)
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self._contact.answered(None)
            self._max_staleness = self._true_until = float("inf")

    def _told(self, changes: Sequence[Change]) -> None:
        """Waits until the other nodes have heard of a commit. One that hangs holds up one writer, once."""
        if all(change.kind in READ_EACH_TIME for change in changes):
            return
        revision, begun = changes[0].revision, time.monotonic()
        try:
            with self._connection(lambda _: None) as connection:
                for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
                    behind = {who: told for who, told in self._heard(connection).items() if told < revision}
                    if behind.items() <= self._late.items():
                        return
                    if time.monotonic() - begun > HEARD_WITHIN:
                        self._late = behind
                        return
                    time.sleep(pause)
        except StoreError:
            pass  # it is written; whoever cannot ask the database now does so as soon as it can

    def _follow(self, stop: threading.Event, seen: threading.Event) -> None:
        """Until it is told to `stop`: connects, asks, waits to be told; and again. `seen` is set when it has tried."""
        told = False
        while not stop.is_set():
            try:
                announcements = self._announcements()
                shown, committed, asked = -1, None, 0.0
                try:
                    while not stop.is_set():
                        # What this process has written itself needs no question, unless that was long ago.
                        if committed is None or committed > self._followed or monotonic() > asked + POLL:
                            asked = monotonic()
                            self._hear(announcements.newest)
                        if shown != self._followed:
                            shown = self._followed
                            announcements.tell(shown)
                            seen.set()
                        if told:
                            _LOGGER.warning("the database is in reach again")
                            told = False
                        committed = announcements.wait(POLL)
                finally:
                    announcements.close()
            except StoreError as error:
                seen.set()
                if not told:
                    _LOGGER.warning("the database is out of reach: %s", error)
                    told = True
                stop.wait(_RETRY)
            except Exception:  # nobody else does this: it must not end with one failure
                _LOGGER.exception("what other nodes write cannot be followed now")
                stop.wait(_RETRY)

    def _compare(self, clock: float) -> None:
        apart = self._clock() - clock
        if abs(apart) > _APART and not self._apart:
            _LOGGER.warning("the clock is %.0f s off that of the database: keep both right with NTP", apart)
        elif abs(apart) <= _APART and self._apart:
            _LOGGER.warning("the clock is that of the database again")
        self._apart = abs(apart) > _APART

    def _hear(self, newest: Callable[[], Told]) -> None:
        asked = time.monotonic()
        told = newest()
        if told.seal_key_id != self._sealing.key.id:  # as good as out of reach
            raise Resealed
        self._contact.answered(time.monotonic())
        self._compare(told.clock)
        if told.revision != self._followed:
            self.catch_up()
        self._true_until = max(self._true_until, asked + self._max_staleness)

    @contextmanager
    def _connection(self, begin: Callable[[Connection], None]) -> Iterator[Connection]:
        if self._contact.lost():
            raise Unavailable("the database is out of reach")
        with super()._connection(begin) as connection:
            yield connection
