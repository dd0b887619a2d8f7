"""What is true of every store, whatever was asked of it and wherever it was cut off: `violations` walks all of it.

A test that has hurt a server asserts ``violations(store) == []``.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from keyturn.model.administration import MASTER, administration_client_id
from keyturn.representations import RealmRepresentation, RoleRepresentation, decode, encode, given
from keyturn.store.collections import (
    CLIENT_SCOPES,
    CLIENTS,
    COLLECTIONS,
    COMPONENTS,
    GROUPS,
    REALMS,
    ROLES,
    USERS,
)
from keyturn.store.schema import CHANGE, CLIENT_USE, ENDS, LOG_TABLES, RELATION, REVISION, TABLES, Table
from keyturn.store.spi import Collection, Relation, Store, Unavailable
from keyturn.store.sql_reader import SqlReader
from keyturn.store.sql_text import quoted

_DISJOINT = (
    (Relation.REALM_DEFAULT_SCOPE, Relation.REALM_OPTIONAL_SCOPE),
    (Relation.CLIENT_DEFAULT_SCOPE, Relation.CLIENT_OPTIONAL_SCOPE),
)


@dataclass(frozen=True)
class _Contents:
    """All documents and relations of one realm."""

    realm_id: str
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By collection and id."""
    pairs: dict[Relation, list[tuple[str, str]]] = field(default_factory=dict)

    def of(self, collection: Collection[Any]) -> dict[str, Any]:
        return self.documents.get(collection.name, {})


def violations(store: Store, *, accounts_may_be_missing: bool = False) -> list[str]:
    """What is wrong in `store`, in words; empty where it is sound.

    Args:
        accounts_may_be_missing: whether an administrator may have removed the user of a service account.
    """
    with store.read() as reader:
        assert isinstance(reader, SqlReader)
        found = list(_bookkeeping(reader))
        contents = {}
        for row in _rows(reader, TABLES[REALMS.name]):
            contents[row.realm_id] = _Contents(row.realm_id)
        for collection in COLLECTIONS:
            found += _read(reader, collection, contents)
        found += _read_relations(reader, contents)
        for realm in contents.values():
            found += _realm(realm)
            found += _relations(realm)
            found += _roles(realm)
            found += _groups(realm)
            found += _clients(realm, accounts_may_be_missing=accounts_may_be_missing)
        found += _administration(contents)
    return found


def damages(database: Path) -> list[str]:
    """What SQLite itself finds wrong in the file of `database`, its indexes included."""
    with closing(sqlite3.connect(database)) as connection:
        connection.create_function("lower", 1, lambda text: None if text is None else text.lower(), deterministic=True)
        rows = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    return [] if rows == ["ok"] else rows


def _rows(reader: SqlReader, table: Table) -> list[SimpleNamespace]:
    names = [column.name for column in table.columns]
    statement = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(table.name)}"
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in reader._rows(statement)]


def _bookkeeping(reader: SqlReader) -> Iterator[str]:
    """One row tells the revision, and the change log has every revision up to it from some point on."""
    revisions = [row.value for row in _rows(reader, REVISION)]
    if len(revisions) != 1:
        yield f"{len(revisions)} rows tell the revision"
        return
    logged = {row.revision for row in _rows(reader, CHANGE)}
    if logged and (max(logged) != revisions[0] or len(logged) != revisions[0] - min(logged) + 1):
        yield f"revision {revisions[0]}, but the change log has {len(logged)} from {min(logged)} to {max(logged)}"
    if revisions[0] and not logged:
        yield f"revision {revisions[0]}, but no change log"


def _read(reader: SqlReader, collection: Collection[Any], contents: dict[str, _Contents]) -> Iterator[str]:
    """Every document decodes, stands in a realm that is there, and is found by what it says."""
    for row in _rows(reader, TABLES[collection.name]):
        name = f"{collection.name} {row.id}"
        if row.realm_id not in contents:
            yield f"{name} is of realm {row.realm_id}, which is not there"
            continue
        try:
            document = reader.get(collection, row.realm_id, row.id)
        except Unavailable as error:
            yield str(error)
            continue
        assert document is not None
        if document.id != row.id:
            yield f"{name} says that it is {document.id}"
        for key in collection.keys:
            if getattr(row, key.name) != key.value(document):
                yield f"{name} is filed under {key.name} {getattr(row, key.name)!r}, but says {key.value(document)!r}"
        if decode(encode(document), collection.document) != document:
            yield f"{name} is not what its JSON says"
        contents[row.realm_id].documents.setdefault(collection.name, {})[row.id] = document


def _read_relations(reader: SqlReader, contents: dict[str, _Contents]) -> Iterator[str]:
    for row in sorted(_rows(reader, RELATION), key=lambda row: int(row.position)):
        if row.realm_id not in contents:
            yield f"{row.relation} {row.source} {row.target} is of realm {row.realm_id}, which is not there"
            continue
        contents[row.realm_id].pairs.setdefault(Relation(row.relation), []).append((row.source, row.target))
    for table in (*LOG_TABLES.values(), CLIENT_USE):
        for row in _rows(reader, table):
            if row.realm_id not in contents:
                yield f"{table.name} of realm {row.realm_id}, which is not there"
            elif table is CLIENT_USE and row.client not in contents[row.realm_id].of(CLIENTS):
                yield f"{table.name} of client {row.client}, which is not there"


