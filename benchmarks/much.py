"""A database that holds much of everything that the admin API lists, written to the store at once."""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks import population

from keyturn.model.user_session import ClientSession, UserSession
from keyturn.representations import RoleRepresentation
from keyturn.representations.event import AdminEventRepresentation, AuthDetailsRepresentation, EventRepresentation
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, GROUPS, REALMS, ROLES, SESSIONS, USERS
from keyturn.store.logs import ADMIN_EVENTS, EVENTS
from keyturn.store.spi import Relation, Transaction

T = TypeVar("T")

_CHUNK = 2_000
_LIFE = 86_400
"""Seconds that sessions have to live."""
BIG_GROUP, DEEP_GROUP = "everybody", "departments"
POPULAR_ROLE, COMPOSITE_ROLE, HOLDER = "popular", "composite", "holder"


@dataclass(frozen=True)
class Amounts:
    """How many of each."""

    clients: int = 10_000
    roles: int = 1_000
    users: int = 10_000
    realms: int = 500
    groups: int = 1_000
    sessions: int = 10_000
    events: int = 100_000


def fill(data: Path, realm_name: str, secret: str, amounts: Amounts) -> None:
    """Fills the realm, which has the client ``name_of(0)``, and makes the other realms."""
    population.add_clients(data, realm_name, range(1, amounts.clients))
    population.add_roles(data, realm_name, range(amounts.roles))
    population.add_realms(data, realm_name, secret, range(amounts.realms))
    with population.store_of(data) as store:
        with store.read() as reader:
            realm = reader.find(REALMS, None, realm=realm_name)
            assert realm is not None
            realm_id = str(realm.id)
            client = reader.find(CLIENTS, realm_id, client_id=population.name_of(0))
            assert client is not None
            of_realm = [str(role.id) for role in reader.select(ROLES, realm_id, where={"container_id": realm_id})]
        users, groups = _users(amounts.users), _groups(amounts.groups)

        def write(items: Sequence[T], work: Callable[[Transaction, Sequence[T]], None]) -> None:
            for start in range(0, len(items), _CHUNK):
                with store.write() as tx:
                    work(tx, items[start : start + _CHUNK])
                store.prune(int(time.time()))

        write(users, lambda tx, some: tx.insert_many(USERS, realm_id, some))
        write(groups, lambda tx, some: tx.insert_many(GROUPS, realm_id, some))
        with store.write() as tx:
            linked = _roles(tx, realm_id, str(client.id), of_realm, users, groups, amounts.roles)
        for relation, pairs in linked.items():
            write(pairs, partial(_link, relation, realm_id))
        write(
            _sessions(users, str(client.id), amounts.sessions),
            lambda tx, some: tx.insert_many(SESSIONS, realm_id, some),
        )
        write(
            range(amounts.events),
            lambda tx, some: tx.append(EVENTS, ((realm_id, _event(n, realm_id, users)) for n in some)),
        )
        write(
            range(amounts.events),
            lambda tx, some: tx.append(ADMIN_EVENTS, ((realm_id, _admin_event(n, realm_id, users)) for n in some)),
        )


def _link(relation: Relation, realm_id: str, tx: Transaction, pairs: Sequence[tuple[str, str]]) -> None:
    tx.link_many(relation, realm_id, pairs)


def _id() -> str:
    return str(uuid.uuid4())


def _users(count: int) -> list[UserRepresentation]:
    first = (HOLDER, *(f"user-{number:07d}" for number in range(1, count)))
    return [
        UserRepresentation(
            id=_id(),
            username=name,
            email=f"{name}@example.org",
            first_name=f"Given{number % 97}",
            last_name=f"Family{number % 389}",
            email_verified=number % 2 == 0,
            enabled=number % 10 != 0,
            created_timestamp=1_700_000_000_000 + number,
            attributes={"department": [str(number % 50)]},
        )
        for number, name in enumerate(first)
    ]


