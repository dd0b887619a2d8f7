"""Writing: changes that happen together, with their entries in the change log."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, literal, or_, select, text, update

from keyturn.representations import encode
from keyturn.store.collections import CLIENTS
from keyturn.store.schema import CHANGE, CLIENT_USE, ENDS, LOG_TABLES, META, ONCE, RELATION, REVISION, TABLES
from keyturn.store.sealing import Sealing
from keyturn.store.spi import Change, ClientUse, Collection, D, Duplicate, Log, Relation
from keyturn.store.sql_reader import Dialect, SqlReader

_UPDATES = {
    name: update(table)
    .where(table.c.realm_id == bindparam("in_realm"), table.c.id == bindparam("of_id"))
    .values({name: bindparam(name) for name in table.c.keys() if name not in {"sequence", "realm_id", "id"}})  # noqa: SIM118
    for name, table in TABLES.items()
}
_INSERTS = {name: insert(table) for name, table in (TABLES | LOG_TABLES).items()}
_CLIENT = TABLES[CLIENTS.name]
_USE_COLUMNS = ("realm_id", "client", "tokens", "last")
_UNUSED = select(_CLIENT.c.realm_id, _CLIENT.c.id, literal(0), literal(0)).where(
    _CLIENT.c.realm_id == bindparam("in_realm"), _CLIENT.c.id == bindparam("of_client")
)
"""A client of which nothing is known yet, if it is there."""
_COUNT_USE = (
    update(CLIENT_USE)
    .where(CLIENT_USE.c.realm_id == bindparam("in_realm"), CLIENT_USE.c.client == bindparam("of_client"))
    .values(tokens=CLIENT_USE.c.tokens + bindparam("more"), last=bindparam("now"))
)


class SqlTransaction(SqlReader):
    """Writes over one connection. The changes wait in memory until `finish` writes them under the next revision."""

    def __init__(self, connection: Connection, dialect: Dialect, sealing: Sealing, now: int) -> None:
        super().__init__(connection, dialect, sealing)
        self._now = now
        self._changes: dict[tuple[str, str, str], None] = {}  # a set that keeps its order

    def insert(self, collection: Collection[D], realm_id: str, document: D) -> None:
        self._run(_INSERTS[collection.name], self._row(collection, realm_id, document))
        self._changed(realm_id, collection.name, _id(document))

    def insert_many(self, collection: Collection[D], realm_id: str, documents: Iterable[D]) -> None:
        """Like `insert` of each, but all or none of them, and faster."""
        documents = list(documents)
        if not documents:
            return
        rows = [self._row(collection, realm_id, document) for document in documents]
        self._run(text("SAVEPOINT many"))
        try:
            self._run(_INSERTS[collection.name], rows)
        except Duplicate:  # after any other error there may be no transaction any more to go back in
            self._run(text("ROLLBACK TO SAVEPOINT many"))
            raise
        self._run(text("RELEASE SAVEPOINT many"))
        for document in documents:
            self._changed(realm_id, collection.name, _id(document))

    def update(self, collection: Collection[D], realm_id: str, document: D) -> None:
        row = self._row(collection, realm_id, document)
        row["in_realm"], row["of_id"] = row.pop("realm_id"), row.pop("id")
        if self._run(_UPDATES[collection.name], row).rowcount == 0:
            raise KeyError(_id(document))
        self._changed(realm_id, collection.name, _id(document))

    def delete(self, collection: Collection[D], realm_id: str, id: str) -> bool:  # noqa: A002
        table = TABLES[collection.name]
        if self._run(delete(table).where(table.c.realm_id == realm_id, table.c.id == id)).rowcount == 0:
            return False
        self._changed(realm_id, collection.name, id)
        self._unlink_all(collection.name, realm_id, id)
        if collection.name == CLIENTS.name:
            self._run(delete(CLIENT_USE).where(CLIENT_USE.c.realm_id == realm_id, CLIENT_USE.c.client == id))
        return True

    def delete_realm(self, realm_id: str) -> None:
        for table in (*TABLES.values(), *LOG_TABLES.values(), RELATION, CLIENT_USE):
            self._run(delete(table).where(table.c.realm_id == realm_id))
        self._changed(realm_id, "realm", realm_id)

    def link(self, relation: Relation, realm_id: str, source: str, target: str) -> bool:
        row = {"realm_id": realm_id, "relation": relation.value, "source": source, "target": target}
        if self._run(self._dialect.insert_absent(RELATION), row).rowcount == 0:
            return False
        self._changed(realm_id, relation.value, source)
        return True

    def link_many(self, relation: Relation, realm_id: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Adds the pairs that are not there yet; faster than `link` of each."""
        rows = [
            {"realm_id": realm_id, "relation": relation.value, "source": source, "target": target}
            for source, target in pairs
        ]
        if rows:
            self._run(self._dialect.insert_absent(RELATION), rows)
        for row in rows:
            self._changed(realm_id, relation.value, row["source"])

    def unlink(self, relation: Relation, realm_id: str, source: str, target: str) -> bool:
        statement = delete(RELATION).where(
            RELATION.c.realm_id == realm_id,
            RELATION.c.relation == relation.value,
            RELATION.c.source == source,
            RELATION.c.target == target,
        )
        if self._run(statement).rowcount == 0:
            return False
        self._changed(realm_id, relation.value, source)
        return True

    def use_once(self, namespace: str, key: str, until: int) -> bool:
        self._run(delete(ONCE).where(ONCE.c.namespace == namespace, ONCE.c.key == key, ONCE.c.until <= self._now))
        row = {"namespace": namespace, "key": key, "until": until}
        return self._run(self._dialect.insert_absent(ONCE), row).rowcount == 1

    def use_each_once(self, uses: Sequence[tuple[str, str, int]]) -> list[bool]:
        known = self._marked({use[:2] for use in uses})
        firsts, rows = [], []
        for namespace, key, until in uses:
            firsts.append((namespace, key) not in known)
            if firsts[-1]:
                known.add((namespace, key))
                rows.append({"namespace": namespace, "key": key, "until": until})
        if rows:
            self._run(insert(ONCE), rows)
        return firsts

    def _marked(self, keys: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of `keys` that are marked as used; marks that have expired are taken away."""
        by_namespace: dict[str, list[str]] = {}
        for namespace, key in keys:
            by_namespace.setdefault(namespace, []).append(key)
        marked = set()
        for namespace, names in by_namespace.items():
            chosen = (ONCE.c.namespace == namespace) & ONCE.c.key.in_(names)
            found = self._run(select(ONCE.c.key, ONCE.c.until).where(chosen)).all()
            if any(row.until <= self._now for row in found):
                self._run(delete(ONCE).where(chosen, ONCE.c.until <= self._now))
            marked |= {(namespace, row.key) for row in found if row.until > self._now}
        return marked

    def append(self, log: Log[D], entries: Iterable[tuple[str, D]]) -> None:
        rows = [_entry(log, realm_id, document) for realm_id, document in entries]
        if rows:
            self._run(_INSERTS[log.name], rows)

    def forget(self, log: Log[D], realm_id: str, before: int | None = None, *, limit: int | None = None) -> int:
        table = LOG_TABLES[log.name]
        chosen = table.c.realm_id == realm_id
        if before is not None:
            chosen &= table.c.time < before
        if limit is not None:
            chosen = table.c.sequence.in_(select(table.c.sequence).where(chosen).limit(limit))
        return self._run(delete(table).where(chosen)).rowcount

    def count_uses(self, uses: Iterable[ClientUse]) -> None:
        rows = [{"in_realm": u.realm_id, "of_client": u.client, "more": u.tokens, "now": u.last} for u in uses]
        if rows:
            self._run(self._dialect.insert_absent(CLIENT_USE).from_select(_USE_COLUMNS, _UNUSED), rows)
            self._run(_COUNT_USE, rows)

    def finish(self) -> Sequence[Change]:
        """Writes the change log under the next revision, which other transactions wait for from here to the commit."""
        if self._broken is not None:
            raise self._broken
        if not self._changes:
            return ()
        raised = update(REVISION).values(value=REVISION.c.value + 1).returning(REVISION.c.value)
        self.revision = self._run(raised).scalar_one()
        changes = [Change(self.revision, *change) for change in self._changes]
        rows = [{"revision": self.revision, "realm_id": c.realm_id, "kind": c.kind, "id": c.id} for c in changes]
        self._run(insert(CHANGE), rows)
        return changes

    def reseal(self, collections: Iterable[Collection[Any]], new: Sealing) -> None:
        """Seals every secret with another key, and names that key as the database's."""
        for collection in collections:
            table = TABLES[collection.name]
            rows = self._run(select(table.c.sequence, table.c.realm_id, table.c.id, table.c.document)).all()
            for row in rows:
                document = new.stored(collection, row.realm_id, row.id, self._document(collection, row))
                self._run(update(table).where(table.c.sequence == row.sequence).values(document=document))
        for name, value in (("seal_key_id", new.key.id), ("seal_check", new.key.check_value())):
            self._run(update(META).where(META.c.name == name).values(value=value))

    def prune(self, now: int, kept: int) -> None:
        """Forgets expired sessions and single uses, and all but the last `kept` revisions of the change log."""
        self._run(delete(ONCE).where(ONCE.c.until <= now))
        self._run(delete(CHANGE).where(CHANGE.c.revision <= self.revision - kept))
        sessions = TABLES["session"]
        self._run(delete(sessions).where(sessions.c.expires <= f"{now:012d}"))

    def _unlink_all(self, kind: str, realm_id: str, id: str) -> None:  # noqa: A002
        as_source = [relation.value for relation, (source, _) in ENDS.items() if source == kind]
        as_target = [relation.value for relation, (_, target) in ENDS.items() if target == kind]
        if not as_source and not as_target:
            return
        ended = or_(
            RELATION.c.relation.in_(as_source) & (RELATION.c.source == id),
            RELATION.c.relation.in_(as_target) & (RELATION.c.target == id),
        )
        statement = delete(RELATION).where(RELATION.c.realm_id == realm_id, ended)
        for row in self._run(statement.returning(RELATION.c.relation, RELATION.c.source)):
            self._changed(realm_id, row.relation, row.source)

    def _changed(self, realm_id: str, kind: str, id: str) -> None:  # noqa: A002
        self._changes[realm_id, kind, id] = None

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
