"""Reading: one consistent view of the database, in SQL that every backend speaks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from keyturn.representations import decode
from keyturn.store.connections import Connection
from keyturn.store.dialect import Dialect
from keyturn.store.schema import LOG_TABLES, TABLES, Table
from keyturn.store.sealing import Sealing
from keyturn.store.spi import (
    Change,
    ClientUse,
    Collection,
    D,
    Duplicate,
    Entries,
    Log,
    P,
    Relation,
    StoreError,
    Unavailable,
)
from keyturn.store.sql_text import Where, page, quoted

_RELATED: Final = 'SELECT {wanted} FROM "relation" WHERE "realm_id" = ? AND "relation" = ?{end} ORDER BY "position"'
_PAIRS: Final = _RELATED.format(wanted='"source", "target"', end="")
_TARGETS: Final = _RELATED.format(wanted='"target"', end=' AND "source" = ?')
_SOURCES: Final = _RELATED.format(wanted='"source"', end=' AND "target" = ?')
_MARKED: Final = 'FROM "once" WHERE "namespace" = ? AND "until" > ?'
_USES: Final = 'SELECT "realm_id", "client", "tokens", "last", "credential", "address" FROM "client_use"'
_CHANGE: Final = '"revision", "realm_id", "kind", "id"'
_CHANGES: Final = f'SELECT {_CHANGE} FROM "change" WHERE "revision" > ? ORDER BY {_CHANGE}'

CHUNK: Final = 500
"""Ids in one statement; far below every backend's limit of parameters."""

_FEW: Final = 500
"""Documents that are found by their ids and sorted, rather than looked for in their order."""


