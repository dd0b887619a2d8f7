"""Roles by id, whosever they are. Source: Keycloak ``RoleByIdResource``."""

from dataclasses import dataclass
from typing import Final

from keyturn.admin.admin_events import Located, Recorded
from keyturn.admin.answers import NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import NotEnabled
from keyturn.admin.like import like
from keyturn.admin.paging import slice_of
from keyturn.admin.permissions import DECIDED_WITHIN, VIEW_CLIENTS, VIEW_REALM
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.admin.role_access import find_role_by_id, require_manage_role
from keyturn.admin.role_changes import change_role, contain, contained_roles, no_longer_contain, remove_role
from keyturn.admin.role_documents import role_document, role_documents, roles_by_id
from keyturn.admin.role_mapping import find_client_of_roles, of_client, of_realm
from keyturn.representations.role import RoleRepresentation
from keyturn.store.spi import Relation

__all__ = ["roles_by_id_resource"]


def _type(realm: RealmView, values: Located) -> str:
    return "CLIENT_ROLE" if find_role_by_id(realm, values["role_id"]).client_role is True else "REALM_ROLE"


roles_by_id_resource: Final = Resource("roles by id", event=Recorded(_type))


@roles_by_id_resource.get("{role_id}", needs=DECIDED_WITHIN)
def get_role_by_id(realm: RealmView, role_id: str) -> RoleRepresentation:
    """The role; everybody is told that there is none."""
    return role_document(realm, _to_see(realm, role_id), brief=False)


@roles_by_id_resource.put("{role_id}", needs=DECIDED_WITHIN)
def put_role_by_id(realm: RealmAdmin, role_id: str, role: RoleRepresentation) -> NoContent:
    """Changes name, description and attributes."""
    change_role(realm, _to_change(realm, role_id), role)
    return NoContent()


@roles_by_id_resource.delete("{role_id}", needs=DECIDED_WITHIN, no_cache=True)
def delete_role_by_id(realm: RealmAdmin, role_id: str) -> NoContent:
    """Removes the role."""
    remove_role(realm, _to_change(realm, role_id))
    return NoContent()


@dataclass(frozen=True, slots=True)
class CompositesQuery(Query):
    """A page by name; ``search`` is a part of the name."""

    search: str | None = None
    first: int | None = None
    max: int | None = None


@roles_by_id_resource.get("{role_id}/composites", needs=DECIDED_WITHIN)
def get_composites_by_id(realm: RealmView, role_id: str, query: CompositesQuery) -> list[RoleRepresentation]:
    """The roles that the role contains."""
    matching = like(f"%{(query.search or '').strip()}%")
    found = [role for role in _contained(realm, role_id) if matching(role.name)]
    return role_documents(realm, slice_of(found, query.first, query.max))


@roles_by_id_resource.post("{role_id}/composites", needs=DECIDED_WITHIN)
def post_composites_by_id(realm: RealmAdmin, role_id: str, composites: list[RoleRepresentation]) -> NoContent:
    """Puts roles, named by id, into the role."""
    contain(realm, _to_change(realm, role_id), contained_roles(realm, composites))
    return NoContent()


@roles_by_id_resource.delete("{role_id}/composites", needs=DECIDED_WITHIN)
def delete_composites_by_id(realm: RealmAdmin, role_id: str, composites: list[RoleRepresentation]) -> NoContent:
    """Takes roles, named by id, out of the role."""
    no_longer_contain(realm, _to_change(realm, role_id), contained_roles(realm, composites))
    return NoContent()


@roles_by_id_resource.get("{role_id}/composites/realm", needs=DECIDED_WITHIN)
def get_realm_composites_by_id(realm: RealmView, role_id: str) -> list[RoleRepresentation]:
    """The realm roles among those that the role contains."""
    return role_documents(realm, of_realm(_contained(realm, role_id)))


@roles_by_id_resource.get("{role_id}/composites/clients/{of_client_id}", needs=DECIDED_WITHIN)
def get_client_composites_by_id(realm: RealmView, role_id: str, of_client_id: str) -> list[RoleRepresentation]:
    """One client's roles among those that the role contains."""
    contained = _contained(realm, role_id)
    return role_documents(realm, of_client(contained, find_client_of_roles(realm, of_client_id)))


def _contained(realm: RealmView, role_id: str) -> list[RoleRepresentation]:
    role = _to_see(realm, role_id)
    return roles_by_id(realm, realm.reader.targets(Relation.COMPOSITE, realm.id, str(role.id)))


def _to_see(realm: RealmView, role_id: str) -> RoleRepresentation:
    role = find_role_by_id(realm, role_id)
    realm.require(VIEW_CLIENTS if role.client_role is True else VIEW_REALM)
    return role


def _to_change(realm: RealmView, role_id: str) -> RoleRepresentation:
    role = find_role_by_id(realm, role_id)
    require_manage_role(realm, role)
    return role


@roles_by_id_resource.get("{role_id}/management/permissions", needs=DECIDED_WITHIN)
def get_permissions_by_id(realm: RealmView, role_id: str) -> None:
    """Fine-grained permissions, which are off."""
    raise NotEnabled


@roles_by_id_resource.put("{role_id}/management/permissions", needs=DECIDED_WITHIN, event=None)
def put_permissions_by_id(realm: RealmView, role_id: str) -> None:
    """Fine-grained permissions, which are off."""
    raise NotEnabled