def _groups(count: int) -> list[GroupRepresentation]:
    """A quarter at the top, a quarter below one of them, and the rest below these."""
    big = GroupRepresentation(id=_id(), name=BIG_GROUP)
    deep = GroupRepresentation(id=_id(), name=DEEP_GROUP)
    made = [big, deep]
    below: list[GroupRepresentation] = []
    for number in range(count - 2):
        part = number * 4 // count
        parent = None if part == 0 else deep.id if part == 1 else below[number % len(below)].id
        group = GroupRepresentation(
            id=_id(),
            name=f"group-{number:07d}",
            parent_id=str(parent) if parent else None,
            attributes={"cost-centre": [str(number % 20)]},
        )
        made.append(group)
        if part == 1:
            below.append(group)
    return made


def _roles(
    tx: Transaction,
    realm_id: str,
    client_id: str,
    of_realm: Iterable[str],
    users: Sequence[UserRepresentation],
    groups: Sequence[GroupRepresentation],
    count: int,
) -> dict[Relation, list[tuple[str, str]]]:
    """More roles, and what is linked: one role is everybody's, one contains all, one user holds all."""

    def made(name: str, container: str, *, composite: bool = False) -> str:
        role = RoleRepresentation(
            id=_id(), name=name, container_id=container, client_role=container != realm_id, composite=composite
        )
        tx.insert(ROLES, realm_id, role)
        return str(role.id)

    popular, composite = made(POPULAR_ROLE, realm_id), made(COMPOSITE_ROLE, realm_id, composite=True)
    of_client = [made(f"role-{number:07d}", client_id) for number in range(count)]
    every = [*of_realm, *of_client]
    holder, big = str(users[0].id), str(groups[0].id)
    return {
        Relation.COMPOSITE: [(composite, role) for role in every],
        Relation.USER_ROLE: [*((str(user.id), popular) for user in users), *((holder, role) for role in every)],
        Relation.GROUP_ROLE: [*((str(group.id), popular) for group in groups), *((big, role) for role in every)],
        Relation.MEMBERSHIP: [
            *((str(user.id), big) for user in users),
            *((holder, str(group.id)) for group in groups[1:]),
        ],
        Relation.CLIENT_ROLE_SCOPE: [(client_id, role) for role in every],
    }


def _sessions(users: Sequence[UserRepresentation], client_id: str, count: int) -> list[UserSession]:
    now = int(time.time())
    return [
        UserSession(
            id=_id(),
            user_id=str(user.id),
            username=str(user.username),
            address="192.0.2.1",
            started=now,
            refreshed=now,
            expires=now + _LIFE,
            offline=number % 5 == 0,
            clients={client_id: ClientSession(started=now, refreshed=now)},
        )
        for number, user in zip(range(count), users, strict=False)
    ]


def _event(number: int, realm_id: str, users: Sequence[UserRepresentation]) -> EventRepresentation:
    return EventRepresentation(
        id=_id(),
        time=int(time.time() * 1000) - number,
        type="CLIENT_LOGIN" if number % 10 else "CLIENT_LOGIN_ERROR",
        realm_id=realm_id,
        client_id=population.name_of(number % 1_000),
        user_id=str(users[number % len(users)].id),
        ip_address=f"192.0.2.{number % 250}",
        details={"grant_type": "client_credentials", "scope": "profile email", "token_id": f"trrtcc:{_id()}"},
    )


def _admin_event(number: int, realm_id: str, users: Sequence[UserRepresentation]) -> AdminEventRepresentation:
    return AdminEventRepresentation(
        id=_id(),
        time=int(time.time() * 1000) - number,
        realm_id=realm_id,
        auth_details=AuthDetailsRepresentation(
            realm_id=realm_id,
            client_id=f"admin-{number % 7}",
            user_id=str(users[number % len(users)].id),
            ip_address=f"192.0.2.{number % 250}",
        ),
        operation_type=("CREATE", "UPDATE", "DELETE")[number % 3],
        resource_type=("CLIENT", "USER", "GROUP")[number % 3],
        resource_path=f"clients/{number % 1_000}",
    )
