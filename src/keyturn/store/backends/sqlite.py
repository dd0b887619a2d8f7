"""SQLite: one file in WAL mode, every commit on the disk before it is acknowledged."""

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from keyturn.store.connections import Connection, Connections
from keyturn.store.dialect import Dialect
from keyturn.store.opening import opened
from keyturn.store.revisions import Revisions
from keyturn.store.schema import Table, Type, key_of_index
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Busy, Duplicate, StoreError, Unavailable
from keyturn.store.sql import Clock, SqlStore

name: Final = "sqlite"

_BUSY_TIMEOUT: Final = 5.0
"""Seconds for which a writer waits for a writer of another process."""

_BUSY_PAUSE: Final = 0.001
_PATIENT: Final = f"PRAGMA busy_timeout = {int(_BUSY_TIMEOUT * 1000)}"

_KEPT: Final = 2
"""Connections that stay open; one more for each worker thread that reads at the same moment."""

_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",  # a commit survives a power cut
    "PRAGMA cache_size = -512",  # KiB a connection; the token path does not read here
    "PRAGMA wal_autocheckpoint = 4000",  # pages; what many writes touched is moved once
    "PRAGMA journal_size_limit = 16777216",  # bytes that the log keeps after a checkpoint
    "PRAGMA secure_delete = ON",  # nothing sealed with a former key is left in free pages
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA case_sensitive_like = ON",  # as everywhere else; what regards no case says so
)

_SENTENCES: Final = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_CORRUPT: "the database is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a SQLite database",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_PERM: "access to the database is denied",
}


def open_store(url: str | Path, seal: SealKeys, clock: Clock, revisions: Revisions | None = None) -> SqlStore:
    """Opens the database at a path or ``sqlite:///path``, made with its directory where there is none.

    `revisions` is this process's part of what the processes of one server share; None: it has the database for itself.

    Raises Unavailable, Busy, NewerSchema, SealKeyMissing, SealKeyWrong.
    """
    path = Path(str(url).removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its other files the same mode
    except OSError as error:
        raise Unavailable(f"the database {path} cannot be opened: {error.strerror}") from None
    connections, dialect = connected(path)
    try:
        return opened(connections, dialect, seal, clock, revisions=revisions)
    except Unavailable as error:
        raise Unavailable(f"{path}: {error}") from None


def connected(url: str | Path) -> tuple[Connections, Dialect]:
    """Connections to a database that exists, as it is."""
    path = Path(str(url).removeprefix("sqlite:///"))
    return Connections(lambda: _connect(path), sqlite3.Error, _KEPT), DIALECT


def open_beside(path: Path, seal: SealKeys, clock: Clock) -> SqlStore:
    """Opens, to read it, the database that a server has open: nothing is made, migrated or moved.

    Raises Unavailable, Busy, OtherSchema, SealKeyMissing, SealKeyWrong.
    """
    connections = Connections(lambda: _connect(path), sqlite3.Error, _KEPT)
    return opened(connections, _Beside(), seal, clock, as_it_is=True)


def back_up(path: Path, copy: Path) -> None:
    """Copies the database into the file `copy` as it is at one moment, however many write. Raises StoreError."""
    try:
        with closing(_connect(path)) as source, closing(sqlite3.connect(copy, isolation_level=None)) as target:
            source.backup(target)  # all pages in one step: another would begin anew after each write
            (damage,) = target.execute("PRAGMA quick_check(1)").fetchone()
            target.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
    except sqlite3.Error as error:
        raise DIALECT.translate(error) from None
    if damage != "ok":
        raise Unavailable("the database is damaged")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=_BUSY_TIMEOUT,
        isolation_level=None,  # transactions are begun by this module alone
        check_same_thread=False,  # the pool hands a connection to one thread at a time
        cached_statements=256,
    )
    try:
        connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's own knows ASCII only
        if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise sqlite3.OperationalError("write-ahead logging is not possible here")
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


class _Sqlite:
    busy_timeout = _BUSY_TIMEOUT
    errors: type[Exception] = sqlite3.Error
    earlier_time = "?"
    types: Mapping[Type, str] = MappingProxyType({Type.NUMBER: "INTEGER"})  # rows are numbered only under this name
    lowered = "lower({})"
    no_limit = "-1"
    writes_beside = False
    alembic_url = "sqlite://"

    def begin_read(self, connection: Connection) -> None:
        connection.execute("BEGIN")  # the reader's first statement fixes the view

    def begin_write(self, connection: Connection) -> None:
        # SQLite's own waiting sleeps for up to 100 ms at a time, while the writer of another process takes a few.
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            until = time.monotonic() + _BUSY_TIMEOUT
            while True:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                        raise
                    time.sleep(_BUSY_PAUSE)
                else:
                    return
        finally:
            connection.execute(_PATIENT)

    def revision(self, connection: Connection) -> int:
        return int(connection.execute('SELECT "value" FROM "revision"').fetchone()[0])

    def announce(self, connection: Connection, revision: int) -> None:
        """Nobody can listen."""

    def number_from(self, connection: Connection, table: Table) -> None:
        """The next row has the highest number and one."""

    def attempt(self, connection: Connection, statement: str, values: Sequence[Any]) -> int:
        return connection.execute(statement, values).rowcount  # a statement that fails leaves nothing by itself

    def take_time(self, connection: Connection) -> None:
        """It waits in any case."""

    def begin_exclusive(self, connection: Connection) -> None:
        connection.execute("BEGIN EXCLUSIVE")

    def has_table(self, connection: Connection, name: str) -> bool:
        found = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return connection.execute(found, (name,)).fetchone() is not None

    def translate(self, error: Exception) -> StoreError:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return Unavailable(f"the database failed: {type(error).__name__}")
        if code in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}:
            return Duplicate(*_violated(str(error)))
        primary = code & 0xFF
        if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return Busy("the database is locked by another process")
        return Unavailable(_SENTENCES.get(primary, f"the database failed: {getattr(error, 'sqlite_errorname', code)}"))

    def be_alone(self, connection: Connection) -> None:
        """Who holds the data directory is."""

    def leaves_in_doubt(self, error: Exception) -> bool:
        return False  # it is in this process

    def driver(self, connection: Connection) -> Any:
        return connection

    def closing(self, connection: Connection) -> None:
        # Counts of today's rows would choose the way through tomorrow's: without them, SQLite takes an index wherever
        # there is one.
        connection.execute("DROP TABLE IF EXISTS sqlite_stat1")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class _Beside(_Sqlite):
    def closing(self, connection: Connection) -> None:
        """The server tidies up itself."""


DIALECT: Final = _Sqlite()


def _violated(message: str) -> tuple[str, str]:
    """Collection and key of ``UNIQUE constraint failed: client.realm_id, client.client_id`` or ``…: index 'NAME'``."""
    where = message.partition(": ")[2]
    if where.startswith("index '"):
        return key_of_index(where.removeprefix("index '").removesuffix("'"))
    table, _, column = where.rpartition(", ")[2].partition(".")
    return table, column
