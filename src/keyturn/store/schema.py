"""The tables: one for each collection (key columns and the document), the relations, the change log and the rest.

A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    func,
)

from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, COLLECTIONS, GROUPS, REALMS, ROLES, USERS
from keyturn.store.logs import LOGS
from keyturn.store.spi import Collection, Log, Relation

VERSION: Final = "0003"
"""The newest migration, which these tables equal."""

METADATA: Final = MetaData()

_Whole: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


def _unique_index(table: Table, collection: Collection[Any], name: str, within: tuple[str, ...]) -> None:
    """NULL in a `within` column is a value like any other (a group has no parent); in the key it never clashes."""
    owner: list[ColumnElement[Any]] = [] if collection.name == REALMS.name else [table.c.realm_id]
    around = [func.coalesce(table.c[column], "") for column in within]
    Index(f"{collection.name}_{name}_unique", *owner, *around, table.c[name], unique=True)


def _table(collection: Collection[Any]) -> Table:
    table = Table(
        collection.name,
        METADATA,
        Column("sequence", _Whole, primary_key=True),  # the order of creation
        Column("realm_id", Text, nullable=False),
        Column("id", Text, nullable=False),
        *(Column(key.name, Text) for key in collection.keys),
        Column("document", Text, nullable=False),
    )
    Index(f"{collection.name}_id_unique", table.c.realm_id, table.c.id, unique=True)
    for key in collection.keys:
        if key.unique:
            _unique_index(table, collection, key.name, key.within)
        else:
            Index(f"{collection.name}_{key.name}", table.c.realm_id, table.c[key.name])
    return table


TABLES: Final = {collection.name: _table(collection) for collection in COLLECTIONS}
"""The collections' tables by the collection's name."""

RELATION: Final = Table(
    "relation",
    METADATA,
    Column("position", _Whole, primary_key=True),  # the order of linking
    Column("realm_id", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
)
Index(
    "relation_pair_unique", RELATION.c.realm_id, RELATION.c.relation, RELATION.c.source, RELATION.c.target, unique=True
)
Index("relation_target", RELATION.c.realm_id, RELATION.c.relation, RELATION.c.target)

ENDS: Final[dict[Relation, tuple[str, str]]] = {
    Relation.COMPOSITE: (ROLES.name, ROLES.name),
    Relation.USER_ROLE: (USERS.name, ROLES.name),
    Relation.GROUP_ROLE: (GROUPS.name, ROLES.name),
    Relation.MEMBERSHIP: (USERS.name, GROUPS.name),
    Relation.DEFAULT_GROUP: (REALMS.name, GROUPS.name),
    Relation.REALM_DEFAULT_SCOPE: (REALMS.name, CLIENT_SCOPES.name),
    Relation.REALM_OPTIONAL_SCOPE: (REALMS.name, CLIENT_SCOPES.name),
    Relation.CLIENT_DEFAULT_SCOPE: (CLIENTS.name, CLIENT_SCOPES.name),
    Relation.CLIENT_OPTIONAL_SCOPE: (CLIENTS.name, CLIENT_SCOPES.name),
    Relation.CLIENT_ROLE_SCOPE: (CLIENTS.name, ROLES.name),
    Relation.CLIENT_SCOPE_ROLE_SCOPE: (CLIENT_SCOPES.name, ROLES.name),
}
"""What a relation's source and target are: the names of their collections."""


def _log_table(log: Log[Any]) -> Table:
    table = Table(
        log.name,
        METADATA,
        Column("sequence", _Whole, primary_key=True),  # the order within a millisecond
        Column("realm_id", Text, nullable=False),
        Column("id", Text, nullable=False),
        Column("time", BigInteger, nullable=False),  # epoch milliseconds
        *(Column(key.name, Text) for key in log.keys),
        Column("document", Text, nullable=False),
    )
    Index(f"{log.name}_time", table.c.realm_id, table.c.time)
    return table


LOG_TABLES: Final = {log.name: _log_table(log) for log in LOGS}
"""The logs' tables by the log's name. Only time is indexed: they are written far more often than searched."""

CLIENT_USE: Final = Table(
    "client_use",
    METADATA,
    Column("realm_id", Text, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("tokens", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),  # epoch seconds
)
"""How often a client got a token, and when it did so last. Beside the document: a token is no change of a client."""

CHANGE: Final = Table(
    "change",
    METADATA,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("realm_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
)
"""What each revision changed. Every revision has at least one row until it is pruned."""

REVISION: Final = Table("revision", METADATA, Column("value", BigInteger, primary_key=True, autoincrement=False))
"""One row: the newest revision. It is raised last in a transaction, so that revisions commit in order."""

ONCE: Final = Table(
    "once",
    METADATA,
    Column("namespace", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),  # epoch seconds
)
Index("once_until", ONCE.c.until)

META: Final = Table("meta", METADATA, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
"""About the database itself: the seal key's id and a sealed check value."""

SCHEMA_VERSION: Final = Table(
    "schema_version",
    METADATA,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="schema_version_pkc"),
)
"""One row: the newest migration that was applied. Alembic says what it looks like."""
