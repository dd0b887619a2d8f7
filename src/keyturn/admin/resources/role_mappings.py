"""Roles of users and groups. Source: Keycloak ``RoleMapperResource``, ``ClientRoleMappingsResource``."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin.admin_events import Located, Recorded
from keyturn.admin.answers import NoContent, Unchanged
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.effective_roles import roles_of_group, roles_of_user
from keyturn.admin.errors import Forbidden, NotFound
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_USERS, VIEW_CLIENTS, VIEW_REALM, VIEW_USERS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.admin.role_documents import role_documents, roles_by_id
from keyturn.admin.role_mapping import mappings_document, of_client, of_realm, roles_of, roles_of_realm
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.mappings import MappingsRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, ROLES
from keyturn.store.spi import Reader, Relation

__all__ = ["RoleHolder", "client_role_mappings", "group_as_holder", "mapped_client", "role_mappings", "user_as_holder"]


def _realm_roles(realm: RealmView, values: Located, body: Any) -> Any:
    return of_realm(values["holder"].mapped(realm)) if body is None else body


def _client_roles(realm: RealmView, values: Located, body: Any) -> Any:
    mapped = values["holder"].mapped(realm)
    return of_client(mapped, values["mapped_client"]) if body is None else body


role_mappings: Final = Resource(
    "role mappings", located=("holder",), event=Recorded("REALM_ROLE_MAPPING", shows=_realm_roles)
)
client_role_mappings: Final = Resource(
    "client role mappings",
    located=("holder", "mapped_client"),
    event=Recorded("CLIENT_ROLE_MAPPING", shows=_client_roles),
)


@dataclass(frozen=True, slots=True)
class RoleHolder:
    """A user or a group, to which roles are mapped."""

    id: str
    relation: Relation
    effective: Callable[[Reader, str, str], frozenset[str]]
    """Ids of the realm roles that it holds, by reader, realm and its id."""
    effective_of_client: Callable[[Reader, str, str], frozenset[str]]
    """Ids of the client roles that it is said to hold."""

    def mapped(self, realm: RealmView) -> list[RoleRepresentation]:
        """The roles that are mapped to it directly."""
        return roles_by_id(realm, realm.reader.targets(self.relation, realm.id, self.id))


def user_as_holder(realm: RealmView, user: UserRepresentation) -> RoleHolder:
    """A user as the holder of roles."""
    return RoleHolder(str(user.id), Relation.USER_ROLE, roles_of_user, roles_of_user)


def group_as_holder(realm: RealmView, group: GroupRepresentation) -> RoleHolder:
    """A group as the holder of roles. Keycloak does not tell client roles of the groups above it."""
    return RoleHolder(str(group.id), Relation.GROUP_ROLE, roles_of_group, _own_roles_of_group)


def _own_roles_of_group(reader: Reader, realm_id: str, group_id: str) -> frozenset[str]:
    return roles_of_group(reader, realm_id, group_id, inherited=False)


def mapped_client(realm: RealmView, mapped_client_id: str) -> ClientRepresentation:
    """The client whose roles are asked for; everybody is told that there is none. Raises NotFound."""
    client = realm.reader.get(CLIENTS, realm.id, mapped_client_id)
    if client is None:
        raise NotFound("Client not found")
    return client


@dataclass(frozen=True, slots=True)
class BriefQuery(Query):
    """Whether attributes are left out."""

    brief_representation: bool = True


@role_mappings.get("", needs=VIEW_USERS)
def get_mappings(realm: RealmView, holder: RoleHolder) -> MappingsRepresentation:
    """All roles that are mapped directly and that the caller may see."""
    seen = [role for role in holder.mapped(realm) if realm.may(VIEW_CLIENTS if role.client_role else VIEW_REALM)]
    return mappings_document(realm, seen)


@role_mappings.get("realm", needs=VIEW_USERS)
def get_realm_mappings(realm: RealmView, holder: RoleHolder) -> list[RoleRepresentation]:
    """The realm roles that are mapped directly."""
    return role_documents(realm, of_realm(holder.mapped(realm)))


@role_mappings.get("realm/available", needs=VIEW_USERS)
def get_available_realm_mappings(realm: RealmView, holder: RoleHolder) -> list[RoleRepresentation]:
    """The realm roles that the caller may map and that are not mapped directly."""
    return role_documents(realm, _available(realm, holder, roles_of_realm(realm)))


@role_mappings.get("realm/composite", needs=VIEW_USERS)
def get_effective_realm_mappings(realm: RealmView, holder: RoleHolder, query: BriefQuery) -> list[RoleRepresentation]:
    """The realm roles that it holds in whatever way."""
    held = roles_by_id(realm, holder.effective(realm.reader, realm.id, holder.id))
    return role_documents(realm, of_realm(held), brief=query.brief_representation)


@role_mappings.post("realm", needs=DECIDED_WITHIN)
def add_realm_mappings(realm: RealmAdmin, holder: RoleHolder, roles: list[RoleRepresentation]) -> NoContent:
    """Maps realm roles, each named by id and name."""
    return _map(realm, holder, realm.id, roles)


@role_mappings.delete("realm", needs=DECIDED_WITHIN)
def delete_realm_mappings(realm: RealmAdmin, holder: RoleHolder, roles: list[RoleRepresentation] | None) -> NoContent:
    """Takes realm roles away, each named by id and name; without a body, all."""
    return _unmap(realm, holder, realm.id, of_realm(holder.mapped(realm)) if roles is None else roles)


@client_role_mappings.get("", needs=VIEW_USERS & VIEW_CLIENTS)
def get_client_mappings(
    realm: RealmView, holder: RoleHolder, mapped_client: ClientRepresentation
) -> list[RoleRepresentation]:
    """The client's roles that are mapped directly."""
    return role_documents(realm, of_client(holder.mapped(realm), mapped_client))


