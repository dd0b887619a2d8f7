"""Writing: changes that happen together, with their entries in the change log."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

from keyturn.representations import encode
from keyturn.store.collections import CLIENTS, SESSIONS
from keyturn.store.connections import Connection
from keyturn.store.dialect import Dialect, translated
from keyturn.store.schema import ALL, CHANGE, CLIENT_USE, ENDS, LOG_TABLES, ONCE, RELATION, TABLES, Table, Type
from keyturn.store.sealing import Resealed, Sealing
from keyturn.store.spi import Change, ClientUse, Collection, D, Duplicate, Log, Relation
from keyturn.store.sql_reader import CHUNK, SqlReader
from keyturn.store.sql_text import Where, insert, insert_whole, marking, names_of, quoted, update

_INSERTS: Final = {name: insert(table) for name, table in (TABLES | LOG_TABLES).items()}
_COLUMNS: Final = {name: names_of(table) for name, table in (TABLES | LOG_TABLES).items()}
_OWN: Final = ("realm_id", "id")
_CHANGED: Final = {name: tuple(each for each in names_of(table) if each not in _OWN) for name, table in TABLES.items()}
_UPDATES: Final = {name: update(table, _CHANGED[name], _OWN) for name, table in TABLES.items()}
_LINK: Final = insert(RELATION, absent=True)
_LOG_CHANGE: Final = insert(CHANGE)
_CREDENTIAL: Final = '"realm_id" = ? AND "client" = ? AND "credential" = ?'
_LATER: Final = (
    '"{0}" = CASE WHEN "client_use"."last" < excluded."last" THEN excluded."{0}" ELSE "client_use"."{0}" END'
)
"""Processes write when they come to it: one that tells of a later use may have been faster."""
_COUNT_USE: Final = (
    'INSERT INTO "client_use" ("realm_id", "client", "credential", "tokens", "last", "address")'
    ' SELECT "realm_id", "id", ?, ?, ?, ? FROM "client" WHERE "realm_id" = ? AND "id" = ?'
    ' ON CONFLICT ("realm_id", "client", "credential") DO UPDATE SET'
    f' "tokens" = "client_use"."tokens" + excluded."tokens", {_LATER.format("address")}, {_LATER.format("last")}'
)
"""Adds to what is known of a credential, if its client is there."""
_PLACE: Final = attrgetter("realm_id", "client", "credential")
_RENAME_USE: Final = f'UPDATE "client_use" SET "credential" = ? WHERE {_CREDENTIAL}'
_RAISE_REVISION: Final = (
    'UPDATE "revision" SET "value" = "value" + 1'
    ' RETURNING "value", (SELECT "value" FROM "meta" WHERE "name" = \'seal_key_id\')'
)


class SqlTransaction(SqlReader):
    """Writes over one connection. The changes wait in memory until `finish` writes them under the next revision.

    ``shared`` ones go on beside each other, and can change nothing that is in the change log.
    """

    def __init__(self, connection: Connection, dialect: Dialect, sealing: Sealing, now: int, *, shared: bool) -> None:
        self._shared = shared
        super().__init__(connection, dialect, sealing)
        self._now = now
        self._changes: dict[tuple[str, str, str], None] = {}  # a set that keeps its order

    def insert(self, collection: Collection[D], realm_id: str, document: D) -> None:
        self._attempt(_INSERTS[collection.name], self._values(collection, realm_id, document))
        self._changed(realm_id, collection.name, _id(document))

    def insert_many(self, collection: Collection[D], realm_id: str, documents: Iterable[D]) -> None:
        """Like `insert` of each, but all or none of them, and faster."""
        documents = list(documents)
        if not documents:
            return
        rows = [self._values(collection, realm_id, document) for document in documents]
        self._run("SAVEPOINT many")
        try:
            self._run_many(_INSERTS[collection.name], rows)
        except Duplicate:  # after any other error there may be no transaction any more to go back in
            self._run("ROLLBACK TO SAVEPOINT many")
            raise
        self._run("RELEASE SAVEPOINT many")
        for document in documents:
            self._changed(realm_id, collection.name, _id(document))

    def update(self, collection: Collection[D], realm_id: str, document: D) -> None:
        row, id_ = self._row(collection, realm_id, document), _id(document)
        values = [*(row[name] for name in _CHANGED[collection.name]), realm_id, id_]
        if self._attempt(_UPDATES[collection.name], values) == 0:
            raise KeyError(id_)
        self._changed(realm_id, collection.name, id_)

    def delete(self, collection: Collection[D], realm_id: str, id: str) -> bool:  # noqa: A002
        if self._delete(collection.name, Where().equal("realm_id", realm_id).equal("id", id)) == 0:
            return False
        self._changed(realm_id, collection.name, id)
        self._unlink_all(collection.name, realm_id, id)
        if collection.name == CLIENTS.name:
            self._delete(CLIENT_USE.name, Where().equal("realm_id", realm_id).equal("client", id))
        return True

    def delete_realm(self, realm_id: str) -> None:
        for table in (*TABLES.values(), *LOG_TABLES.values(), RELATION, CLIENT_USE):
            self._delete(table.name, Where().equal("realm_id", realm_id))
        self._changed(realm_id, "realm", realm_id)

    def link(self, relation: Relation, realm_id: str, source: str, target: str) -> bool:
        if self._run(_LINK, (realm_id, relation.value, source, target)) == 0:
            return False
        self._changed(realm_id, relation.value, source)
        return True

    def link_many(self, relation: Relation, realm_id: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Adds the pairs that are not there yet; faster than `link` of each."""
        rows = [(realm_id, relation.value, source, target) for source, target in pairs]
        if rows:
            self._run_many(_LINK, rows)
        for _, _, source, _ in rows:
            self._changed(realm_id, relation.value, source)

    def unlink(self, relation: Relation, realm_id: str, source: str, target: str) -> bool:
        pair = Where().equal("realm_id", realm_id).equal("relation", relation.value)
        if self._delete(RELATION.name, pair.equal("source", source).equal("target", target)) == 0:
            return False
        self._changed(realm_id, relation.value, source)
        return True

    def use_once(self, namespace: str, key: str, until: int) -> bool:
        return bool(self._rows(self._marking(1), (namespace, key, until, self._now)))

    def use_each_once(self, uses: Sequence[tuple[str, str, int]]) -> list[bool]:
        wanted = {(namespace, key): until for namespace, key, until in reversed(uses)}  # the first of those alike
        rows = [(*name, until) for name, until in sorted(wanted.items())]  # lest two writers wait for each other
        marked: set[tuple[str, str]] = set()
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            values = [value for row in chunk for value in row]
            marked.update((row[0], row[1]) for row in self._rows(self._marking(len(chunk)), (*values, self._now)))
        first = []
        for namespace, key, _ in uses:
            first.append((namespace, key) in marked)
            marked.discard((namespace, key))
        return first

    def _marking(self, count: int) -> str:
        # A clock that is ahead of the others' must not take for over what they still count on.
        return marking(count, self._dialect.earlier_time)

    def announce(self, kind: str, realm_id: str, id: str) -> None:  # noqa: A002
        self._changed(realm_id, kind, id)

    def append(self, log: Log[D], entries: Iterable[tuple[str, D]]) -> None:
        columns = _COLUMNS[log.name]
        rows = [[row[name] for name in columns] for row in (_entry(log, *entry) for entry in entries)]
        if rows:
            self._run_many(_INSERTS[log.name], rows)

    def forget(self, log: Log[D], realm_id: str, before: int | None = None, *, limit: int | None = None) -> int:
        chosen = Where().equal("realm_id", realm_id)
        if before is not None:
            chosen.compared("time", "<", before)
        table = quoted(log.name)
        if limit is None:
            return self._delete(log.name, chosen)
        numbers = f'SELECT "sequence" FROM {table}{chosen} LIMIT {int(limit)}'
        return self._run(f'DELETE FROM {table} WHERE "sequence" IN ({numbers})', chosen.values)

    def count_uses(self, uses: Iterable[ClientUse]) -> None:
        ordered = sorted(uses, key=_PLACE)  # lest two writers wait for each other
        for start in range(0, len(ordered), CHUNK):
            chunk = ordered[start : start + CHUNK]
            counted = [(use.credential, use.tokens, use.last, use.address, use.realm_id, use.client) for use in chunk]
            self._run_many(_COUNT_USE, counted)

    def rename_use(self, realm_id: str, client: str, credential: str, to: str) -> None:
        self._run(f'DELETE FROM "client_use" WHERE {_CREDENTIAL}', (realm_id, client, to))
        self._run(_RENAME_USE, (to, realm_id, client, credential))

    def finish(self) -> Sequence[Change]:
        """Writes the change log under the next revision, which other transactions wait for from here to the commit."""
        if self._broken is not None:
            raise self._broken
        if not self._changes:
            return ()
        if self._shared:
            raise RuntimeError("a transaction beside others changes what they may have read")
        self.revision, key_id = self._rows(_RAISE_REVISION)[0]
        if key_id != self._sealing.key.id:  # whoever sealed anew did not see this server: it was cut off
            raise Resealed
        changes = [Change(self.revision, *change) for change in self._changes]
        self._run_many(_LOG_CHANGE, [(each.revision, each.realm_id, each.kind, each.id) for each in changes])
        with self._guarded():
            self._dialect.announce(self._connection, self.revision)
        return changes

    def reseal(self, collections: Iterable[Collection[Any]], new: Sealing) -> None:
        """Seals every secret with another key, and names that key as the database's. Raises Busy: nodes use it."""
        with self._guarded():
            self._dialect.be_alone(self._connection)
        for collection in collections:
            table = quoted(collection.name)
            for number, *row in self._rows(f'SELECT "sequence", "realm_id", "id", "document" FROM {table}'):
                document = new.stored(collection, row[0], row[1], self._document(collection, row))
                self._run(f'UPDATE {table} SET "document" = ? WHERE "sequence" = ?', (document, number))
        for name, value in (("seal_key_id", new.key.id), ("seal_check", new.key.check_value())):
            self._run('UPDATE "meta" SET "value" = ? WHERE "name" = ?', (value, name))

    def take_time(self) -> None:
        """Goes on however long it stands still between two statements."""
        with self._guarded():
            self._dialect.take_time(self._connection)

    def put_rows(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Adds whole rows of another database."""
        self._run_many(insert_whole(table), rows)

    def continue_from(self, revision: int) -> None:
        """Goes on numbering where the database ended whose rows were put in."""
        for table in ALL:
            if any(column.type is Type.NUMBER for column in table.columns):
                with self._guarded():
                    self._dialect.number_from(self._connection, table)
        self._run('UPDATE "revision" SET "value" = ?', (revision,))

    def prune(self, now: int, kept: int) -> None:
        """Forgets expired sessions and single uses, and all but the last `kept` revisions of the change log."""
        self._delete(ONCE.name, Where().compared("until", "<=", now))
        self._delete(CHANGE.name, Where().compared("revision", "<=", self.revision - kept))
        self._delete(SESSIONS.name, Where().compared("expires", "<=", f"{now:012d}"))

    def _newest(self) -> int:
        if self._shared:
            return super()._newest()
        with translated(self._dialect):
            return self._dialect.revision(self._connection)

    def _unlink_all(self, kind: str, realm_id: str, id: str) -> None:  # noqa: A002
        for end, place in (("source", 0), ("target", 1)):
            ended = [relation.value for relation, kinds in ENDS.items() if kinds[place] == kind]
            if ended:
                where = Where().equal("realm_id", realm_id).among("relation", ended).equal(end, id)
                for relation, source in self._rows(
                    f'DELETE FROM "relation"{where} RETURNING "relation", "source"', where.values
                ):
                    self._changed(realm_id, relation, source)

    def _delete(self, table: str, where: Where) -> int:
        return self._run(f"DELETE FROM {quoted(table)}{where}", where.values)

    def _run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Executes a statement that gives no rows; how many it touched."""
        with self._guarded():
            return self._connection.execute(statement, values).rowcount

    def _attempt(self, statement: str, values: Sequence[Any]) -> int:
        """Executes what may raise Duplicate; how many rows it touched."""
        with self._guarded():
            return self._dialect.attempt(self._connection, statement, values)

    def _run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with self._guarded():
            self._connection.executemany(statement, rows)

    def _changed(self, realm_id: str, kind: str, id: str) -> None:  # noqa: A002
        self._changes[realm_id, kind, id] = None

    def _values(self, collection: Collection[D], realm_id: str, document: D) -> list[str | None]:
        row = self._row(collection, realm_id, document)
        return [row[name] for name in _COLUMNS[collection.name]]

    def _row(self, collection: Collection[D], realm_id: str, document: D) -> dict[str, str | None]:
        row: dict[str, str | None] = {key.name: key.value(document) for key in collection.keys}
        row["realm_id"] = realm_id
        row["id"] = id_ = _id(document)
        row["document"] = self._sealing.stored(collection, realm_id, id_, document)
        return row


def _entry(log: Log[Any], realm_id: str, document: Any) -> dict[str, Any]:
    row = {key.name: key.value(document) for key in log.keys}
    return row | {
        "realm_id": realm_id,
        "id": _id(document),
        "time": document.time,
        "document": encode(document).decode(),
    }


def _id(document: Any) -> str:
    identity = document.id
    if not isinstance(identity, str):
        raise TypeError(f"a {type(document).__name__} without an id cannot be stored")
    return identity
