"""What a server has acknowledged, and whether it is all there: held against the database when the server is gone."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.invariants import damages, violations
from keyturn.representations import given
from keyturn.store.backends.sqlite import open_store
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, COMPONENTS, REALMS, ROLES, USERS
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Reader, Relation, Store

__all__ = ["Ledger", "Promise", "Stored", "opened"]


def opened(data: Path) -> Store:
    """The store of a server that does not run."""
    return open_store(data / "keyturn.db", SealKeys.from_environment(data, {}), lambda: 0)


class Stored:
    """One realm as it is in the database."""

    def __init__(self, reader: Reader, name: str) -> None:
        realm = reader.find(REALMS, None, realm=name)
        assert realm is not None, f"realm {name} is gone"
        self.realm = realm
        realm_id = str(realm.id)
        self.clients = {str(each.client_id): each for each in reader.select(CLIENTS, realm_id)}
        self.users = {str(each.username): each for each in reader.select(USERS, realm_id)}
        self.roles = {(each.container_id, str(each.name)): each for each in reader.select(ROLES, realm_id)}
        self.scopes = {str(each.name): each for each in reader.select(CLIENT_SCOPES, realm_id)}
        self.keys = sorted(str(each.name) for each in reader.select(COMPONENTS, realm_id))
        self.pairs = {relation: set(reader.pairs(relation, realm_id)) for relation in Relation}

    def role(self, name: str) -> Any:
        """The realm role of this name."""
        return self.roles.get((str(self.realm.id), name))

    def scopes_of(self, client_id: str) -> set[str]:
        """The names of a client's default scopes."""
        uuid = self.clients[client_id].id
        names = {str(scope.id): name for name, scope in self.scopes.items()}
        return {names[target] for source, target in self.pairs[Relation.CLIENT_DEFAULT_SCOPE] if source == uuid}

    def roles_of(self, user_id: str) -> set[str]:
        """The names of the roles that a user holds directly."""
        names = {str(role.id): name for (_, name), role in self.roles.items()}
        return {names[target] for source, target in self.pairs[Relation.USER_ROLE] if source == user_id}

    def shape(self) -> dict[str, Any]:
        """What every realm has from the beginning, its own name left out."""
        name = str(self.realm.realm)
        owners = {str(client.id): client_id for client_id, client in self.clients.items()} | {str(self.realm.id): ""}
        return {
            "clients": sorted(self.clients),
            "scopes": sorted(self.scopes),
            "roles": sorted((owners[str(owner)], role.replace(name, "")) for owner, role in self.roles),
            "keys": self.keys,
            "pairs": {relation.value: len(pairs) for relation, pairs in self.pairs.items()},
        }


@dataclass(frozen=True)
class Promise:
    """A write that was acknowledged: what it was, and whether it is there."""

    what: str
    kept: Callable[[Stored], bool]


class Ledger:
    """Promises, and counters whose newest acknowledged value may only be followed by one that was sent."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.promises: list[Promise] = []
        self._sent: dict[str, int] = {}
        self._acknowledged: dict[str, int] = {}
        self._counters: dict[str, Callable[[Stored], str]] = {}
        self.realms: set[str] = set()

    def promised(self, what: str, kept: Callable[[Stored], bool]) -> None:
        """A write was acknowledged."""
        with self._changed:
            self.promises.append(Promise(what, kept))
            self._changed.notify_all()

    def next(self, counter: str, value: Callable[[Stored], str]) -> int:
        """The next value of a counter, about to be sent; `value` finds it in the database."""
        with self._changed:
            self._counters[counter] = value
            self._sent[counter] = self._sent.get(counter, 0) + 1
            return self._sent[counter]

    def counted(self, counter: str, value: int) -> None:
        """The counter's value was acknowledged."""
        with self._changed:
            self._acknowledged[counter] = value
            self._changed.notify_all()

    @property
    def size(self) -> int:
        """How many writes were acknowledged."""
        return len(self.promises) + sum(self._acknowledged.values())

    def await_size(self, size: int, timeout: float = 30) -> None:
        """Returns once so many writes have been acknowledged."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.size >= size, timeout), "the server takes no writes"

    def complaints(self, data: Path, realm: str) -> list[str]:
        """What is lost, half done or damaged in the database of a server that does not run."""
        found = damages(data / "keyturn.db")
        store = opened(data)
        try:
            found += violations(store)
            with store.read() as reader:
                stored = Stored(reader, realm)
                found += [f"{promise.what} is lost" for promise in self.promises if not promise.kept(stored)]
                found += self._wrong_counters(stored)
                names = {str(each.realm) for each in reader.select(REALMS, None)} - {"master", realm}
                found += [f"realm {name} is lost" for name in self.realms - names]
                shapes = {name: Stored(reader, name).shape() for name in names}
        finally:
            store.close()
        usual = next(iter(shapes.values()), None)
        return found + [f"realm {name} is not whole" for name, shape in shapes.items() if shape != usual]

    def _wrong_counters(self, stored: Stored) -> list[str]:
        wrong = []
        for counter, value in self._counters.items():
            acknowledged, sent = self._acknowledged.get(counter, 0), self._sent[counter]
            found = int(given(value(stored), "") or 0)
            if not acknowledged <= found <= sent:
                wrong.append(f"{counter} is {found}; {acknowledged} was acknowledged, {sent} was sent")
        return wrong
