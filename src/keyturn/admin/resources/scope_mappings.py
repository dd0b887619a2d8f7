"""Roles in the scope of clients and of client scopes.

Source: Keycloak ``ScopeMappedResource``, ``ScopeMappedClientResource``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import NoContent
from keyturn.admin.client_access import may_manage
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.effective_roles import closure
from keyturn.admin.errors import Forbidden, InvalidRequest, NotFound
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_CLIENTS, VIEW_CLIENTS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.admin.role_documents import role_documents, roles_by_id
from keyturn.admin.role_mapping import (
    find_client_of_roles,
    mappings_document,
    of_client,
    of_realm,
    roles_of,
    roles_of_realm,
)
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_scope import ClientScopeRepresentation
from keyturn.representations.mappings import MappingsRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.store.collections import ROLES
from keyturn.store.spi import Relation

__all__ = ["Scoped", "client_as_scoped", "client_scope_as_scoped", "scope_mappings"]

scope_mappings: Final = Resource("scope mappings", located=("scoped",), event=Recorded("REALM_SCOPE_MAPPING"))

_OF_CLIENT: Final = Recorded("CLIENT_SCOPE_MAPPING")


@dataclass(frozen=True, slots=True)
class Scoped:
    """A client or a client scope, whose scope roles are in."""

    id: str
    relation: Relation
    client: ClientRepresentation | None

    def mapped(self, realm: RealmView) -> list[RoleRepresentation]:
        """The roles that are in its scope directly."""
        return roles_by_id(realm, realm.reader.targets(self.relation, realm.id, self.id))

    def own(self, realm: RealmView) -> list[RoleRepresentation]:
        """A client's own roles, which are always in its scope."""
        return [] if self.client is None else roles_of(realm, self.client)

    def effective(self, realm: RealmView, roles: Iterable[RoleRepresentation]) -> list[RoleRepresentation]:
        """Those of `roles` that are in its scope in whatever way."""
        if self.client is not None and self.client.full_scope_allowed is True:
            return list(roles)
        direct = {*realm.reader.targets(self.relation, realm.id, self.id), *(str(role.id) for role in self.own(realm))}
        found = closure(realm.reader, realm.id, direct)
        return [role for role in roles if role.id in found]

    def available(self, realm: RealmView, roles: Iterable[RoleRepresentation]) -> list[RoleRepresentation]:
        """Those of `roles` that the caller may put into its scope and that are not in it directly."""
        direct = {*realm.reader.targets(self.relation, realm.id, self.id), *(str(role.id) for role in self.own(realm))}
        return [role for role in roles if role.id not in direct and realm.rights.may_scope(role)]

    def require_manage(self, realm: RealmView) -> None:
        """Raises Forbidden unless the caller may change it."""
        allowed = realm.may(MANAGE_CLIENTS) if self.client is None else may_manage(realm, self.client)
        if not allowed:
            raise Forbidden


def client_as_scoped(realm: RealmView, client: ClientRepresentation) -> Scoped:
    """A client as what has a scope."""
    return Scoped(str(client.id), Relation.CLIENT_ROLE_SCOPE, client)


def client_scope_as_scoped(realm: RealmView, client_scope: ClientScopeRepresentation) -> Scoped:
    """A client scope as what has a scope."""
    return Scoped(str(client_scope.id), Relation.CLIENT_SCOPE_ROLE_SCOPE, None)


@dataclass(frozen=True, slots=True)
class BriefQuery(Query):
    """Whether attributes are left out."""

    brief_representation: bool = True


@scope_mappings.get("", needs=VIEW_CLIENTS)
def get_scope_mappings(realm: RealmView, scoped: Scoped) -> MappingsRepresentation:
    """All roles that are in the scope directly."""
    return mappings_document(realm, scoped.mapped(realm))


@scope_mappings.get("realm", needs=VIEW_CLIENTS)
def get_realm_scope_mappings(realm: RealmView, scoped: Scoped) -> list[RoleRepresentation]:
    """The realm roles that are in the scope directly."""
    return role_documents(realm, of_realm(scoped.mapped(realm)))


@scope_mappings.get("realm/available", needs=VIEW_CLIENTS)
def get_available_realm_scope_mappings(realm: RealmView, scoped: Scoped) -> list[RoleRepresentation]:
    """The realm roles that could be put into the scope."""
    return role_documents(realm, scoped.available(realm, roles_of_realm(realm)))


@scope_mappings.get("realm/composite", needs=VIEW_CLIENTS)
def get_effective_realm_scope_mappings(realm: RealmView, scoped: Scoped, query: BriefQuery) -> list[RoleRepresentation]:
    """The realm roles that are in the scope in whatever way."""
    found = scoped.effective(realm, roles_of_realm(realm))
    return role_documents(realm, found, brief=query.brief_representation)


