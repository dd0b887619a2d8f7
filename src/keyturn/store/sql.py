"""The store in SQL, the same for every database; what differs between them is in ``backends``."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from threading import Lock
from typing import TypeVar

from keyturn.jose.seal import SealKey
from keyturn.store.collections import COLLECTIONS
from keyturn.store.connections import Connection, Connections
from keyturn.store.dialect import Dialect, earlier, translated
from keyturn.store.retrying import retried
from keyturn.store.revisions import Revisions
from keyturn.store.sealing import Sealing
from keyturn.store.spi import EVERYTHING, Change, Conflict, InDoubt, Reader, StoreError, Transaction
from keyturn.store.sql_reader import SqlReader
from keyturn.store.sql_transaction import SqlTransaction
from keyturn.store.turns import Turns

_R = TypeVar("_R", bound=SqlReader)

Clock = Callable[[], float]
"""Tells the time in epoch seconds, like ``time.time``."""

KEPT_REVISIONS = 10_000
"""How far back the change log reaches after `prune`."""


class SqlStore:
    """A database of documents (``spi.Store``). Any thread may call it."""

    def __init__(
        self,
        connections: Connections,
        dialect: Dialect,
        sealing: Sealing,
        clock: Clock,
        revisions: Revisions | None = None,
    ) -> None:
        self._connections = connections
        self._dialect = dialect
        self._sealing = sealing
        self._clock = clock
        self._turns = Turns()
        self._listeners: tuple[Callable[[Sequence[Change]], None], ...] = ()
        self._revisions = revisions or Revisions()
        self._following = Lock()
        self._timed: Callable[[str, float], None] = lambda _operation, _seconds: None
        self._followed = 0
        """The newest revision that the listeners have heard of."""
        self._words = self._revisions.words()
        """What the other processes had told of when that was read."""

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A view that does not change while it is open. Raises Unavailable."""
        begun = time.perf_counter()
        try:
            with self._reader() as reader:
                yield reader
        finally:
            self._timed("read", time.perf_counter() - begun)

    @contextmanager
    def write(self, *, shared: bool = False) -> Iterator[Transaction]:
        """A transaction; see ``spi.Store.write``. Writers of this process take turns in the order of asking.

        A listener must not write: raises RuntimeError where this thread has a transaction open already.
        """
        begun = time.perf_counter()
        try:
            with self._transaction(shared=shared) as transaction:
                yield transaction
        finally:
            self._timed("write", time.perf_counter() - begun)

    def tell_times(self, timed: Callable[[str, float], None]) -> None:
        """Tells `timed` from now on of each ``read`` and ``write``, and the seconds that it took; in any thread."""
        self._timed = timed

    def subscribe(self, listener: Callable[[Sequence[Change]], None]) -> None:
        """Calls `listener` for each commit from now on, in the order of commits; see ``spi.Store.subscribe``.

        What a listener raises comes out of the `write` block, although that has committed: it should not raise.
        """
        with self._following:
            if not self._listeners:
                words = self._revisions.words()
                with self._reader() as reader:
                    self._followed = reader.revision
                # A process that this one takes the place of may have been killed before it could tell of a commit.
                self._words = self._revisions.put(self._followed, words)
            self._listeners = (*self._listeners, listener)

    def behind(self) -> bool:
        """Whether other processes have told of commits that the listeners have not heard of yet. Quick."""
        return self._revisions.differ(self._words)

    def catch_up(self) -> None:
        """Tells the listeners of what other processes have committed. Raises StoreError: then it is still behind."""
        with self._following:
            self._catch_up()

    @contextmanager
    def following(self, max_staleness: float) -> Iterator[None]:
        """Hears of what other nodes write, none of which has this database; see ``SharedStore``."""
        yield

    def ask_others(self, kind: str) -> None:
        """Has the listeners of other nodes hear of a change of this `kind`; see ``spi.Store.ask_others``."""

    def changes_since(self, revision: int) -> Sequence[Change] | None:
        """The entries after `revision`; None where the log no longer reaches back so far."""
        with self._reader() as reader:
            return reader.changes_since(revision)

    def agreed_time(self, now: float) -> float:
        """`now` by this machine's clock, or what the database's says where that is earlier (epoch seconds).

        What nodes forget for each other is not to be forgotten by the one whose clock is ahead. Raises Unavailable.
        """
        with self._connection(lambda _: None) as connection, translated(self._dialect):
            return earlier(self._dialect, connection, now)

    def prune(self, now: int) -> None:
        """Forgets what expired at `now` (epoch seconds) and all but the last revisions of the change log."""
        with self._transaction() as transaction:
            transaction.prune(now, KEPT_REVISIONS)

    def reseal(self, new: SealKey) -> None:
        """Seals every secret with another key, in one transaction. Raises Busy, Unavailable."""
        sealing = Sealing(new)
        with self._transaction() as transaction:
            transaction.reseal(COLLECTIONS, sealing)
        self._sealing = sealing

    @property
    def seal_key(self) -> SealKey:
        """What secrets are sealed with."""
        return self._sealing.key

    @contextmanager
    def whole(self) -> Iterator[SqlTransaction]:
        """A transaction that sees every row as it is stored, for ``moving``."""
        with self._transaction() as transaction:
            transaction.take_time()
            yield transaction

    def close(self) -> None:
        """Ends the connections, everything written being in the main file.

        Raises Busy, Unavailable where it could not be moved there; it is safe in the log all the same.
        """
        try:
            with translated(self._dialect), self._connections.connection() as connection:
                self._dialect.closing(connection)
        finally:
            self._connections.close()

    @contextmanager
    def _reader(self) -> Iterator[SqlReader]:
        with self._connection(self._dialect.begin_read) as connection:
            yield self._begun(
                connection, self._dialect.begin_read, lambda: SqlReader(connection, self._dialect, self._sealing)
            )

    @contextmanager
    def _transaction(self, *, shared: bool = False) -> Iterator[SqlTransaction]:
        beside = shared and self._dialect.writes_beside
        with nullcontext() if beside else self._turns.turn(self._dialect.busy_timeout):
            with self._connection(self._dialect.begin_write) as connection:
                now = int(self._clock())
                transaction = self._begun(
                    connection,
                    self._dialect.begin_write,
                    lambda: SqlTransaction(connection, self._dialect, self._sealing, now, shared=shared),
                )
                yield transaction
                changes = transaction.finish()
                self._commit(connection)
            if changes:
                self._tell(changes)
        if changes:
            self._told(changes)

    def _commit(self, connection: Connection) -> None:
        try:
            connection.commit()
        except self._dialect.errors as error:
            told = self._dialect.translate(error)
            raise (InDoubt(str(told)) if self._dialect.leaves_in_doubt(error) else told) from None

    def _begun(self, connection: Connection, begin: Callable[[Connection], None], first: Callable[[], _R]) -> _R:
        """What `first`, a transaction's first statement, gives; it is begun anew where others are in its way."""

        def again() -> _R:
            try:
                return first()
            except Conflict:
                with translated(self._dialect):
                    connection.rollback()
                    begin(connection)
                raise

        return retried(again)

    def _tell(self, changes: Sequence[Change]) -> None:
        """Tells the listeners of a commit of this process, after those of others before it; then the others."""
        revision = changes[0].revision
        with self._following:
            if revision == self._followed + 1:
                self._hand_out(changes)
            elif self._listeners and revision > self._followed:
                try:
                    self._catch_up()
                except StoreError:  # it is committed: rather read everything again than miss what others did
                    self._hand_out([Change(revision, "", EVERYTHING, "")])
            self._words = self._revisions.put(revision, self._words)

    def _told(self, changes: Sequence[Change]) -> None:
        """What is due once this process and its siblings know of a commit, while the next writer has the turn."""

    def _catch_up(self) -> None:
        # The words first: what is written meanwhile is read once more rather than missed.
        words = self._revisions.words()
        with self._reader() as reader:
            changes = reader.changes_since(self._followed)
            revision = reader.revision
        if changes is None:
            changes = [Change(revision, "", EVERYTHING, "")]
        self._hand_out(changes)
        self._followed, self._words = revision, words

    def _hand_out(self, changes: Sequence[Change]) -> None:
        if changes:
            for listener in self._listeners:
                listener(changes)
            self._followed = changes[-1].revision

    @contextmanager
    def _connection(self, begin: Callable[[Connection], None]) -> Iterator[Connection]:
        """A connection with a transaction, which is rolled back at the end, unless it was committed."""
        with ExitStack() as stack:
            with translated(self._dialect):
                connection = stack.enter_context(self._connections.connection(begin))
            yield connection
