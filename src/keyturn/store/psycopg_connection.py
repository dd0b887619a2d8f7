"""psycopg's connection as the store wants it: its statements and texts, and an end to waiting."""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import lru_cache
from time import monotonic
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors, pq

_T = TypeVar("_T")

_LONGEST: Final = 60.0
"""Seconds that anything may take: more than the database itself gives a statement."""

_NUL: Final = "\0"
_MARK: Final = "\uffff"
"""PostgreSQL's text has no NUL: it stands there as this, which is no character, and a zero."""

_VALUES: Final = re.compile(r"(?<=VALUES )\((?:\?, )*\?\)")
_PARAMETERS: Final = 10_000
"""Values in one statement; PostgreSQL takes up to 65,535."""

GivenUp = Callable[[], bool]
"""Whether the database is out of reach; asked ten times a second by whoever waits for an answer."""


class NoAnswer(psycopg.OperationalError):
    """Nobody waits for an answer any more; the connection is closed."""


class Driver(psycopg.Connection[Any]):
    """A connection that waits no longer than ``longest`` seconds, nor when it is ``given_up``."""

    longest: float = _LONGEST
    given_up: GivenUp = staticmethod(lambda: False)

    def wait(self, gen: Generator[Any, Any, _T], *args: Any, **options: Any) -> _T:
        try:
            return super().wait(self._within(gen), *args, **options)
        except NoAnswer:
            self.pgconn.finish()
            raise

    def _within(self, gen: Generator[Any, Any, _T]) -> Generator[Any, Any, _T]:
        until = monotonic() + self.longest
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and (monotonic() >= until or self.given_up()):
                    raise NoAnswer("no answer in time")
                wanted = gen.send(ready)
        except StopIteration as end:
            value: _T = end.value
            return value


def connect(
    parameters: Mapping[str, Any], longest: float = _LONGEST, given_up: GivenUp | None = None
) -> "PsycopgConnection":
    """A connection that begins no transaction by itself. Raises the driver's errors."""
    if given_up is not None and given_up():
        raise NoAnswer("nobody answers")
    driver = Driver.connect(autocommit=True, **parameters)
    driver.longest = longest
    if given_up is not None:
        driver.given_up = given_up
    if driver.info.parameter_status("server_encoding") != "UTF8":
        driver.close()
        raise errors.CharacterNotInRepertoire("server_encoding")
    return PsycopgConnection(driver)


class PsycopgConnection:
    """The driver's connection under the statements of ``keyturn.store.sql_text``."""

    __slots__ = ("driver", "reads")

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.reads = False
        """Whether the transaction writes nothing."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> "PsycopgCursor":
        if not values:
            return PsycopgCursor(self.driver.execute(statement.encode()))
        return PsycopgCursor(self.driver.execute(_placed(statement), _sent(values)))

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]], /) -> "PsycopgCursor":
        """Executes it with many rows at a time where it has VALUES, else with one.

        Never in a pipeline: PostgreSQL does not count as idle who falls silent in the middle of one, and lets that hold
        what it has locked for ever.
        """
        cursor = PsycopgCursor(self.driver.cursor())
        if (found := _VALUES.search(statement)) is None:
            for row in rows:
                cursor = self.execute(statement, row)
            return cursor
        values, most = found.group(), max(_PARAMETERS // found.group().count("?"), 1)
        for start in range(0, len(rows), most):
            chunk = rows[start : start + most]
            many = ", ".join([values] * len(chunk))
            cursor = self.execute(statement.replace(values, many), [value for row in chunk for value in row])
        return cursor

    def commit(self) -> None:
        self.driver.commit()

    def rollback(self) -> None:
        # The driver forgets its prepared statements, and has the database forget them, at each ROLLBACK: what was only
        # read can as well be committed.
        if self.reads and self.driver.info.transaction_status == pq.TransactionStatus.INTRANS:
            self.driver.commit()
        else:
            self.driver.rollback()

    def close(self) -> None:
        self.driver.close()


class PsycopgCursor:
    __slots__ = ("_driver",)

    def __init__(self, driver: "psycopg.Cursor[Any]") -> None:
        self._driver = driver

    @property
    def rowcount(self) -> int:
        return self._driver.rowcount

    def fetchone(self) -> Any:
        row = self._driver.fetchone()
        return None if row is None else _received(row)

    def fetchall(self) -> list[Any]:
        return [_received(row) for row in self._driver.fetchall()]


@lru_cache(maxsize=1024)
def _placed(statement: str) -> bytes:
    """`statement` with the driver's placeholders; ``?`` and ``%`` stand nowhere else in one."""
    return statement.replace("?", "%s").encode()


def _sent(values: Sequence[Any]) -> Sequence[Any]:
    if any(isinstance(value, str) and (_NUL in value or _MARK in value) for value in values):
        return [_without_nul(value) if isinstance(value, str) else value for value in values]
    return values


def _received(row: tuple[Any, ...]) -> tuple[Any, ...]:
    if any(isinstance(value, str) and _MARK in value for value in row):
        return tuple(_with_nul(value) if isinstance(value, str) else value for value in row)
    return row


def _without_nul(text: str) -> str:
    return text.replace(_MARK, _MARK * 2).replace(_NUL, f"{_MARK}0")


def _with_nul(text: str) -> str:
    return _MARK.join(part.replace(f"{_MARK}0", _NUL) for part in text.split(_MARK * 2))