@client_role_mappings.get("available", needs=VIEW_USERS)
def get_available_client_mappings(
    realm: RealmView, holder: RoleHolder, mapped_client: ClientRepresentation
) -> list[RoleRepresentation]:
    """The client's roles that the caller may map and that are not mapped directly."""
    return role_documents(realm, _available(realm, holder, roles_of(realm, mapped_client)))


@client_role_mappings.get("composite", needs=VIEW_USERS & VIEW_CLIENTS)
def get_effective_client_mappings(
    realm: RealmView, holder: RoleHolder, mapped_client: ClientRepresentation, query: BriefQuery
) -> list[RoleRepresentation]:
    """The client's roles that it holds in whatever way."""
    held = roles_by_id(realm, holder.effective_of_client(realm.reader, realm.id, holder.id))
    return role_documents(realm, of_client(held, mapped_client), brief=query.brief_representation)


@client_role_mappings.post("", needs=DECIDED_WITHIN)
def add_client_mappings(
    realm: RealmAdmin, holder: RoleHolder, mapped_client: ClientRepresentation, roles: list[RoleRepresentation]
) -> NoContent:
    """Maps roles of the client, each named by id and name."""
    return _map(realm, holder, str(mapped_client.id), roles)


@client_role_mappings.delete("", needs=DECIDED_WITHIN)
def delete_client_mappings(
    realm: RealmAdmin, holder: RoleHolder, mapped_client: ClientRepresentation, roles: list[RoleRepresentation] | None
) -> NoContent:
    """Takes roles of the client away, each named by id and name; without a body, all."""
    taken = of_client(holder.mapped(realm), mapped_client) if roles is None else roles
    return _unmap(realm, holder, str(mapped_client.id), taken)


def _available(realm: RealmView, holder: RoleHolder, roles: Iterable[RoleRepresentation]) -> list[RoleRepresentation]:
    if not realm.may(MANAGE_USERS):
        return []
    mapped = set(realm.reader.targets(holder.relation, realm.id, holder.id))
    return [role for role in roles if role.id not in mapped and realm.rights.may_map(role)]


def _map(realm: RealmAdmin, holder: RoleHolder, container: str, roles: Collection[RoleRepresentation]) -> NoContent:
    realm.require(MANAGE_USERS)
    for role in roles:
        realm.tx.link(holder.relation, realm.id, holder.id, str(_to_map(realm, container, role).id))
    return NoContent() if roles else Unchanged()


def _unmap(realm: RealmAdmin, holder: RoleHolder, container: str, roles: Iterable[RoleRepresentation]) -> NoContent:
    realm.require(MANAGE_USERS)
    for role in roles:
        realm.tx.unlink(holder.relation, realm.id, holder.id, str(_to_map(realm, container, role).id))
    return NoContent()


def _to_map(realm: RealmView, container: str, named: RoleRepresentation) -> RoleRepresentation:
    """The container's role whose id and name these are. Raises NotFound; Forbidden where it is not the caller's."""
    role = realm.reader.get(ROLES, realm.id, named.id) if isinstance(named.id, str) else None
    if role is None or role.name != named.name or role.container_id != container:
        raise NotFound("Role not found")
    if not realm.rights.may_map(role):
        raise Forbidden
    return role
