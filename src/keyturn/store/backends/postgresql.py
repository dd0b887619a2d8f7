"""PostgreSQL, or what speaks its wire: one database for any number of nodes (docs/adr/0003).

Needs the extra ``postgresql``; imported only where such a database is named.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import inf
from types import MappingProxyType
from typing import Any, Final
from zlib import crc32

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from keyturn.store.connections import Connection, Connections
from keyturn.store.dialect import Dialect, translated
from keyturn.store.opening import prepared
from keyturn.store.psycopg_connection import PsycopgConnection, connect
from keyturn.store.revisions import Revisions
from keyturn.store.schema import Table, Type, key_of_index
from keyturn.store.seal_key import SealKeys
from keyturn.store.shared import Contact, SharedStore, Told
from keyturn.store.spi import Busy, Conflict, Duplicate, StoreError, Unavailable
from keyturn.store.sql import Clock

name: Final = "postgresql"

_BUSY_TIMEOUT: Final = 5.0
"""Seconds for which a writer waits for others, of this node and of the rest."""

_KEPT: Final = 10
"""Connections that stay open. A node has no more threads than that which ask."""

_SOON: Final = 1.5
"""Seconds in which a database that is in reach says what its newest revision is."""

_CHANNEL: Final = "keyturn"
_HEARD: Final = (
    'SELECT "pid", "application_name" FROM pg_catalog.pg_stat_activity'
    """ WHERE "datname" = current_database() AND "application_name" LIKE 'keyturn % heard %'"""
)
_NOTIFY: Final = "SELECT pg_notify('keyturn', '')"

FOLLOWED: Final = (
    'SELECT "value", (SELECT "value" FROM "meta" WHERE "name" = \'seal_key_id\'), extract(epoch FROM clock_timestamp())'
    ' FROM "revision"'
)
"""What a follower asks."""

_SERVED: Final = "hashtext('keyturn serves from ' || current_schema())"
_SERVES: Final = f"SELECT pg_try_advisory_lock_shared({_SERVED})"
_ALONE: Final = f"SELECT pg_try_advisory_xact_lock({_SERVED})"
_SCHEMA: Final = "SELECT pg_advisory_xact_lock(hashtext('keyturn schema'))"

_UNKNOWN: Final = "40003"
_GONE: Final = frozenset({"08", "57", "XX"})
"""SQLSTATE of a commit of which nothing is known, and the classes of those that the server's end cut short."""

_SESSION: Final = MappingProxyType(
    {
        "statement_timeout": "30s",
        "lock_timeout": f"{_BUSY_TIMEOUT:.0f}s",
        # A node that hangs, or is cut off, in the middle of a transaction: the others wait for it as long as for any.
        "idle_in_transaction_session_timeout": "4s",
        "standard_conforming_strings": "on",
        "client_min_messages": "warning",
    }
)

_CONNECTING: Final = MappingProxyType(
    {
        "application_name": "keyturn",
        "connect_timeout": "5",
        "tcp_user_timeout": "3000",  # milliseconds until a network that has gone is noticed
        "keepalives_idle": "5",
        "keepalives_interval": "2",
        "keepalives_count": "3",
    }
)
"""What is asked of the network unless the URL says otherwise."""

_SENTENCES: Final = {
    "25006": "the database is read-only",
    "25P03": "the database has ended a transaction that stood still",
    "3D000": "there is no database of this name",
    "53100": "the disk is full",
    "54000": "a name is longer than the database can index",
    "57014": "the database took too long",
}
_CLASSES: Final = {
    "08": "the connection to the database is lost",
    "28": "the database refuses this user",
    "42501": "access to the database is denied",
    "53": "the database has no resources left",
    "57": "the database is shutting down",
    "58": "the disk of the database cannot be read or written",
    "XX": "the database is damaged",
}


