"""Connections to a database, kept for the next who needs one."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol


class Cursor(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """A connection of a Python database driver (PEP 249) that begins no transaction by itself."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Cursor: ...
    def executemany(self, statement: str, rows: Sequence[Sequence[Any]], /) -> Cursor: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


class Connections:
    """Lends each connection to one user at a time, the one used last first. Any thread may ask."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        errors: type[Exception],
        kept: int,
        lost: Callable[[Connection], bool] = lambda _: False,
    ) -> None:
        """`kept` connections stay open; who finds none left gets a new one.

        `errors` are the driver's. `lost` says of a connection after an error whether it leads nowhere any more.
        """
        self._connect = connect
        self._errors = errors
        self._kept = kept
        self._lost = lost
        self._state = threading.Lock()
        self._idle: list[Connection] = []

    @contextmanager
    def connection(self, begin: Callable[[Connection], None] = lambda _: None) -> Iterator[Connection]:
        """A connection whose transaction, which `begin` begins, is rolled back at the end unless it was committed.

        One that was lost while nobody used it is left for the next. Raises the driver's errors where there is none.
        """
        connection = self._begun(begin)
        try:
            yield connection
        finally:
            self._take_back(connection)

    def _begun(self, begin: Callable[[Connection], None]) -> Connection:
        while True:
            with self._state:
                idle = self._idle.pop() if self._idle else None
            connection = self._connect() if idle is None else idle
            try:
                begin(connection)
            except BaseException:
                was_lost = idle is not None and self._lost(connection)
                self._take_back(connection)
                if not was_lost:
                    raise
            else:
                return connection

    def close(self) -> None:
        """Ends the connections that nobody uses; the others end when they come back."""
        with self._state:
            idle, self._idle, self._kept = self._idle, [], 0
        for connection in idle:
            connection.close()

    def _take_back(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except self._errors:
            connection.close()  # which ends the transaction, too
            return
        with self._state:
            if len(self._idle) < self._kept:
                self._idle.append(connection)
                return
        connection.close()
