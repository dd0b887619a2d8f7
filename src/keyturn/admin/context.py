"""What an endpoint is given: a view of the store or a transaction, the realm, and who calls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from keyturn.admin.administrator import Administrator
from keyturn.admin.client_changes import Fresh
from keyturn.admin.errors import Forbidden, duplicate
from keyturn.admin.permissions import ANY_ROLE, Needs, Rights, rights_in
from keyturn.admin.realm_documents import brief_realms
from keyturn.registry.registry import Registry
from keyturn.representations import Representation
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import ROLES
from keyturn.store.spi import Collection, Duplicate, Reader, Store, Transaction

__all__ = ["Clock", "Environment", "RealmAdmin", "RealmView", "ServerView"]

D = TypeVar("D", bound=Representation)
Clock = Callable[[], float]
"""Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What all calls share."""

    store: Store
    registry: Registry
    clock: Clock
    new_id: Callable[[], str]
    """A fresh UUID, as text."""
    new_secret: Callable[[], str]
    """A fresh client secret."""
    random: Callable[[int], bytes]
    flush_events: Callable[[], None] = lambda: None
    """Stores the events that were recorded so far."""

    @property
    def features(self) -> frozenset[str]:
        """Keycloak's names of its previews that are on."""
        return self.registry.features


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """A call that concerns no single realm. It reads; what it writes, it writes in a transaction of its own."""

    environment: Environment
    reader: Reader
    administrator: Administrator
    master: RealmRepresentation
    base_url: str
    address: str

    def rights_in(self, realm: RealmRepresentation) -> Rights:
        """What the administrator may do in `realm`; nothing, where the token is of a third realm."""
        return rights_in(self.reader, self.administrator, self.master, realm)

    def holds_master_role(self, name: str) -> bool:
        """Whether the administrator holds this realm role of master, and the token's client has it in its scope."""
        master_id = str(self.master.id)
        if self.administrator.realm_id != master_id:
            return False
        role = self.reader.find(ROLES, master_id, container_id=master_id, name=name)
        return role is not None and self.administrator.has(self.reader, str(role.id))

    def administers_any_realm(self) -> bool:
        """Whether a token of master gives some right in any realm, or that of making one."""
        if self.administrator.realm_id != str(self.master.id):
            return False
        if self.holds_master_role("create-realm"):
            return True
        return any(self.rights_in(realm).allows(ANY_ROLE) for realm in brief_realms(self.reader))

    def now(self) -> int:
        """The time in whole seconds."""
        return int(self.environment.clock())

    def now_milliseconds(self) -> int:
        """The time as Keycloak stores it in documents."""
        return int(self.environment.clock() * 1000)

    def new_id(self) -> str:
        """A fresh UUID."""
        return self.environment.new_id()

    def fresh(self) -> Fresh:
        """What new clients are made with."""
        return Fresh(self.environment.new_id, self.environment.new_secret, self.environment.clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmView(ServerView):
    """A call that reads in one realm. `reader` is one consistent view."""

    realm: RealmRepresentation
    rights: Rights

    @property
    def id(self) -> str:
        """The realm's id, by which the store keeps its documents."""
        return str(self.realm.id)

    @property
    def name(self) -> str:
        """The realm's name."""
        return str(self.realm.realm)

    def may(self, needs: Needs) -> bool:
        """Whether the administrator holds what `needs` names."""
        return self.rights.allows(needs)

    def require(self, needs: Needs) -> None:
        """Raises Forbidden unless ``may``."""
        if not self.rights.allows(needs):
            raise Forbidden


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmAdmin(RealmView):
    """A call that writes in one realm: all in `tx`, which is the reader, too. Nothing is left of a refused one."""

    tx: Transaction

    def insert(self, collection: Collection[D], document: D) -> None:
        """Stores a new document. Raises Conflict with Keycloak's text where its name is taken."""
        try:
            self.tx.insert(collection, self.id, document)
        except Duplicate as error:
            raise duplicate(error, document) from None

    def update(self, collection: Collection[D], document: D) -> None:
        """Replaces the document of this id. Raises Conflict with Keycloak's text where its name is taken."""
        try:
            self.tx.update(collection, self.id, document)
        except Duplicate as error:
            raise duplicate(error, document) from None