class SqlReader:
    """A view of the store over one connection with an open transaction."""

    def __init__(self, connection: Connection, dialect: Dialect, sealing: Sealing) -> None:
        self._connection = connection
        self._dialect = dialect
        self._sealing = sealing
        self._broken: StoreError | None = None
        self.revision: int = self._newest()

    def get(self, collection: Collection[D], realm_id: str, id: str) -> D | None:  # noqa: A002 - Keycloak's name
        return self.find(collection, realm_id, id=id)

    def get_many(self, collection: Collection[D], realm_id: str, ids: Iterable[str]) -> list[D]:
        wanted = list(dict.fromkeys(ids))
        found: dict[str, D] = {}
        for start in range(0, len(wanted), CHUNK):
            where = Where().equal("realm_id", realm_id).among("id", wanted[start : start + CHUNK])
            for row in self._rows(f"{_documents(collection.name)}{where}", where.values):
                found[row[1]] = self._document(collection, row)
        return [found[id_] for id_ in wanted if id_ in found]

    def keys_of(
        self,
        collection: Collection[D],
        realm_id: str,
        names: Sequence[str],
        ids: Iterable[str] | None = None,
        *,
        where: dict[str, str | None] | None = None,
    ) -> Sequence[tuple[str | None, ...]]:
        if ids is None and where is not None and None not in where.values():
            return self._rows(_listing(collection.name, tuple(names), tuple(where)), (*where.values(), realm_id))
        statement = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(collection.name)}"
        if ids is None:
            chosen = self._where(realm_id, where, None, ())
            return self._rows(f'{statement}{chosen} ORDER BY "sequence"', chosen.values)
        wanted, found = list(ids), []
        for start in range(0, len(wanted), CHUNK):
            chosen = self._where(realm_id, where, None, ()).among("id", wanted[start : start + CHUNK])
            found += self._rows(f"{statement}{chosen}", chosen.values)
        return found

    def parts(
        self,
        collection: Collection[D],
        realm_id: str | None,
        part: type[P],
        *,
        where: dict[str, str | None] | None = None,
        like: dict[str, str] | None = None,
        any_like: Sequence[dict[str, str]] = (),
        order_by: str | None = None,
        first: int = 0,
        limit: int | None = None,
    ) -> Sequence[P]:
        chosen = self._where(realm_id, where, like, any_like)
        table = quoted(TABLES[collection.name].name)
        statement = f'SELECT "document" FROM {table}{chosen} ORDER BY {_order(collection, order_by)}'
        try:
            return [decode(row[0], part) for row in self._page(statement, chosen, first, limit)]
        except ValueError:  # msgspec's text may quote the document
            raise Unavailable(f"a stored {collection.name} is damaged") from None

    def find(self, collection: Collection[D], realm_id: str | None, **keys: str) -> D | None:
        values = (*keys.values(),) if realm_id is None else (*keys.values(), realm_id)
        rows = self._rows(_finding(collection.name, tuple(keys), realm_id is not None), values)
        return self._document(collection, rows[0]) if rows else None

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
        chosen = self._where(realm_id, where, like, any_like)
        statement = f"{_documents(collection.name)}{chosen} ORDER BY {_order(collection, order_by)}"
        return [self._document(collection, row) for row in self._page(statement, chosen, first, limit)]

    def count(
        self,
        collection: Collection[D],
        realm_id: str | None,
        *,
        where: dict[str, str | None] | None = None,
        like: dict[str, str] | None = None,
        any_like: Sequence[dict[str, str]] = (),
    ) -> int:
        chosen = self._where(realm_id, where, like, any_like)
        return int(self._one(f"SELECT count(*) FROM {quoted(collection.name)}{chosen}", chosen.values))

    def targets(self, relation: Relation, realm_id: str, source: str) -> list[str]:
        return [row[0] for row in self._rows(_TARGETS, (realm_id, relation.value, source))]

    def targets_of(self, relation: Relation, realm_id: str, sources: Iterable[str]) -> Mapping[str, list[str]]:
        wanted, found = list(sources), dict[str, list[str]]()
        for start in range(0, len(wanted), CHUNK):
            chosen = Where().equal("realm_id", realm_id).equal("relation", relation.value)
            chosen.among("source", wanted[start : start + CHUNK])
            statement = f'SELECT "source", "target" FROM "relation"{chosen} ORDER BY "position"'
            for source, target in self._rows(statement, chosen.values):
                found.setdefault(source, []).append(target)
        return found

    def sources(self, relation: Relation, realm_id: str, target: str) -> list[str]:
        return [row[0] for row in self._rows(_SOURCES, (realm_id, relation.value, target))]

    def page_of_sources(
        self,
        collection: Collection[D],
        relation: Relation,
        realm_id: str,
        target: str,
        *,
        order_by: str,
        first: int = 0,
        limit: int | None = None,
    ) -> Sequence[D]:
        values = (realm_id, relation.value, target)
        few = self._rows(f"{_SOURCES} LIMIT {_FEW + 1}", values)
        chosen = Where().equal("realm_id", realm_id)
        if len(few) <= _FEW:
            chosen.among("id", [row[0] for row in few])
        else:  # so many that those who are looked at in order soon fill the page
            chosen.linked(*values)
        statement = f"{_documents(collection.name)}{chosen} ORDER BY {_order(collection, order_by)}"
        return [self._document(collection, row) for row in self._page(statement, chosen, first, limit)]

    def is_used(self, namespace: str, key: str, now: int) -> bool:
        return bool(self._rows(f'SELECT 1 {_MARKED} AND "key" = ?', (namespace, now, key)))

    def used(self, namespace: str, now: int) -> Sequence[tuple[str, int]]:
        return [(row[0], row[1]) for row in self._rows(f'SELECT "key", "until" {_MARKED}', (namespace, now))]

    def pairs(self, relation: Relation, realm_id: str) -> list[tuple[str, str]]:
        return [(row[0], row[1]) for row in self._rows(_PAIRS, (realm_id, relation.value))]

    def entries(self, log: Log[D], realm_id: str, wanted: Entries) -> Sequence[D]:
        chosen = _chosen(realm_id, wanted)
        order = '"time" DESC, "sequence" DESC' if wanted.newest_first else '"time", "sequence"'
        statement = f'SELECT "document" FROM {quoted(LOG_TABLES[log.name].name)}{chosen} ORDER BY {order}'
        rows = self._page(statement, chosen, wanted.first, wanted.limit)
        return [decode(row[0], log.document) for row in rows]

    def uses(self, realm_id: str, clients: Iterable[str]) -> Sequence[ClientUse]:
        wanted, found = list(clients), []
        for start in range(0, len(wanted), CHUNK):
            where = Where().equal("realm_id", realm_id).among("client", wanted[start : start + CHUNK])
            found += [ClientUse(*row) for row in self._rows(f"{_USES}{where}", where.values)]
        return found

    def changes_since(self, revision: int) -> Sequence[Change] | None:
        """The entries after `revision`; None where the log no longer reaches back so far, or not yet."""
        if revision == self.revision:
            return []
        oldest = self._one('SELECT min("revision") FROM "change"')
        if oldest is None or not oldest - 1 <= revision < self.revision:
            return None
        return [Change(*row) for row in self._rows(_CHANGES, (revision,))]

    def rows_after(self, table: Table, last: Sequence[Any] | None, size: int) -> list[Any]:
        """At most `size` whole rows by the primary key, after the one with these values."""
        return self._rows(page(table, first=last is None, size=size), last or ())

    def _document(self, collection: Collection[D], row: Any) -> D:
        realm_id, id_, document = row
        try:
            return self._sealing.document(collection, realm_id, id_, document)
        except ValueError:  # msgspec's errors and the seal's; the former's text may quote the document
            raise Unavailable(f"the stored {collection.name} {id_} is damaged or of another seal key") from None

    def _page(self, statement: str, chosen: Where, first: int, limit: int | None) -> list[Any]:
        if limit is None and not first:
            return self._rows(statement, chosen.values)
        most = self._dialect.no_limit if limit is None else str(int(limit))
        return self._rows(f"{statement} LIMIT {most} OFFSET {int(first)}", chosen.values)

    def _where(
        self,
        realm_id: str | None,
        where: dict[str, str | None] | None,
        like: dict[str, str] | None,
        any_like: Sequence[dict[str, str]],
    ) -> Where:
        chosen = Where()
        if realm_id is not None:
            chosen.equal("realm_id", realm_id)
        for name, value in (where or {}).items():
            chosen.equal(name, value)
        for patterns in (*({name: pattern} for name, pattern in (like or {}).items()), *any_like):
            chosen.alike(patterns, self._dialect.lowered)
        return chosen

    def _newest(self) -> int:
        return int(self._one('SELECT "value" FROM "revision"'))

    def _one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        return self._rows(statement, values)[0][0]

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        # Without a context manager, as there are thousands in a list of many.
        if self._broken is not None:
            raise self._broken
        try:
            return self._connection.execute(statement, values).fetchall()
        except self._dialect.errors as error:
            raise self._failed(error) from None

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Runs nothing more after any error but Duplicate, since the database may have ended the transaction."""
        if self._broken is not None:
            raise self._broken
        try:
            yield
        except self._dialect.errors as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> StoreError:
        """`error` of the database in the store's terms; whatever it is but Duplicate stays."""
        failure = self._dialect.translate(error)
        if not isinstance(failure, Duplicate):
            self._broken = failure
        return failure