def open_store(url: str, seal: SealKeys, clock: Clock, revisions: Revisions | None = None) -> SharedStore:
    """Opens the database that a URL ``postgresql://…`` names, which must exist. Makes its tables where there are none.

    `revisions` is this process's part of what the processes of one node share.

    Raises Unavailable, Busy, NewerSchema, SealKeyMissing, SealKeyWrong.
    """
    parameters = parameters_of(url)
    contact = Contact()
    connections = Connections(lambda: connect(parameters, given_up=contact.lost), psycopg.Error, _KEPT, _is_lost)
    sealing = prepared(connections, DIALECT, seal)
    with translated(DIALECT), connections.connection() as connection:
        dialect = PostgresqlDialect(notifies=_notifies(connection))
        (schema,) = connection.execute("SELECT current_schema()").fetchone()
    revisions = revisions or Revisions()
    # Each process shows in its connection's name what it has heard: it goes with the connection, and costs no write.
    place, own = f"in {crc32(str(schema).encode()):08x} heard ", f"keyturn {revisions.server} "

    def announcements() -> _Announcements:
        return _Announcements(parameters, dialect, own + place)

    def heard(connection: Connection) -> dict[int, int]:
        with translated(dialect):
            rows = connection.execute(_HEARD).fetchall()
        others = ((pid, told.partition(place)) for pid, told in rows if not told.startswith(own))
        return {pid: int(told[2]) for pid, told in others if told[2].isdecimal()}

    return SharedStore(connections, dialect, sealing, clock, revisions, contact, announcements, heard)


def connected(url: str) -> tuple[Connections, Dialect]:
    """Connections to the database, as it is. Raises Unavailable."""
    parameters = parameters_of(url)
    return Connections(lambda: connect(parameters), psycopg.Error, _KEPT, _is_lost), DIALECT


def parameters_of(url: str) -> dict[str, Any]:
    """What libpq takes for `url`: what it says, and keyturn's time limits where it says nothing. Raises Unavailable."""
    try:
        told = conninfo_to_dict(url)
    except psycopg.Error:
        raise Unavailable("the database's URL is none that PostgreSQL understands") from None
    limits = " ".join(f"-c {setting}={value}" for setting, value in _SESSION.items())
    return {**_CONNECTING, **told, "options": f"{limits} {told.get('options') or ''}".rstrip()}


def _notifies(connection: Connection) -> bool:
    try:
        connection.execute(_NOTIFY)
    except (psycopg.NotSupportedError, errors.UndefinedFunction):
        return False
    except errors.ReadOnlySqlTransaction:  # a standby, which may be promoted
        return True
    return True


def _is_lost(connection: Connection) -> bool:
    return isinstance(connection, PsycopgConnection) and connection.driver.closed


class _Announcements:
    """Listens to what ``PostgresqlDialect.announce`` says, where the database passes it on; else only asks."""

    def __init__(self, parameters: Mapping[str, Any], dialect: "PostgresqlDialect", shown: str) -> None:
        self._dialect = dialect
        self._shown = shown
        with translated(dialect):
            self._connection = connect({**parameters, "connect_timeout": "2"}, longest=_SOON)
            try:
                if dialect.notifies:
                    self._attempt(f"LISTEN {_CHANNEL}")
                if self._attempt(_SERVES) is False:
                    raise Busy("the secrets in the database are being sealed with another key")
            except BaseException:
                self._connection.close()
                raise

    def _attempt(self, statement: str) -> Any:
        """The first value of what not every database can do; None where it cannot, which is no harm."""
        try:
            cursor = self._connection.driver.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
        except psycopg.NotSupportedError:
            return None
        return None if row is None else row[0]

    def newest(self) -> Told:
        with translated(self._dialect):
            revision, seal_key_id, clock = self._connection.execute(FOLLOWED).fetchone()
            return Told(int(revision), seal_key_id, float(clock))

    def wait(self, seconds: float) -> int | None:
        with translated(self._dialect):
            told = [each.payload for each in self._connection.driver.notifies(timeout=seconds, stop_after=1)]
        return max((int(revision) for revision in told if revision.isdecimal()), default=None)

    def tell(self, revision: int) -> None:
        with translated(self._dialect):
            self._connection.execute("SELECT set_config('application_name', ?, false)", (f"{self._shown}{revision}",))

    def close(self) -> None:
        self._connection.close()


