"""A realm in a temporary store, with clients as a test wants them."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.database import database_in
from keyturn.model import key_providers
from keyturn.model.new_documents import new_client, new_service_account, scopes_of_new_client
from keyturn.model.new_realm import new_realm
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import RealmEntry, Registry
from keyturn.representations import (
    ClientRepresentation,
    ComponentRepresentation,
    RealmRepresentation,
    UserRepresentation,
    given,
)
from keyturn.sessions.passwords import hash_password
from keyturn.store.backends import open_store
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, COMPONENTS, REALMS, ROLES, USERS
from keyturn.store.revisions import Revisions
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Relation, Store

NOW = 1_800_000_000


class Clock:
    """Seconds since the epoch, as the test says."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@cache
def _keys(realm_name: str) -> tuple[ComponentRepresentation, ...]:
    """RSA keys are dear: one set serves every test."""
    components = new_realm(
        RealmRepresentation(realm=realm_name), new_id=new_id, new_secret=new_id, now_ms=NOW * 1000
    ).components
    return tuple(
        key_providers.generate(component, realm_name=realm_name, now=NOW, random=os.urandom)
        for component in components
        if component.provider_type == key_providers.PROVIDER_TYPE
    )


def new_id() -> str:
    """A UUID."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class RealmUnderTest:
    """A realm and the parts that serve it."""

    store: Store
    registry: Registry
    facts: FactFinder
    clock: Clock
    name: str
    id: str

    @property
    def entry(self) -> RealmEntry:
        """The realm as the registry has it now."""
        entry = self.registry.load_realm(self.name)
        assert entry is not None
        return entry

    def add_client(self, **fields: object) -> ClientRepresentation:
        """A client as the admin API would make it, with its service account where it has one."""
        client = new_client(
            ClientRepresentation(**fields),  # type: ignore[arg-type]
            new_id=new_id,
            new_secret=new_id,
            now=int(self.clock.now),
        )
        with self.store.write() as transaction:
            transaction.insert(CLIENTS, self.id, client)
            scopes = transaction.select(CLIENT_SCOPES, self.id)
            defaults, optionals = scopes_of_new_client(
                client,
                available=scopes,
                realm_default=transaction.targets(Relation.REALM_DEFAULT_SCOPE, self.id, self.id),
                realm_optional=transaction.targets(Relation.REALM_OPTIONAL_SCOPE, self.id, self.id),
            )
            for scope_id in defaults:
                transaction.link(Relation.CLIENT_DEFAULT_SCOPE, self.id, given(client.id, ""), scope_id)
            for scope_id in optionals:
                transaction.link(Relation.CLIENT_OPTIONAL_SCOPE, self.id, given(client.id, ""), scope_id)
            if given(client.service_accounts_enabled, False):
                user = new_service_account(client, new_id=new_id, now_ms=int(self.clock.now * 1000))
                transaction.insert(USERS, self.id, user)
                role = transaction.find(ROLES, self.id, name=f"default-roles-{self.name}")
                assert role is not None
                transaction.link(Relation.USER_ROLE, self.id, given(user.id, ""), given(role.id, ""))
        return client

    def change_client(self, client: ClientRepresentation, change: Callable[[ClientRepresentation], None]) -> None:
        """Writes the client with what `change` does to it."""
        with self.store.write() as transaction:
            stored = transaction.get(CLIENTS, self.id, given(client.id, ""))
            assert stored is not None
            change(stored)
            transaction.update(CLIENTS, self.id, stored)

    def change_realm(self, change: Callable[[RealmRepresentation], None]) -> None:
        """Writes the realm with what `change` does to it."""
        with self.store.write() as transaction:
            stored = transaction.get(REALMS, self.id, self.id)
            assert stored is not None
            change(stored)
            transaction.update(REALMS, self.id, stored)

    def add_person(self, username: str, password: str, **fields: object) -> UserRepresentation:
        """A person who may log in, with the default roles."""
        person: dict[str, object] = {
            "enabled": True,
            "email": f"{username}@example.com",
            "first_name": "Ada",
            "last_name": "Byron",
        }
        user = UserRepresentation(
            id=new_id(),
            username=username,
            credentials=[hash_password(password, int(self.clock.now * 1000))],
            **(person | fields),  # type: ignore[arg-type]
        )
        with self.store.write() as transaction:
            transaction.insert(USERS, self.id, user)
            role = transaction.find(ROLES, self.id, name=f"default-roles-{self.name}")
            assert role is not None
            transaction.link(Relation.USER_ROLE, self.id, given(user.id, ""), given(role.id, ""))
        return user

    def take_default_roles(self, username: str) -> None:
        """Leaves this user without the realm's default roles."""
        with self.store.write() as transaction:
            user = transaction.find(USERS, self.id, username=username)
            role = transaction.find(ROLES, self.id, name=f"default-roles-{self.name}")
            assert user is not None
            assert role is not None
            transaction.unlink(Relation.USER_ROLE, self.id, given(user.id, ""), given(role.id, ""))

    def change_user(self, user: UserRepresentation, change: Callable[[UserRepresentation], None]) -> None:
        """Writes the user with what `change` does to it."""
        with self.store.write() as transaction:
            stored = transaction.get(USERS, self.id, given(user.id, ""))
            assert stored is not None
            change(stored)
            transaction.update(USERS, self.id, stored)


def make_realm(
    directory: Path,
    name: str = "machines",
    *,
    features: frozenset[str] = frozenset(),
    revisions: Revisions | None = None,
    **fields: object,
) -> RealmUnderTest:
    """A new realm in a new store in `directory`, served with these previews of Keycloak's.

    `revisions` is for what stands for one of several processes.
    """
    clock = Clock()
    store = open_store(database_in(directory), SealKeys.from_environment(directory, {}), clock, revisions)
    made = new_realm(
        RealmRepresentation(realm=name, enabled=True, **fields),  # type: ignore[arg-type]
        new_id=new_id,
        new_secret=new_id,
        now_ms=NOW * 1000,
    )
    realm_id = given(made.realm.id, "")
    others = [c for c in made.components if c.provider_type != key_providers.PROVIDER_TYPE]
    with store.write() as transaction:
        transaction.insert(REALMS, realm_id, made.realm)
        for client in made.clients:
            transaction.insert(CLIENTS, realm_id, client)
        for scope in made.client_scopes:
            transaction.insert(CLIENT_SCOPES, realm_id, scope)
        for role in made.roles:
            transaction.insert(ROLES, realm_id, role)
        for component in (*others, *_keys(name)):
            transaction.insert(COMPONENTS, realm_id, component)
        for relation, pairs in made.relations.items():
            for source, target in pairs:
                transaction.link(Relation(relation), realm_id, source, target)
    registry = Registry(store, features=features)
    return RealmUnderTest(store, registry, FactFinder(store, registry, clock, os.urandom), clock, name, realm_id)
