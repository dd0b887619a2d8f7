"""Roles of a realm or of a client by name: one resource, mounted at both containers.

Source: Keycloak ``RoleContainerResource``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin.admin_events import Located, Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import NotEnabled
from keyturn.admin.group_documents import group_document, group_path_order
from keyturn.admin.like import like
from keyturn.admin.paging import page_of_those, slice_of
from keyturn.admin.permissions import DECIDED_WITHIN, QUERY_GROUPS, QUERY_USERS, VIEW_USERS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.admin.role_access import RoleContainer, find_role, require_manage_role
from keyturn.admin.role_changes import (
    change_role,
    contain,
    contained_roles,
    make_role,
    no_longer_contain,
    remove_role,
)
from keyturn.admin.role_documents import role_document, role_documents, roles_by_id
from keyturn.admin.role_mapping import find_client_of_roles, of_client, of_realm
from keyturn.admin.user_access import listed_users
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import GROUPS, ROLES, USERS
from keyturn.store.spi import Relation

__all__ = ["roles"]


def _type(_realm: RealmView, values: Located) -> str:
    return "REALM_ROLE" if values["container"].client is None else "CLIENT_ROLE"


def _named(realm: RealmView, values: Located, _body: Any) -> RoleRepresentation:
    role = find_role(realm, values["container"], values["role_name"])
    return RoleRepresentation(id=role.id, name=role.name)


roles: Final = Resource("roles", located=("container",), event=Recorded(_type))

_PAGE: Final = 100
"""Members of a role in one answer, unless the query says how many."""


@dataclass(frozen=True, slots=True)
class RoleQuery(Query):
    """``first`` and ``max`` page only together; with ``search``, a part of name or description, each counts."""

    search: str | None = None
    first: int | None = None
    max: int | None = None
    brief_representation: bool = True


@roles.get("", needs=DECIDED_WITHIN)
def get_roles(realm: RealmView, container: RoleContainer, query: RoleQuery) -> list[RoleRepresentation]:
    """The container's roles by name."""
    realm.require(container.list)
    where: dict[str, str | None] = {"container_id": container.id}

    def read(start: int, count: int | None) -> Sequence[RoleRepresentation]:
        return realm.reader.select(ROLES, realm.id, where=where, order_by="name", first=start, limit=count)

    part = (query.search or "").strip().lower()
    if part:
        matching = like(f"%{part}%")
        found = page_of_those(lambda r: matching(r.name) or matching(r.description), read, query.first, query.max)
    elif query.first is not None and query.max is not None:
        found = list(read(max(query.first, 0), None if query.max < 0 else query.max))
    else:
        found = list(read(0, None))
    return role_documents(realm, found, brief=query.brief_representation)


@roles.post("", needs=DECIDED_WITHIN)
def post_role(realm: RealmAdmin, container: RoleContainer, role: RoleRepresentation) -> Created:
    """Creates a role; with ``composite``, it contains the roles that are named."""
    container.require_manage(realm)
    name = str(make_role(realm, role, client_id=container.client_id).name)
    return Created(name, f"{container.path}/roles") if name else Created("roles", container.path)


@roles.get("{role_name}", needs=DECIDED_WITHIN)
def get_role(realm: RealmView, container: RoleContainer, role_name: str) -> RoleRepresentation:
    """The role."""
    realm.require(container.view)
    return role_document(realm, find_role(realm, container, role_name), brief=False)


@roles.put("{role_name}", needs=DECIDED_WITHIN)
def put_role(realm: RealmAdmin, container: RoleContainer, role_name: str, role: RoleRepresentation) -> NoContent:
    """Changes name, description and attributes."""
    change_role(realm, _to_change(realm, container, role_name), role)
    return NoContent()


@roles.delete("{role_name}", needs=DECIDED_WITHIN, no_cache=True, event=Recorded(_type, shows=_named))
def delete_role(realm: RealmAdmin, container: RoleContainer, role_name: str) -> NoContent:
    """Removes the role."""
    remove_role(realm, _to_change(realm, container, role_name))
    return NoContent()


def _to_change(realm: RealmView, container: RoleContainer, role_name: str) -> RoleRepresentation:
    container.require_manage(realm)
    role = find_role(realm, container, role_name)
    require_manage_role(realm, role)
    return role


@roles.get("{role_name}/composites", needs=DECIDED_WITHIN)
def get_composites(realm: RealmView, container: RoleContainer, role_name: str) -> list[RoleRepresentation]:
    """The roles that the role contains."""
    return role_documents(realm, _contained(realm, container, role_name))


