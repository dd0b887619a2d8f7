"""Whose roles, and who may see and change them. Source: Keycloak ``RoleContainerResource``, ``RoleByIdResource``."""

from dataclasses import dataclass
from urllib.parse import quote

from keyturn.admin.client_access import may_manage
from keyturn.admin.context import RealmView
from keyturn.admin.errors import Forbidden, NotFound
from keyturn.admin.permissions import MANAGE_REALM, MASTER, ROLES_TO_CHOOSE, VIEW_CLIENTS, VIEW_REALM, Needs
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.store.collections import CLIENTS, ROLES

__all__ = [
    "RoleContainer",
    "client_role_container",
    "find_role",
    "find_role_by_id",
    "realm_role_container",
    "require_manage_role",
]

_FIXED_IN_MASTER = frozenset({"admin", "create-realm"})
"""Master's realm roles that nobody changes."""


@dataclass(frozen=True, slots=True)
class RoleContainer:
    """A realm or a client as the owner of roles."""

    id: str
    client: ClientRepresentation | None
    path: str
    """Where its roles are, without ``/roles``."""
    list: Needs
    view: Needs

    @property
    def client_id(self) -> str | None:
        """The client's ``id``; None for the realm's own roles."""
        return None if self.client is None else self.id

    def require_manage(self, realm: RealmView) -> None:
        """Raises Forbidden unless the caller may change roles here; nobody changes those of management clients."""
        allowed = realm.may(MANAGE_REALM) if self.client is None else may_manage(realm, self.client)
        if not allowed:
            raise Forbidden


def realm_role_container(realm: RealmView) -> RoleContainer:
    """The realm as the owner of roles."""
    return RoleContainer(realm.id, None, f"/admin/realms/{quote(realm.name)}", ROLES_TO_CHOOSE, VIEW_REALM)


def client_role_container(realm: RealmView, client: ClientRepresentation) -> RoleContainer:
    """A client as the owner of roles."""
    path = f"/admin/realms/{quote(realm.name)}/clients/{client.id}"
    return RoleContainer(str(client.id), client, path, VIEW_CLIENTS, VIEW_CLIENTS)


def find_role(realm: RealmView, container: RoleContainer, name: str) -> RoleRepresentation:
    """The container's role of this name. Raises NotFound."""
    role = realm.reader.find(ROLES, realm.id, container_id=container.id, name=name)
    if role is None:
        raise NotFound("Could not find role")
    return role


def find_role_by_id(realm: RealmView, role_id: str) -> RoleRepresentation:
    """The role of this id. Raises NotFound."""
    role = realm.reader.get(ROLES, realm.id, role_id)
    if role is None:
        raise NotFound("Could not find role with id")
    return role


def require_manage_role(realm: RealmView, role: RoleRepresentation) -> None:
    """Raises Forbidden unless the caller may change this role."""
    container = realm_role_container(realm)
    if role.client_role is True:
        client = realm.reader.get(CLIENTS, realm.id, str(role.container_id))
        if client is None:
            raise Forbidden
        container = client_role_container(realm, client)
    container.require_manage(realm)
    if container.client is None and realm.name == MASTER and role.name in _FIXED_IN_MASTER:
        raise Forbidden
