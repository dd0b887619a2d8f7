"""Who may do what: decided from the roles that the administrator holds now, never from the token's claims.

Source: Keycloak ``MgmtPermissions``, ``RolePermissions``, ``AdminRoles``; the matrix in docs/compatibility.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from keyturn.admin.administrator import Administrator
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.store.collections import CLIENTS, ROLES
from keyturn.store.spi import Reader

__all__ = [
    "ANY_ROLE",
    "DECIDED_WITHIN",
    "IMPERSONATE",
    "MANAGE_CLIENTS",
    "MANAGE_EVENTS",
    "MANAGE_IDENTITY_PROVIDERS",
    "MANAGE_ORGANIZATIONS",
    "MANAGE_REALM",
    "MANAGE_USERS",
    "MASTER",
    "QUERY_CLIENTS",
    "QUERY_GROUPS",
    "QUERY_USERS",
    "REALM_MANAGEMENT",
    "ROLES_TO_CHOOSE",
    "VIEW_CLIENTS",
    "VIEW_EVENTS",
    "VIEW_IDENTITY_PROVIDERS",
    "VIEW_ORGANIZATIONS",
    "VIEW_REALM",
    "VIEW_USERS",
    "Needs",
    "Rights",
    "rights_in",
]

MASTER: Final = "master"
REALM_MANAGEMENT: Final = "realm-management"
_FEW: Final = 3


@dataclass(frozen=True, slots=True)
class Needs:
    """The management roles that a call takes: of each set, one. ``a & b`` takes both, ``a | b`` either."""

    each: tuple[frozenset[str], ...]

    def __and__(self, other: "Needs") -> "Needs":
        return Needs(self.each + other.each)

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(tuple(mine | theirs for mine in self.each for theirs in other.each))


def _one_of(*roles: str) -> Needs:
    return Needs((frozenset(roles),))


MANAGE_REALM: Final = _one_of("manage-realm")
VIEW_REALM: Final = _one_of("view-realm", "manage-realm")
MANAGE_CLIENTS: Final = _one_of("manage-clients")
VIEW_CLIENTS: Final = _one_of("view-clients", "manage-clients")
QUERY_CLIENTS: Final = _one_of("query-clients", "view-clients", "manage-clients")
MANAGE_USERS: Final = _one_of("manage-users")
VIEW_USERS: Final = _one_of("view-users", "manage-users")
QUERY_USERS: Final = _one_of("query-users", "view-users", "manage-users")
QUERY_GROUPS: Final = _one_of("query-groups", "view-users", "manage-users")
MANAGE_EVENTS: Final = _one_of("manage-events")
VIEW_EVENTS: Final = _one_of("view-events", "manage-events")
VIEW_IDENTITY_PROVIDERS: Final = _one_of("view-identity-providers", "manage-identity-providers")
MANAGE_IDENTITY_PROVIDERS: Final = _one_of("manage-identity-providers")
MANAGE_ORGANIZATIONS: Final = _one_of("manage-organizations", "manage-realm")
VIEW_ORGANIZATIONS: Final = _one_of("query-organizations", "view-organizations", "manage-organizations", "manage-realm")
IMPERSONATE: Final = _one_of("impersonation")
ROLES_TO_CHOOSE: Final = VIEW_REALM | MANAGE_IDENTITY_PROVIDERS
"""Listing the realm's roles: identity provider mappers choose among them."""

_READING_ROLES: Final = frozenset(
    f"{verb}-{noun}"
    for noun in ("realm", "users", "clients", "events", "identity-providers", "authorization", "organizations")
    for verb in ("view", "manage")
) | {"create-client", "query-clients", "query-groups", "query-organizations", "query-realms", "query-users"}
ANY_ROLE: Final = Needs((_READING_ROLES,))
"""Any management role but ``impersonation`` (Keycloak ``requireAnyAdminRole``)."""
DECIDED_WITHIN: Final = Needs(())
"""No role by itself: the endpoint decides, or the answer is the same for everybody."""

_ADMIN_ROLES: Final = _READING_ROLES | {"admin", "create-realm", "realm-admin", "impersonation"}
"""Names of roles that are given with care, wherever they stand (Keycloak ``AdminRoles.ALL_ROLES``)."""
_GIVEN_WITH: Final[dict[str, Needs]] = {
    "query-clients": DECIDED_WITHIN,
    "query-groups": DECIDED_WITHIN,
    "query-organizations": DECIDED_WITHIN,
    "query-realms": DECIDED_WITHIN,
    "query-users": DECIDED_WITHIN,
    "create-client": MANAGE_CLIENTS,
    "manage-clients": MANAGE_CLIENTS,
    "view-clients": VIEW_CLIENTS,
    "manage-users": MANAGE_USERS,
    "view-users": VIEW_USERS,
    "manage-realm": MANAGE_REALM,
    "view-realm": VIEW_REALM,
    "manage-events": MANAGE_EVENTS,
    "view-events": VIEW_EVENTS,
    "manage-identity-providers": MANAGE_IDENTITY_PROVIDERS,
    "view-identity-providers": VIEW_IDENTITY_PROVIDERS,
    "manage-authorization": _one_of("manage-authorization", "manage-clients"),
    "view-authorization": _one_of("view-authorization", "manage-authorization", "view-clients", "manage-clients"),
    "manage-organizations": _one_of("manage-organizations", "manage-realm"),
    "view-organizations": _one_of("view-organizations", "manage-organizations", "manage-realm"),
    "impersonation": IMPERSONATE,
}
"""What one must hold to give a management role of the realm."""


