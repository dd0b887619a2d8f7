"""Moves a whole database into an empty one of whichever kind: every row as it is, secrets sealed as they are."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from keyturn.store.schema import ALL, META, REVISION, SCHEMA_VERSION, Table
from keyturn.store.spi import StoreError
from keyturn.store.sql import SqlStore
from keyturn.store.sql_reader import SqlReader
from keyturn.store.sql_transaction import SqlTransaction

_PAGE: Final = 500
_OWN: Final = (META, SCHEMA_VERSION, REVISION)
"""What the other database has already: both are of one schema and one seal key."""


class NotEmpty(StoreError):
    """There is something in the database already."""


class NotTheSame(StoreError):
    """What was written is not what was read: nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One table's rows: how many, and what SHA-256 makes of all of them in order."""

    table: str
    rows: int
    digest: str


def move(source: SqlStore, target: SqlStore) -> list[Moved]:
    """Copies everything in one transaction, reads it back, and compares before it commits.

    Nobody writes to `source` meanwhile. Both have the same schema and seal key.

    Raises:
        NotEmpty: `target` has realms, or had.
        NotTheSame: the copy differs.
        StoreError: one of them cannot be read or written.
    """
    with source.whole() as original, target.whole() as copy:
        if copy.revision:
            raise NotEmpty("there is something in the database already: only an empty one is moved into")
        moved = [_copied(table, original, copy) for table in ALL if table not in _OWN]
        copy.continue_from(original.revision)
        for known in moved:
            if (found := _digested(copy, known.table)) != known:
                raise NotTheSame(f"the copy of {known.table} differs: {found.rows} rows, not {known.rows}")
    return moved


def digests(reader: SqlReader) -> list[Moved]:
    """What there is of everything that ``move`` would take along."""
    return [_digested(reader, table.name) for table in ALL if table not in _OWN]


def _copied(table: Table, original: SqlTransaction, copy: SqlTransaction) -> Moved:
    count, digest = 0, hashlib.sha256()
    for rows in _pages(table, original):
        copy.put_rows(table, rows)
        count += len(rows)
        _feed(digest, rows)
    return Moved(table.name, count, digest.hexdigest())


def _digested(reader: SqlReader, name: str) -> Moved:
    table = next(table for table in ALL if table.name == name)
    count, digest = 0, hashlib.sha256()
    for rows in _pages(table, reader):
        count += len(rows)
        _feed(digest, rows)
    return Moved(name, count, digest.hexdigest())


def _feed(digest: Any, rows: list[Any]) -> None:
    digest.update(msgspec.json.encode([tuple(row) for row in rows])[1:-1] + b",")


def _pages(table: Table, reader: SqlReader) -> Iterator[list[Any]]:
    """All rows by the primary key, some at a time."""
    places = [[column.name for column in table.columns].index(name) for name in table.primary_key]
    last: tuple[Any, ...] | None = None
    while rows := reader.rows_after(table, last, _PAGE):
        yield rows
        last = tuple(rows[-1][place] for place in places)
