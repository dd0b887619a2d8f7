"""Fills a database by writing to its store: the admin API would take hours for a million clients."""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keyturn.admin.client_changes import Fresh
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.realm_creation import prepare_realm, store_realm
from keyturn.model.key_providers import PROVIDER_TYPE
from keyturn.representations import ComponentRepresentation, RealmRepresentation, RoleRepresentation, replace
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.component import ComponentExportRepresentation
from keyturn.store.backends.sqlite import open_store
from keyturn.store.collections import CLIENTS, COMPONENTS, REALMS, ROLES, USERS
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Relation, Store

_CHUNK = 2_000


@contextmanager
def store_of(data: Path) -> Iterator[Store]:
    """The store of a server that does not run."""
    store = open_store(data / "keyturn.db", SealKeys.from_environment(data, {}), time.time)
    try:
        yield store
    finally:
        store.prune(int(time.time()))
        store.close()


def name_of(number: int) -> str:
    """Of a client: as long for each, so that all tokens are of one size."""
    return f"client-{number:07d}"


def add_clients(data: Path, realm_name: str, numbers: range) -> None:
    """Clients like the first one, ``name_of(0)``: its scopes, secret and service account."""
    with store_of(data) as store:
        with store.read() as reader:
            realm = reader.find(REALMS, None, realm=realm_name)
            assert realm is not None
            realm_id = str(realm.id)
            client = reader.find(CLIENTS, realm_id, client_id=name_of(0))
            assert client is not None
            user = reader.find(USERS, realm_id, service_account_client=str(client.id))
            assert user is not None
            of_client = {
                relation: reader.targets(relation, realm_id, str(client.id))
                for relation in (Relation.CLIENT_DEFAULT_SCOPE, Relation.CLIENT_OPTIONAL_SCOPE)
            }
            roles = reader.targets(Relation.USER_ROLE, realm_id, str(user.id))
        for start in range(numbers.start, numbers.stop, _CHUNK):
            chunk = range(start, min(start + _CHUNK, numbers.stop))
            clients = [replace(client, id=str(uuid.uuid4()), client_id=name_of(number)) for number in chunk]
            users = [
                replace(
                    user,
                    id=str(uuid.uuid4()),
                    username=f"service-account-{each.client_id}",
                    service_account_client_id=each.id,
                )
                for each in clients
            ]
            with store.write() as tx:
                tx.insert_many(CLIENTS, realm_id, clients)
                tx.insert_many(USERS, realm_id, users)
                for relation, scopes in of_client.items():
                    tx.link_many(relation, realm_id, [(str(c.id), scope) for c in clients for scope in scopes])
                tx.link_many(Relation.USER_ROLE, realm_id, [(str(u.id), role) for u in users for role in roles])
            store.prune(int(time.time()))


def add_roles(data: Path, realm_name: str, numbers: range) -> None:
    """Roles of the realm that nobody holds."""
    with store_of(data) as store, store.write() as tx:
        realm = tx.find(REALMS, None, realm=realm_name)
        assert realm is not None
        realm_id = str(realm.id)
        tx.insert_many(
            ROLES,
            realm_id,
            [
                RoleRepresentation(
                    id=str(uuid.uuid4()),
                    name=f"role-{number:07d}",
                    container_id=realm_id,
                    client_role=False,
                    composite=False,
                )
                for number in numbers
            ],
        )


def add_realms(data: Path, like: str, secret: str, numbers: range) -> None:
    """Realms ``realm-0000000`` and so on with a client each; their keys are those of the realm `like`."""
    fresh = Fresh(random_id, random_secret, time.time())
    with store_of(data) as store:
        with store.read() as reader:
            realm = reader.find(REALMS, None, realm=like)
            assert realm is not None
            keys = reader.select(COMPONENTS, str(realm.id), where={"provider_type": PROVIDER_TYPE})
        for number in numbers:
            made = prepare_realm(_realm(number, secret, list(keys)), fresh=fresh, random=os.urandom)
            with store.write() as tx:
                store_realm(tx, made, fresh=fresh)


def _realm(number: int, secret: str, keys: list[ComponentRepresentation]) -> RealmRepresentation:
    client = ClientRepresentation(client_id=name_of(0), secret=secret, service_accounts_enabled=True)
    return RealmRepresentation(
        realm=f"realm-{number:07d}",
        enabled=True,
        clients=[client],
        components={
            PROVIDER_TYPE: [
                ComponentExportRepresentation(name=key.name, provider_id=key.provider_id, config=key.config)
                for key in keys
            ]
        },
    )
