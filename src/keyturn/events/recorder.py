"""Events on their way to the store: they wait in memory, and a thread of its own writes them in batches.

Nobody on the token path waits for the database. What waits is bounded; what does not fit is counted, and lost.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from msgspec.structs import replace

from keyturn.events.event import Event

_LOGGER: Final = logging.getLogger("keyturn.events")

BATCH: Final = 500
"""Events in one transaction."""
CAPACITY: Final = 10_000
"""Events that wait at most; about 10 MB with all their details."""
_COUNTED: Final = 1000
"""Events of tokens that wait to be counted: a server may issue many times as many in the time of one batch."""
_USED: Final = 2000
"""Credentials whose use waits, at which a batch waits no longer."""
LONGEST: Final = 1000
"""Characters of one value (Keycloak ``max-detail-length``): much of it comes from callers."""
_PAUSE: Final = 0.5
"""Seconds for which a batch is gathered."""


@dataclass(slots=True)
class Use:
    """How many tokens a client got by one of its credentials, when it proved itself by it last (epoch seconds), and
    from which address.
    """

    tokens: int = 0
    last: int = 0
    address: str = ""


Uses: TypeAlias = Mapping[tuple[str, str, str], Use]
"""By the realm's id, the client's, and the name of the credential."""

Save: TypeAlias = Callable[[Sequence[Event], Uses], None]
"""Stores a batch, all of it or nothing. Raises NotSaved."""


class NotSaved(Exception):
    """The store takes nothing at the moment; the text says why."""


class Recorder:
    """A sink that keeps events, and the use of clients, for the store.

    Args:
        save: stores a batch; called by one thread at a time, and after NotSaved with the same batch again.
        pause: seconds for which a batch is gathered, and after which a failed one is tried again.
    """

    def __init__(self, save: Save, *, pause: float = _PAUSE, capacity: int = CAPACITY) -> None:
        self._save: Final = save
        self._pause: Final = pause
        self._capacity: Final = capacity
        self._kept: Final = deque[Event]()
        self._issued: Final = deque[Event](maxlen=10 * capacity)
        self._batch: Final[list[Event]] = []
        self._uses: dict[tuple[str, str, str], Use] = {}
        self._batch_uses: Uses = {}
        self._flushing: Final = threading.Lock()
        self._called: Final = threading.Event()
        self._hurried: Final = threading.Event()
        self._awake = False
        self._failing = False
        self._stopping = False
        self._reported = 0
        self._thread: Final = threading.Thread(target=self._run, name="events", daemon=True)
        self.dropped = 0
        """Events that were lost because too many waited."""

    @property
    def waiting(self) -> int:
        """Events that are not stored yet."""
        return len(self._kept) + len(self._batch)

    def record(self, event: Event) -> None:
        """Keeps `event` if its realm wants it, and counts the token or the proof that it tells of."""
        if event.issued_to is not None or event.proved is not None:
            self._issued.append(event)
            if len(self._issued) >= _COUNTED:
                self._count_now()
        elif not event.kept:
            return
        if event.kept:
            waiting = len(self._kept)
            if waiting < self._capacity:
                self._kept.append(_shortened(event))
            else:
                self.dropped += 1
            if waiting == BATCH:
                self._hurried.set()
        if not self._awake:
            self._awake = True
            self._called.set()

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, and ends the thread. What cannot be written now is lost, and told."""
        self._stopping = True
        self._called.set()
        self._hurried.set()
        self._thread.join()
        self.flush()
        if self.waiting:
            _LOGGER.error("%d events are lost: they could not be stored before the end", self.waiting)

    def flush(self) -> None:
        """Writes what waits, in this thread. Where that fails, it is told to the log once, and goes on waiting.

        A batch stays as it is until it is stored: one that may have been stored already can be known again.
        """
        with self._flushing:
            try:
                while self._batch or self._batch_uses or self._fill():
                    self._save(self._batch, self._batch_uses)
                    self._batch.clear()
                    self._batch_uses = {}
                    if self._failing:
                        _LOGGER.warning("events are stored again")
                    self._failing = False
            except NotSaved as error:
                if not self._failing:
                    _LOGGER.error("events cannot be stored, and wait: %s", error)
                self._failing = True

    def _run(self) -> None:
        while not self._stopping:
            self._called.wait()
            self._called.clear()
            self._hurried.wait(self._pause)
            self._hurried.clear()
            # From here on a new event calls again; those before are in this batch.
            self._awake = False
            try:
                self.flush()
            except Exception:  # this thread is the only one that writes: it must outlive whatever a batch holds
                _LOGGER.exception("events could not be written")
            if self._failing and not self._stopping:
                self._awake = True
                self._called.set()

    def _fill(self) -> bool:
        """Takes up to a batch from the queue, and the use of clients until now; whether there is any."""
        if self.dropped > self._reported:
            _LOGGER.error("%d events are lost: more than %d waited", self.dropped - self._reported, self._capacity)
            self._reported = self.dropped
        while self._kept and len(self._batch) < BATCH:
            self._batch.append(self._kept.popleft())
        self._count()
        self._batch_uses, self._uses = self._uses, {}
        return bool(self._batch or self._batch_uses)

    def _count_now(self) -> None:
        """Counts the tokens, unless what was counted is being written: then they wait for the next."""
        if self._flushing.acquire(blocking=False):
            try:
                self._count()
                if len(self._uses) >= _USED:
                    self._hurried.set()
            finally:
                self._flushing.release()

    def _count(self) -> None:
        while self._issued:
            event = self._issued.popleft()
            client = event.issued_to or event.proved
            assert client is not None
            use = self._uses.setdefault((event.realm_id, client, event.credential), Use())
            use.tokens += event.issued_to is not None
            if event.time >= use.last:
                use.last, use.address = int(event.time), event.address[:LONGEST]


def _shortened(event: Event) -> Event:
    """`event` without what is too long to wait in memory."""
    texts = {name: getattr(event, name) for name in ("address", "client_id", "user_id", "session_id")}
    cut = {name: text[:LONGEST] for name, text in texts.items() if text is not None and len(text) > LONGEST}
    if any(len(text) > LONGEST for text in event.details.values()):
        cut["details"] = {name: text[:LONGEST] for name, text in event.details.items()}
    return replace(event, **cut) if cut else event