class PostgresqlDialect:
    """What is PostgreSQL's own."""

    busy_timeout = _BUSY_TIMEOUT
    errors: type[Exception] = psycopg.Error
    earlier_time = "least(CAST(? AS DOUBLE PRECISION), extract(epoch FROM clock_timestamp()))"
    # Names are ordered, and told apart, by their bytes, whatever the database's own order is.
    types: Mapping[Type, str] = MappingProxyType({Type.NUMBER: "BIGSERIAL", Type.TEXT: 'TEXT COLLATE "C"'})
    lowered = 'lower({} COLLATE "und-x-icu")'
    no_limit = "ALL"
    writes_beside = True
    alembic_url = "postgresql+psycopg://"

    def __init__(self, *, notifies: bool) -> None:
        self.notifies = notifies
        """Whether there is a way to tell others of commits."""

    def begin_read(self, connection: Connection) -> None:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")  # the first statement fixes the view
        _writes(connection, writes=False)

    def begin_write(self, connection: Connection) -> None:
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        _writes(connection, writes=True)

    def revision(self, connection: Connection) -> int:
        # The lock lets one writer in at a time, so that what it reads is true until it commits: without it, two nodes
        # that change the same document would each write what they have read, and the first would be lost.
        return int(connection.execute('SELECT "value" FROM "revision" FOR UPDATE').fetchone()[0])

    def announce(self, connection: Connection, revision: int) -> None:
        if self.notifies:
            connection.execute("SELECT pg_notify(?, ?)", (_CHANNEL, str(revision)))

    def number_from(self, connection: Connection, table: Table) -> None:
        name, number = f'"{table.name}"', table.primary_key[0]
        highest = f'SELECT coalesce(max("{number}"), 0) + 1 FROM {name}'  # noqa: S608 - the schema's own names
        connection.execute(f"SELECT setval(pg_get_serial_sequence(?, ?), ({highest}), false)", (name, number))

    def attempt(self, connection: Connection, statement: str, values: Sequence[Any]) -> int:
        with _going_on_after(errors.UniqueViolation, connection):
            return connection.execute(statement, values).rowcount

    def take_time(self, connection: Connection) -> None:
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")

    def begin_exclusive(self, connection: Connection) -> None:
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        _writes(connection, writes=True)
        self._attempt(connection, _SCHEMA)
        connection.execute("SET LOCAL statement_timeout = 0")  # a table may be large
        assert isinstance(connection, PsycopgConnection)
        connection.driver.longest = inf

    def has_table(self, connection: Connection, name: str) -> bool:
        return bool(connection.execute("SELECT to_regclass(?) IS NOT NULL", (f'"{name}"',)).fetchone()[0])

    def translate(self, error: Exception) -> StoreError:
        state = getattr(error, "sqlstate", None)
        if isinstance(error, errors.UniqueViolation):
            return Duplicate(*key_of_index(error.diag.constraint_name or ""))
        if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected):
            return Conflict("another transaction was in the way")
        if isinstance(error, errors.LockNotAvailable):
            return Busy("the database is locked by another process")
        if isinstance(error, errors.CharacterNotInRepertoire):
            return Unavailable("the database's encoding is not UTF8")
        if state is None:
            return Unavailable(_unreachable(error))
        known = _SENTENCES.get(state) or next((_CLASSES[part] for part in (state, state[:2]) if part in _CLASSES), None)
        return Unavailable(known or f"the database failed: {type(error).__name__}")

    def be_alone(self, connection: Connection) -> None:
        if self._attempt(connection, _ALONE) is False:
            raise Busy("nodes serve from this database: stop them all")

    def _attempt(self, connection: Connection, statement: str) -> Any:
        """As ``_Announcements._attempt``, in a transaction that goes on."""
        with suppress(psycopg.NotSupportedError), _going_on_after(psycopg.NotSupportedError, connection):
            return connection.execute(statement).fetchone()[0]
        return None

    def leaves_in_doubt(self, error: Exception) -> bool:
        state = getattr(error, "sqlstate", None)
        return state is None or state == _UNKNOWN or state[:2] in _GONE

    def driver(self, connection: Connection) -> Any:
        assert isinstance(connection, PsycopgConnection)
        return connection.driver

    def closing(self, connection: Connection) -> None:
        """The database tidies up itself."""


DIALECT: Final = PostgresqlDialect(notifies=True)


@contextmanager
def _going_on_after(refusal: type[psycopg.Error], connection: Connection) -> Iterator[None]:
    """Lets the transaction go on after `refusal` as if nothing had been run. The refusal is raised."""
    connection.execute("SAVEPOINT attempt")  # not in a pipeline: see PsycopgConnection.executemany
    try:
        yield
    except refusal:
        connection.execute("ROLLBACK TO SAVEPOINT attempt")
        raise
    connection.execute("RELEASE SAVEPOINT attempt")


def _writes(connection: Connection, *, writes: bool) -> None:
    assert isinstance(connection, PsycopgConnection)
    connection.reads = not writes


def _unreachable(error: Exception) -> str:
    """Why there is no connection, as libpq tells it: an address and a reason, never a password or a statement."""
    if isinstance(error, psycopg.OperationalError):
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"the database cannot be reached: {lines[0] if lines else 'no reason is told'}"
    return f"the database failed: {type(error).__name__}"
