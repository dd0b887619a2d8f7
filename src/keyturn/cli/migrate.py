"""``keyturn migrate``: brings a database to the newest schema, or moves everything into another database."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from keyturn.config import Settings, SettingsError
from keyturn.http.serve import seal_keys
from keyturn.http.trial import Trial
from keyturn.jose.seal import SealKey
from keyturn.store.backends import connected, open_store
from keyturn.store.data_directory import DataDirectory
from keyturn.store.moving import move
from keyturn.store.opening import NewerSchema, schema_of
from keyturn.store.schema import VERSION
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import StoreError
from keyturn.store.sql import SqlStore

_SQLITE: Final = "sqlite:"


class Different(StoreError):
    """The moved database answers otherwise than the former one."""


def migrate_schema(settings: Settings, *, dry_run: bool) -> None:
    """Brings the database to this version's schema, and says what that took.

    Args:
        dry_run: does it, to see whether it goes well and how long it takes, and takes it back.

    Raises:
        SettingsError: there is no database.
        StoreError: it cannot be read or written, is of a newer version, or on SQLite the server is running.
    """
    with ExitStack() as stack:
        database: str | Path | None = settings.database
        if database is None:
            database = stack.enter_context(DataDirectory(settings.data)).database
            if not database.exists():
                raise SettingsError(f"there is no database in {settings.data}")
        connections, dialect = connected(database)
        with closing(connections):
            found = schema_of(connections, dialect)
            if found is None:
                raise SettingsError("the database is empty: the first start of a server makes its tables")
            if found > VERSION:
                raise NewerSchema(found)
            if found == VERSION:
                print(f"The schema is {VERSION}, which is this version's: nothing is to be done.")
                return
            from keyturn.store.migrations import migrate, pending  # Alembic is dear to import

            for number, sentence in pending(found):
                print(f"  {number}  {sentence}")
            begun = time.monotonic()
            with connections.connection() as connection:
                migrate(connection, dialect, keep=not dry_run)
            took = f"{time.monotonic() - begun:.1f} s"
            if dry_run:
                print(f"This leads from {found} to {VERSION}: it went well, took {took}, and was taken back.")
            else:
                print(f"The schema is {VERSION} now, and was {found}. That took {took}.")


def move_database(settings: Settings, source: str, target: str) -> None:
    """Moves everything from one database to another, compares the two, and says what was moved.

    Each is ``postgresql://…``, or ``sqlite:`` and a data directory. The seal key stays the same. No server may run on
    the target, nor on a source that is SQLite; those on PostgreSQL can read, but not write, while rows are copied.

    Raises:
        SettingsError: a name that is none, or no database there.
        StoreError: one cannot be read or written, the target is not empty, or the two differ in the end.
    """
    with ExitStack() as stack:
        former = stack.enter_context(_source(settings, source))
        moved_into = stack.enter_context(_target(former, target))
        moved = move(former, moved_into)
        for each in moved:
            print(f"  {each.table:<16} {each.rows:>9}  sha256 {each.digest[:16]}…")
        with Trial(former) as before, Trial(moved_into) as after:
            tokens = other = 0
            for realm, client_id, secret in before.clients():
                answer = after.token(realm, client_id, secret)
                if answer.outcome != before.token(realm, client_id, secret).outcome:
                    raise Different(f"the client {client_id} of the realm {realm} gets another answer than before")
                if answer.token is None:
                    other += 1
                elif before.verifies(realm, answer.token):
                    tokens += 1
                else:
                    raise Different(f"a token of the client {client_id} of the realm {realm} is not accepted as before")
        print(f"All rows are there, and equal. {tokens} clients got a token that the former database's keys verify;")
        print(f"{other} others, which get none by a secret, are refused by both alike.")
        key = former.seal_key
        print(f"Give the servers the same seal key as before, {key.id}; keep the former database until they run.")


@contextmanager
def _source(settings: Settings, name: str) -> Iterator[SqlStore]:
    with ExitStack() as stack:
        database, directory = _place(stack, name, settings)
        if isinstance(database, Path) and not database.exists():
            raise SettingsError(f"--from: there is no database in {database.parent}")
        yield stack.enter_context(closing(open_store(database, seal_keys(settings, directory), time.time)))


@contextmanager
def _target(former: SqlStore, name: str) -> Iterator[SqlStore]:
    key: SealKey = former.seal_key
    with ExitStack() as stack:
        database, directory = _place(stack, name, None)
        keys = SealKeys(directory, key)
        if isinstance(database, Path):
            keys.keep(key)
        yield stack.enter_context(closing(open_store(database, keys, time.time)))


def _place(stack: ExitStack, name: str, settings: Settings | None) -> tuple[str | Path, Path]:
    """The database, and the directory that a seal key would be in; SQLite's is held against servers."""
    flag = "--to" if settings is None else "--from"
    if name.startswith(("postgresql://", "postgres://")):
        return name, Path() if settings is None else settings.data
    if not name.startswith(_SQLITE) or not name.removeprefix(_SQLITE):
        raise SettingsError(f"{flag}: needs sqlite:DIRECTORY or postgresql://…")
    held = stack.enter_context(DataDirectory(Path(name.removeprefix(_SQLITE)).expanduser().absolute()))
    return held.database, held.path
