"""Roles of a realm or of a client: one resource, mounted at both containers.

Source: Keycloak ``RoleContainerResource``, ``RoleResource``.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from keyturn.admin.answers import Created
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_CLIENTS, MANAGE_REALM, ROLES_TO_CHOOSE, VIEW_CLIENTS, Needs
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.representations import UNSET, given, present
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.store.collections import ROLES
from keyturn.store.spi import Relation

__all__ = ["RoleContainer", "client_role_container", "realm_role_container", "roles"]


@dataclass(frozen=True, slots=True)
class RoleContainer:
    """Whose roles: a realm's or a client's, and what it takes to list and change them."""

    id: str
    is_client: bool
    list: Needs
    manage: Needs


def realm_role_container(realm: RealmView) -> RoleContainer:
    """The realm as the owner of roles."""
    return RoleContainer(realm.id, False, ROLES_TO_CHOOSE, MANAGE_REALM)


def client_role_container(realm: RealmView, client: ClientRepresentation) -> RoleContainer:
    """A client as the owner of roles."""
    return RoleContainer(str(client.id), True, VIEW_CLIENTS, MANAGE_CLIENTS)


roles: Final = Resource("roles", located=("container",))


@dataclass(frozen=True, slots=True)
class RoleQuery(Query):
    """``first`` and ``max`` page only together; with ``search`` each counts."""

    search: str | None = None
    first: int | None = None
    max: int | None = None
    brief_representation: bool = True


@roles.get("", needs=DECIDED_WITHIN)
def get_roles(realm: RealmView, container: RoleContainer, query: RoleQuery) -> list[RoleRepresentation]:
    """The container's roles by name. Source: Keycloak ``RoleContainerResource.getRoles``."""
    realm.require(container.list)
    found = realm.reader.select(ROLES, realm.id, where={"container_id": container.id}, order_by="name")
    composites = composite_roles(realm)
    return [role_document(role, composites, brief=query.brief_representation) for role in found]


@roles.post("", needs=DECIDED_WITHIN)
def create_role(realm: RealmAdmin, container: RoleContainer, role: RoleRepresentation) -> Created:
    """Creates a role. Source: Keycloak ``RoleContainerResource.createRole``."""
    realm.require(container.manage)
    if not present(role.name):
        raise BadRequest("role has no name")
    stored = RoleRepresentation(
        id=realm.new_id(),
        name=role.name,
        description=role.description,
        client_role=container.is_client,
        container_id=container.id,
        attributes=given(role.attributes, {}),
    )
    realm.insert(ROLES, stored)
    return Created(str(stored.name))


def role_document(role: RoleRepresentation, composites: frozenset[str], *, brief: bool) -> RoleRepresentation:
    """The stored `role` as the wire has it; `composites` are the ids of the roles that contain others."""
    composite = role.id in composites
    return replace(role, composite=composite, attributes=UNSET if brief else given(role.attributes, {}))


def composite_roles(realm: RealmView) -> frozenset[str]:
    """The ids of the realm's roles that contain others."""
    return frozenset(source for source, _ in realm.reader.pairs(Relation.COMPOSITE, realm.id))
