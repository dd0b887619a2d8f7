"""The tables: one for each collection (key columns and the document), the relations, the change log and the rest.

A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, COLLECTIONS, GROUPS, REALMS, ROLES, USERS
from keyturn.store.logs import LOGS
from keyturn.store.spi import Collection, Log, Relation

VERSION: Final = "0006"
"""The newest migration, which these tables equal."""

SERVES: Final = "0006"
"""The oldest migration whose keyturn can go on serving from these tables, beside one of this version.

A migration that only adds leaves it as it is (docs/how-to/upgrade.md).
"""

SERVES_KEY: Final = "schema_serves"
"""Where it stands in ``META``."""


class Type(StrEnum):
    """What a column holds, as SQL names it."""

    TEXT = "TEXT"
    WHOLE = "BIGINT"
    NUMBER = "NUMBER"
    """The number of a row, given by the database; each names it differently (``Dialect.types``)."""
    VERSION = "VARCHAR(32)"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: Type = Type.TEXT
    required: bool = True


@dataclass(frozen=True, slots=True)
class Index:
    """``columns`` are names, or expressions over quoted names."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    constraint: str | None = None
    """The primary key's own name."""


def _unique_index(collection: Collection[Any], name: str, within: tuple[str, ...]) -> Index:
    """NULL in a `within` column is a value like any other (a group has no parent); in the key it never clashes."""
    owner = () if collection.name == REALMS.name else ("realm_id",)
    around = tuple(f"coalesce({column}, '')" for column in within)
    return Index(f"{collection.name}_{name}_unique", (*owner, *around, name), unique=True)


def _indexes(collection: Collection[Any]) -> Iterator[Index]:
    yield Index(f"{collection.name}_id_unique", ("realm_id", "id"), unique=True)
    for key in collection.keys:
        if key.unique:
            yield _unique_index(collection, key.name, key.within)
        else:
            yield Index(f"{collection.name}_{key.name}", ("realm_id", key.name))


def _table(collection: Collection[Any]) -> Table:
    return Table(
        collection.name,
        (
            Column("sequence", Type.NUMBER),  # the order of creation
            Column("realm_id"),
            Column("id"),
            *(Column(key.name, required=False) for key in collection.keys),
            Column("document"),
        ),
        primary_key=("sequence",),
        indexes=tuple(_indexes(collection)),
    )


TABLES: Final = {collection.name: _table(collection) for collection in COLLECTIONS}
"""The collections' tables by the collection's name."""

RELATION: Final = Table(
    "relation",
    (
        Column("position", Type.NUMBER),  # the order of linking
        Column("realm_id"),
        Column("relation"),
        Column("source"),
        Column("target"),
    ),
    primary_key=("position",),
    indexes=(
        Index("relation_pair_unique", ("realm_id", "relation", "source", "target"), unique=True),
        Index("relation_target", ("realm_id", "relation", "target")),
    ),
)

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
    return Table(
        log.name,
        (
            Column("sequence", Type.NUMBER),  # the order within a millisecond
            Column("realm_id"),
            Column("id"),
            Column("time", Type.WHOLE),  # epoch milliseconds
            *(Column(key.name, required=False) for key in log.keys),
            Column("document"),
        ),
        primary_key=("sequence",),
        indexes=(Index(f"{log.name}_time", ("realm_id", "time")),),
    )


LOG_TABLES: Final = {log.name: _log_table(log) for log in LOGS}
"""The logs' tables by the log's name. Only time is indexed: they are written far more often than searched."""

CLIENT_USE: Final = Table(
    "client_use",
    (
        Column("realm_id"),
        Column("client"),
        Column("credential"),
        Column("tokens", Type.WHOLE),
        Column("last", Type.WHOLE),  # epoch seconds
        Column("address"),
    ),
    primary_key=("realm_id", "client", "credential"),
)
"""How often a client got a token by a credential, when it proved itself by it last, and from which address. Beside the
document: a token is no change of a client.
"""

CHANGE: Final = Table(
    "change",
    (Column("revision", Type.WHOLE), Column("realm_id"), Column("kind"), Column("id")),
    primary_key=("revision", "realm_id", "kind", "id"),
)
"""What each revision changed. Every revision has at least one row until it is pruned."""

REVISION: Final = Table("revision", (Column("value", Type.WHOLE),), primary_key=("value",))
"""One row: the newest revision. It is raised last in a transaction, so that revisions commit in order."""

ONCE: Final = Table(
    "once",
    (Column("namespace"), Column("key"), Column("until", Type.WHOLE)),  # epoch seconds
    primary_key=("namespace", "key"),
    indexes=(Index("once_until", ("until",)),),
)

META: Final = Table("meta", (Column("name"), Column("value")), primary_key=("name",))
"""About the database itself: the seal key's id and a sealed check value."""

SCHEMA_VERSION: Final = Table(
    "schema_version",
    (Column("version_num", Type.VERSION),),
    primary_key=("version_num",),
    constraint="schema_version_pkc",
)
"""One row: the newest migration that was applied. Alembic says what it looks like."""

ALL: Final = (
    *TABLES.values(),
    RELATION,
    *LOG_TABLES.values(),
    CLIENT_USE,
    CHANGE,
    REVISION,
    ONCE,
    META,
    SCHEMA_VERSION,
)


def key_of_index(index: str) -> tuple[str, str]:
    """The table that an index belongs to, and the key that it keeps unique."""
    for table in ALL:
        if any(found.name == index for found in table.indexes):
            return table.name, index.removeprefix(f"{table.name}_").removesuffix("_unique")
    return index, index