@cache
def _documents(collection: str) -> str:
    return f'SELECT "realm_id", "id", "document" FROM {quoted(TABLES[collection].name)}'


@cache
def _finding(collection: str, keys: tuple[str, ...], in_realm: bool) -> str:
    """Looks for one document by `keys`, whose values come first."""
    return f"{_documents(collection)} WHERE {_equal((*keys, 'realm_id') if in_realm else keys)} LIMIT 1"


@cache
def _listing(collection: str, names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    """Lists columns of the documents of a realm by `keys`, whose values come first."""
    wanted = ", ".join(map(quoted, names))
    return f'SELECT {wanted} FROM {quoted(collection)} WHERE {_equal((*keys, "realm_id"))} ORDER BY "sequence"'


def _equal(names: Iterable[str]) -> str:
    return " AND ".join(f"{quoted(name)} = ?" for name in names)


def _order(collection: Collection[Any], key: str | None) -> str:
    """By `key`, documents without it first; a unique one is in all that are ordered by it, and has an index."""
    if key is None:
        return '"sequence"'
    absent = "" if any(each.unique for each in collection.keys if each.name == key) else " NULLS FIRST"
    return f'{quoted(key)}{absent}, "sequence"'


def _chosen(realm_id: str, wanted: Entries) -> Where:
    chosen = Where().equal("realm_id", realm_id)
    for name, values in wanted.any_of.items():
        chosen.among(name, values)
    for name, pattern in wanted.like.items():
        chosen.like(name, pattern)
    if wanted.since is not None:
        chosen.compared("time", ">=", wanted.since)
    if wanted.until is not None:
        chosen.compared("time", "<=", wanted.until)
    return chosen