@roles.post("{role_name}/composites", needs=DECIDED_WITHIN)
def post_composites(
    realm: RealmAdmin, container: RoleContainer, role_name: str, composites: list[RoleRepresentation]
) -> NoContent:
    """Puts roles, named by id, into the role."""
    contain(realm, _to_change(realm, container, role_name), contained_roles(realm, composites))
    return NoContent()


@roles.delete("{role_name}/composites", needs=DECIDED_WITHIN)
def delete_composites(
    realm: RealmAdmin, container: RoleContainer, role_name: str, composites: list[RoleRepresentation]
) -> NoContent:
    """Takes roles, named by id, out of the role."""
    no_longer_contain(realm, _to_change(realm, container, role_name), contained_roles(realm, composites))
    return NoContent()


@roles.get("{role_name}/composites/realm", needs=DECIDED_WITHIN)
def get_realm_composites(realm: RealmView, container: RoleContainer, role_name: str) -> list[RoleRepresentation]:
    """The realm roles among those that the role contains."""
    return role_documents(realm, of_realm(_contained(realm, container, role_name)))


@roles.get("{role_name}/composites/clients/{of_client_id}", needs=DECIDED_WITHIN)
def get_client_composites(
    realm: RealmView, container: RoleContainer, role_name: str, of_client_id: str
) -> list[RoleRepresentation]:
    """One client's roles among those that the role contains."""
    contained = _contained(realm, container, role_name)
    return role_documents(realm, of_client(contained, find_client_of_roles(realm, of_client_id)))


def _contained(realm: RealmView, container: RoleContainer, role_name: str) -> list[RoleRepresentation]:
    realm.require(container.view)
    role = find_role(realm, container, role_name)
    return roles_by_id(realm, realm.reader.targets(Relation.COMPOSITE, realm.id, str(role.id)))


@dataclass(frozen=True, slots=True)
class UsersOfRoleQuery(Query):
    """A page, by user name, a hundred of them unless ``max`` says otherwise."""

    first: int | None = None
    max: int | None = None
    brief_representation: bool = False


@roles.get("{role_name}/users", needs=DECIDED_WITHIN)
def get_users_of_role(
    realm: RealmView, container: RoleContainer, role_name: str, query: UsersOfRoleQuery
) -> list[UserRepresentation]:
    """Who holds the role directly; none for who may only query users."""
    realm.require(container.view)
    realm.require(QUERY_USERS)
    role = find_role(realm, container, role_name)
    if not realm.may(VIEW_USERS):
        return []
    most = _PAGE if query.max is None else query.max
    page = realm.reader.page_of_sources(
        USERS,
        Relation.USER_ROLE,
        realm.id,
        str(role.id),
        order_by="username",
        first=max(query.first or 0, 0),
        limit=None if most < 0 else most,
    )
    return listed_users(realm, page, brief=query.brief_representation)


@dataclass(frozen=True, slots=True)
class GroupsOfRoleQuery(Query):
    """A page, by name, a hundred of them unless ``max`` says otherwise."""

    first: int | None = None
    max: int | None = None
    brief_representation: bool = True


@roles.get("{role_name}/groups", needs=DECIDED_WITHIN)
def get_groups_of_role(
    realm: RealmView, container: RoleContainer, role_name: str, query: GroupsOfRoleQuery
) -> list[GroupRepresentation]:
    """The groups that hold the role directly; none for who may only query groups."""
    realm.require(container.view)
    realm.require(QUERY_GROUPS)
    role = find_role(realm, container, role_name)
    if not realm.may(VIEW_USERS):
        return []
    ids = realm.reader.sources(Relation.GROUP_ROLE, realm.id, str(role.id))
    groups = sorted(realm.reader.get_many(GROUPS, realm.id, ids), key=group_path_order)
    page = slice_of(groups, query.first, _PAGE if query.max is None else query.max)
    return [group_document(realm, group, brief=query.brief_representation) for group in page]


@roles.get("{role_name}/management/permissions", needs=DECIDED_WITHIN)
def get_permissions_of_role(realm: RealmView, container: RoleContainer, role_name: str) -> None:
    """Fine-grained permissions, which are off."""
    raise NotEnabled


@roles.put("{role_name}/management/permissions", needs=DECIDED_WITHIN, event=None)
def put_permissions_of_role(realm: RealmView, container: RoleContainer, role_name: str) -> None:
    """Fine-grained permissions, which are off."""
    raise NotEnabled