@scope_mappings.post("realm", needs=DECIDED_WITHIN)
def add_realm_scope_mappings(realm: RealmAdmin, scoped: Scoped, roles: list[RoleRepresentation]) -> NoContent:
    """Puts roles, named by id, into the scope: Keycloak takes those of clients here, too."""
    scoped.require_manage(realm)
    return _add(realm, scoped, (_by_id(realm, role) for role in roles))


@scope_mappings.delete("realm", needs=DECIDED_WITHIN)
def delete_realm_scope_mappings(realm: RealmAdmin, scoped: Scoped, roles: list[RoleRepresentation] | None) -> NoContent:
    """Takes roles, named by id, out of the scope; without a body, all of the realm's."""
    scoped.require_manage(realm)
    if roles is None:
        return _remove(realm, scoped, of_realm(scoped.mapped(realm)))
    return _remove(realm, scoped, (_by_id(realm, role) for role in roles))


@scope_mappings.get("clients/{of_client_id}", needs=VIEW_CLIENTS)
def get_client_scope_mappings(realm: RealmView, scoped: Scoped, of_client_id: str) -> list[RoleRepresentation]:
    """A client's roles that are in the scope directly."""
    return role_documents(realm, of_client(scoped.mapped(realm), find_client_of_roles(realm, of_client_id)))


@scope_mappings.get("clients/{of_client_id}/available", needs=VIEW_CLIENTS)
def get_available_client_scope_mappings(
    realm: RealmView, scoped: Scoped, of_client_id: str
) -> list[RoleRepresentation]:
    """A client's roles that could be put into the scope."""
    roles = roles_of(realm, find_client_of_roles(realm, of_client_id))
    return role_documents(realm, scoped.available(realm, roles))


@scope_mappings.get("clients/{of_client_id}/composite", needs=VIEW_CLIENTS)
def get_effective_client_scope_mappings(
    realm: RealmView, scoped: Scoped, of_client_id: str, query: BriefQuery
) -> list[RoleRepresentation]:
    """A client's roles that are in the scope in whatever way."""
    roles = roles_of(realm, find_client_of_roles(realm, of_client_id))
    return role_documents(realm, scoped.effective(realm, roles), brief=query.brief_representation)


@scope_mappings.post("clients/{of_client_id}", needs=DECIDED_WITHIN, event=_OF_CLIENT)
def add_client_scope_mappings(
    realm: RealmAdmin, scoped: Scoped, of_client_id: str, roles: list[RoleRepresentation]
) -> NoContent:
    """Puts a client's roles, named by name, into the scope."""
    scoped.require_manage(realm)
    client = find_client_of_roles(realm, of_client_id)
    return _add(realm, scoped, (_by_name(realm, client, role) for role in roles))


@scope_mappings.delete("clients/{of_client_id}", needs=DECIDED_WITHIN, event=_OF_CLIENT)
def delete_client_scope_mappings(
    realm: RealmAdmin, scoped: Scoped, of_client_id: str, roles: list[RoleRepresentation] | None
) -> NoContent:
    """Takes a client's roles, named by name, out of the scope; without a body, all."""
    scoped.require_manage(realm)
    client = find_client_of_roles(realm, of_client_id)
    if roles is None:
        return _remove(realm, scoped, of_client(scoped.mapped(realm), client))
    return _remove(realm, scoped, (_by_name(realm, client, role) for role in roles))


def _add(realm: RealmAdmin, scoped: Scoped, roles: Iterable[RoleRepresentation]) -> NoContent:
    for role in roles:
        _require_may_scope(realm, role)
        realm.tx.link(scoped.relation, realm.id, scoped.id, str(role.id))
    return NoContent()


def _remove(realm: RealmAdmin, scoped: Scoped, roles: Iterable[RoleRepresentation]) -> NoContent:
    for role in roles:
        _require_may_scope(realm, role)
        realm.tx.unlink(scoped.relation, realm.id, scoped.id, str(role.id))
    return NoContent()


def _require_may_scope(realm: RealmView, role: RoleRepresentation) -> None:
    if not realm.rights.may_scope(role):
        raise Forbidden


def _by_id(realm: RealmView, named: RoleRepresentation) -> RoleRepresentation:
    """Raises InvalidRequest without an id; NotFound."""
    if not isinstance(named.id, str):
        raise InvalidRequest("A role needs an id")
    role = realm.reader.get(ROLES, realm.id, named.id)
    if role is None:
        raise NotFound("Role not found")
    return role


def _by_name(realm: RealmView, client: ClientRepresentation, named: RoleRepresentation) -> RoleRepresentation:
    """Raises NotFound."""
    role = None
    if isinstance(named.name, str):
        role = realm.reader.find(ROLES, realm.id, container_id=str(client.id), name=named.name)
    if role is None:
        raise NotFound("Role not found")
    return role
