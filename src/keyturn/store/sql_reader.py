"""Reading: one consistent view of the database, in SQL that every backend speaks."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Insert,
    Select,
    Table,
    bindparam,
    false,
    func,
    or_,
)
from sqlalchemy import select as select_
from sqlalchemy.exc import SQLAlchemyError

from keyturn.representations import decode
from keyturn.store.schema import CHANGE, CLIENT_USE, LOG_TABLES, ONCE, RELATION, REVISION, TABLES
from keyturn.store.sealing import Sealing
from keyturn.store.spi import (
    Change,
    ClientUse,
    Collection,
    D,
    Duplicate,
    Entries,
    Log,
    Relation,
    StoreError,
    Unavailable,
)

_OF_RELATION = (RELATION.c.realm_id == bindparam("in_realm"), RELATION.c.relation == bindparam("of_relation"))
_PAIRS = select_(RELATION.c.source, RELATION.c.target).where(*_OF_RELATION).order_by(RELATION.c.position)
_TARGETS = _PAIRS.where(RELATION.c.source == bindparam("of_source"))
_SOURCES = _PAIRS.where(RELATION.c.target == bindparam("of_target"))

_CHUNK = 500
"""Ids in one statement; far below every backend's limit of parameters."""


class Dialect(Protocol):
    """What differs between databases."""

    busy_timeout: float
    """Seconds for which a writer waits for others."""

    def begin_read(self, connection: Connection) -> None:
        """Begins a transaction whose view does not change."""
        ...

    def begin_write(self, connection: Connection) -> None:
        """Begins a transaction that may write. Waits for other writers."""
        ...

    def begin_exclusive(self, connection: Connection) -> None:
        """Begins a transaction that changes the schema."""
        ...

    def insert_absent(self, table: Table) -> Insert:
        """INSERT that does nothing where a unique key is taken."""
        ...

    def translate(self, error: SQLAlchemyError) -> StoreError:
        """The error in the store's terms, without any value of the statement in its text."""
        ...

    def closing(self, connection: Connection) -> None:
        """What is due before the database is closed."""
        ...


@contextmanager
def translated(dialect: Dialect) -> Iterator[None]:
    """Turns the database's errors into the store's."""
    try:
        yield
    except SQLAlchemyError as error:
        raise dialect.translate(error) from None