def _realm(contents: _Contents) -> Iterator[str]:
    realms = contents.of(REALMS)
    if list(realms) != [contents.realm_id]:
        yield f"realm {contents.realm_id} owns {list(realms)} instead of itself"
        return
    realm: RealmRepresentation = realms[contents.realm_id]
    default = given(realm.default_role, RoleRepresentation())
    stored = contents.of(ROLES).get(str(default.id))
    if stored is None:
        yield f"realm {realm.realm} has no default role"
    elif (stored.name, stored.container_id) != (default.name, contents.realm_id):
        yield f"realm {realm.realm} says its default role is {default.name}, but that is {stored.name}"
    for component in contents.of(COMPONENTS).values():
        if not component.provider_id or not component.provider_type:
            yield f"component {component.id} has no provider"


def _relations(contents: _Contents) -> Iterator[str]:
    """Both ends of every relation are there, and of the right kind."""
    for relation, pairs in contents.pairs.items():
        for kind, ends in zip(ENDS[relation], zip(*pairs, strict=True), strict=True):
            for end in set(ends) - set(contents.documents.get(kind, {})):
                yield f"{relation.value} of realm {contents.realm_id}: there is no {kind} {end}"
    for first, second in _DISJOINT:
        both = set(contents.pairs.get(first, ())) & set(contents.pairs.get(second, ()))
        yield from (f"client scope {target} is {first.value} and {second.value} of {source}" for source, target in both)


def _roles(contents: _Contents) -> Iterator[str]:
    """A role belongs to its realm or to a client that is there, and says which."""
    for role in contents.of(ROLES).values():
        if role.client_role is not (role.container_id != contents.realm_id):
            yield f"role {role.name} says client_role {role.client_role}, but its container is {role.container_id}"
        if role.client_role is True and role.container_id not in contents.of(CLIENTS):
            yield f"role {role.name} is of client {role.container_id}, which is not there"


def _groups(contents: _Contents) -> Iterator[str]:
    """Groups are trees: each has its parent, and none is above itself."""
    groups = contents.of(GROUPS)
    for group in groups.values():
        above, seen = group, {group.id}
        while parent_id := given(above.parent_id, ""):
            if parent_id not in groups:
                yield f"group {above.name} is below {parent_id}, which is not there"
                break
            if parent_id in seen:
                yield f"group {group.name} is above itself"
                break
            seen.add(parent_id)
            above = groups[parent_id]


def _clients(contents: _Contents, *, accounts_may_be_missing: bool) -> Iterator[str]:
    clients, users = contents.of(CLIENTS), contents.of(USERS)
    accounts = Counter(user.service_account_client_id for user in users.values() if user.service_account_client_id)
    for client in clients.values():
        wanted = int(client.service_accounts_enabled is True)
        # An import may bring the user of a client whose service account is off.
        if accounts[client.id] > 1 or (accounts[client.id] < wanted and not accounts_may_be_missing):
            yield f"client {client.client_id} has {accounts[client.id]} service accounts instead of {wanted}"
    for client_id in accounts.keys() - clients.keys():
        yield f"a service account is of client {client_id}, which is not there"
    for user in users.values():
        if user.username != user.username.lower():
            yield f"user {user.username} is not in lower case"
    for owner in (*clients.values(), *contents.of(CLIENT_SCOPES).values()):
        mappers = Counter(mapper.id for mapper in given(owner.protocol_mappers, []))
        yield from (f"two protocol mappers of {owner.id} are {id_}" for id_, count in mappers.items() if count > 1)
    for scope in contents.of(CLIENT_SCOPES).values():
        if not scope.name:
            yield f"client scope {scope.id} has no name"


def _administration(contents: dict[str, _Contents]) -> Iterator[str]:
    """Master has a client for each realm, its roles in master's role ``admin``; and none for a realm that is gone."""
    realms = {
        contents.of(REALMS)[id_].realm: contents for id_, contents in contents.items() if id_ in contents.of(REALMS)
    }
    master = realms.get(MASTER)
    if master is None:
        yield "there is no realm master"
        return
    clients = {client.client_id: client for client in master.of(CLIENTS).values()}
    admin = next((role.id for role in master.of(ROLES).values() if role.name == "admin" and not role.client_role), None)
    contained = {target for source, target in master.pairs.get(Relation.COMPOSITE, ()) if source == admin}
    for name in realms:
        client = clients.get(administration_client_id(name))
        if client is None:
            yield f"master has no client for realm {name}"
            continue
        roles = {role.id: role.name for role in master.of(ROLES).values() if role.container_id == client.id}
        if not roles:
            yield f"master's client for realm {name} has no roles"
        yield from (f"admin of master lacks {roles[id_]} in realm {name}" for id_ in roles.keys() - contained)
    for client_id, client in clients.items():
        of_a_realm = client_id.endswith("-realm") and client.attributes.get("realm_client") == "true"
        if of_a_realm and client_id.removesuffix("-realm") not in realms:
            yield f"master has {client_id}, but there is no such realm"