def rights_in(
    reader: Reader, administrator: Administrator, master: RealmRepresentation, realm: RealmRepresentation
) -> "Rights":
    """What `administrator` may do in `realm`; nothing, where the token is neither of `realm` nor of master.

    Master's administrators hold roles of the client ``<realm>-realm`` in master, a realm's own those of
    ``realm-management`` in the realm.
    """
    own_id = f"{MASTER}-realm" if realm.id == master.id else REALM_MANAGEMENT
    own = ManagementClient(reader, str(realm.id), own_id)
    client = None if administrator.realm_id not in {realm.id, master.id} else own
    if client is not None and administrator.realm_id != realm.id:
        client = ManagementClient(reader, str(master.id), f"{realm.realm}-realm")
    return Rights(reader, administrator, client, own, str(master.id))


@dataclass(slots=True)
class ManagementClient:
    """A client whose roles are rights in a realm, looked up when it matters: who lists realms asks of many."""

    reader: Reader
    realm_id: str
    client_id: str
    _roles: dict[str, str] | None = None
    _asked: dict[str, str | None] = field(default_factory=dict)
    _id: str | None = None

    @property
    def id(self) -> str:
        """Its id; the empty text where it is gone, and with it every right."""
        if self._id is None:
            found = self.reader.keys_of(CLIENTS, self.realm_id, ("id",), where={"client_id": self.client_id})
            self._id = str(found[0][0]) if found else ""
        return self._id

    def role(self, name: str) -> str | None:
        """The id of its role of this name. The first few are looked up one by one: most callers ask for no more."""
        if self._roles is not None or len(self._asked) >= _FEW:
            return self.roles.get(name)
        if name not in self._asked:
            where: dict[str, str | None] = {"container_id": self.id, "name": name}
            found = self.reader.keys_of(ROLES, self.realm_id, ("id",), where=where) if self.id else ()
            self._asked[name] = str(found[0][0]) if found else None
        return self._asked[name]

    @property
    def roles(self) -> Mapping[str, str]:
        """The ids of its roles by name."""
        if self._roles is None:
            where: dict[str, str | None] = {"container_id": self.id}
            found = self.reader.keys_of(ROLES, self.realm_id, ("name", "id"), where=where) if self.id else ()
            self._roles = {str(name): str(id_) for name, id_ in found}
        return self._roles


@dataclass(slots=True)
class Rights:
    """What `administrator` may do in one realm, asked of `reader` when it matters."""

    reader: Reader
    administrator: Administrator
    client: ManagementClient | None
    """The client whose roles count; None where the token is of a third realm."""
    own_client: ManagementClient
    """The management client in the realm itself (in master, its own ``master-realm``)."""
    master_id: str
    _held: dict[str, bool] = field(default_factory=dict)

    def allows(self, needs: Needs) -> bool:
        """Whether one role of each set is held."""
        return all(self._any(roles) for roles in needs.each)

    def _any(self, roles: Iterable[str]) -> bool:
        return any(self.holds(role) for role in sorted(roles))

    def holds(self, role: str) -> bool:
        """Whether the administrator holds this management role now, and the client of the token has it in its scope."""
        known = self._held.get(role)
        if known is None:
            known = self._held[role] = self._holds(role)
        return known

    def _holds(self, role: str) -> bool:
        role_id = None if self.client is None else self.client.role(role)
        return role_id is not None and self.administrator.has(self.reader, role_id)

    def may_give(self, role: RoleRepresentation) -> bool:
        """Whether somebody who may manage users, or what holds the role, may give away this very role.

        A management role is given by who holds it, or what it amounts to; a role of master by who holds it. Master's
        ``admin`` gives any; nobody else gives ``realm-admin`` without holding it.
        Source: Keycloak ``RolePermissions.checkAdminRoles``; asked of Keycloak.
        """
        if role.name not in _ADMIN_ROLES or self._rules_the_server():
            return True
        if self.administrator.holds(self.reader, str(role.id)):
            return True
        if role.container_id == self.own_client.id:
            needs = _GIVEN_WITH.get(str(role.name))
            return needs is not None and self.allows(needs)
        return role.container_id != self.master_id and not self._rules_a_realm(role)

    def _rules_a_realm(self, role: RoleRepresentation) -> bool:
        """Whether it is a role of one of master's clients ``<realm>-realm``: a right in that realm."""
        owner = self.reader.get(CLIENTS, self.master_id, str(role.container_id))
        return owner is not None and str(owner.client_id).endswith("-realm")

    def _rules_the_server(self) -> bool:
        if self.administrator.realm_id != self.master_id:
            return False
        admin = self.reader.find(ROLES, self.master_id, container_id=self.master_id, name="admin")
        return admin is not None and self.administrator.has(self.reader, str(admin.id))

    def may_map(self, role: RoleRepresentation) -> bool:
        """Whether `role` may be given to a user or group (Keycloak ``canMapRole``)."""
        return self.allows(MANAGE_USERS) and self.may_give(role)

    def may_contain(self, role: RoleRepresentation) -> bool:
        """Whether `role` may be put into a composite (Keycloak ``canMapComposite``)."""
        return self.allows(self._manages(role)) and self.may_give(role)

    def may_scope(self, role: RoleRepresentation) -> bool:
        """Whether `role` may be put into a client's or client scope's scope (Keycloak ``canMapClientScope``)."""
        return self.allows(self._manages(role))

    def _manages(self, role: RoleRepresentation) -> Needs:
        return MANAGE_CLIENTS if role.client_role is True else MANAGE_REALM