class SqlReader:
    """A view of the store over one connection with an open transaction."""

    def __init__(self, connection: Connection, dialect: Dialect, sealing: Sealing) -> None:
        self._connection = connection
        self._dialect = dialect
        self._sealing = sealing
        self._broken: StoreError | None = None
        self.revision: int = self._run(select_(REVISION.c.value)).scalar_one()

    def get(self, collection: Collection[D], realm_id: str, id: str) -> D | None:  # noqa: A002 - Keycloak's name
        return self.find(collection, realm_id, id=id)

    def get_many(self, collection: Collection[D], realm_id: str, ids: Iterable[str]) -> list[D]:
        wanted = list(dict.fromkeys(ids))
        table = TABLES[collection.name]
        found: dict[str, D] = {}
        for start in range(0, len(wanted), _CHUNK):
            rows = _rows(table, realm_id).where(table.c.id.in_(wanted[start : start + _CHUNK]))
            for row in self._run(rows):
                found[row.id] = self._document(collection, row)
        return [found[id_] for id_ in wanted if id_ in found]

    def find(self, collection: Collection[D], realm_id: str | None, **keys: str) -> D | None:
        values = keys if realm_id is None else {**keys, "in_realm": realm_id}
        row = self._run(_finding(collection.name, tuple(keys), realm_id is not None), values).first()
        return None if row is None else self._document(collection, row)

    def select(
        self,
        collection: Collection[D],
        realm_id: str | None,
        *,
        where: dict[str, str | None] | None = None,
        like: dict[str, str] | None = None,
        any_like: Sequence[dict[str, str]] = (),
        order_by: str | None = None,
        first: int = 0,
        limit: int | None = None,
    ) -> Sequence[D]:
        table = TABLES[collection.name]
        statement = _rows(table, realm_id).where(*_conditions(table, where, like, any_like))
        order = (table.c.sequence,) if order_by is None else (table.c[order_by], table.c.sequence)
        statement = statement.order_by(*order).offset(first or None).limit(limit)
        return [self._document(collection, row) for row in self._run(statement)]

    def count(
        self,
        collection: Collection[D],
        realm_id: str | None,
        *,
        where: dict[str, str | None] | None = None,
        like: dict[str, str] | None = None,
        any_like: Sequence[dict[str, str]] = (),
    ) -> int:
        table = TABLES[collection.name]
        statement = select_(func.count()).select_from(table).where(*_conditions(table, where, like, any_like))
        if realm_id is not None:
            statement = statement.where(table.c.realm_id == realm_id)
        return int(self._run(statement).scalar_one())

    def targets(self, relation: Relation, realm_id: str, source: str) -> list[str]:
        values = {"in_realm": realm_id, "of_relation": relation.value, "of_source": source}
        return [row.target for row in self._run(_TARGETS, values)]

    def sources(self, relation: Relation, realm_id: str, target: str) -> list[str]:
        values = {"in_realm": realm_id, "of_relation": relation.value, "of_target": target}
        return [row.source for row in self._run(_SOURCES, values)]

    def is_used(self, namespace: str, key: str, now: int) -> bool:
        statement = select_(ONCE.c.until).where(ONCE.c.namespace == namespace, ONCE.c.key == key, ONCE.c.until > now)
        return self._run(statement).first() is not None

    def used(self, namespace: str, now: int) -> Sequence[tuple[str, int]]:
        statement = select_(ONCE.c.key, ONCE.c.until).where(ONCE.c.namespace == namespace, ONCE.c.until > now)
        return [(row.key, row.until) for row in self._run(statement)]

    def pairs(self, relation: Relation, realm_id: str) -> list[tuple[str, str]]:
        values = {"in_realm": realm_id, "of_relation": relation.value}
        return [(row.source, row.target) for row in self._run(_PAIRS, values)]

    def entries(self, log: Log[D], realm_id: str, wanted: Entries) -> Sequence[D]:
        table = LOG_TABLES[log.name]
        statement = select_(table.c.document).where(table.c.realm_id == realm_id, *_chosen(table, wanted))
        order = (table.c.time, table.c.sequence)
        statement = statement.order_by(*(column.desc() for column in order) if wanted.newest_first else order)
        rows = self._run(statement.offset(wanted.first or None).limit(wanted.limit))
        return [decode(row.document, log.document) for row in rows]

    def uses(self, realm_id: str, clients: Iterable[str]) -> Sequence[ClientUse]:
        wanted, found = list(clients), []
        for start in range(0, len(wanted), _CHUNK):
            statement = select_(CLIENT_USE).where(
                CLIENT_USE.c.realm_id == realm_id, CLIENT_USE.c.client.in_(wanted[start : start + _CHUNK])
            )
            found += [ClientUse(row.realm_id, row.client, row.tokens, row.last) for row in self._run(statement)]
        return found

    def changes_since(self, revision: int) -> Sequence[Change] | None:
        """The entries after `revision`; None where the log no longer reaches back so far, or not yet."""
        if revision == self.revision:
            return []
        oldest = self._run(select_(func.min(CHANGE.c.revision))).scalar_one()
        if oldest is None or not oldest - 1 <= revision < self.revision:
            return None
        entries = select_(CHANGE.c.revision, CHANGE.c.realm_id, CHANGE.c.kind, CHANGE.c.id)
        entries = entries.where(CHANGE.c.revision > revision).order_by(CHANGE.c.revision)
        return [Change(row.revision, row.realm_id, row.kind, row.id) for row in self._run(entries)]

    def _document(self, collection: Collection[D], row: Any) -> D:
        try:
            return self._sealing.document(collection, row.realm_id, row.id, row.document)
        except ValueError:  # msgspec's errors and the seal's; the former's text may quote the document
            raise Unavailable(f"the stored {collection.name} {row.id} is damaged or of another seal key") from None

    def _run(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Executes; nothing more after any error but Duplicate, since the database may have ended the transaction."""
        if self._broken is not None:
            raise self._broken
        try:
            with translated(self._dialect):
                return self._connection.execute(statement, values)
        except Duplicate:
            raise
        except StoreError as error:
            self._broken = error
            raise


@cache
def _finding(collection: str, keys: tuple[str, ...], in_realm: bool) -> Select[Any]:
    """Looks for one document by `keys`. Kept, because making a statement takes longer than running it."""
    table = TABLES[collection]
    statement = select_(table.c.realm_id, table.c.id, table.c.document).limit(1)
    if in_realm:
        statement = statement.where(table.c.realm_id == bindparam("in_realm"))
    return statement.where(*(table.c[name] == bindparam(name) for name in keys))


def _rows(table: Table, realm_id: str | None) -> Select[Any]:
    rows = select_(table.c.realm_id, table.c.id, table.c.document)
    return rows if realm_id is None else rows.where(table.c.realm_id == realm_id)


def _conditions(
    table: Table,
    where: dict[str, str | None] | None,
    like: dict[str, str] | None,
    any_like: Sequence[dict[str, str]],
) -> Iterator[ColumnElement[bool]]:
    for name, value in (where or {}).items():
        yield table.c[name].is_(None) if value is None else table.c[name] == value
    for name, pattern in (like or {}).items():
        yield _alike(table, name, pattern)
    for patterns in any_like:
        yield or_(false(), *(_alike(table, name, pattern) for name, pattern in patterns.items()))


def _chosen(table: Table, wanted: Entries) -> Iterator[ColumnElement[bool]]:
    for name, values in wanted.any_of.items():
        yield table.c[name].in_(values)
    for name, pattern in wanted.like.items():
        yield table.c[name].like(pattern, escape="\\")
    if wanted.since is not None:
        yield table.c.time >= wanted.since
    if wanted.until is not None:
        yield table.c.time <= wanted.until


def _alike(table: Table, name: str, pattern: str) -> ColumnElement[bool]:
    """Both sides are lowered as Unicode says; LIKE itself only knows ASCII on SQLite and no folding on PostgreSQL."""
    return func.lower(table.c[name]).like(pattern.lower(), escape="\\")
