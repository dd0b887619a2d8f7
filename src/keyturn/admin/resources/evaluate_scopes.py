"""What scopes come to: mappers, roles and examples of tokens. Source: Keycloak ``ClientScopeEvaluateResource``."""

from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin.context import RealmView
from keyturn.admin.errors import Forbidden, NotFound
from keyturn.admin.permissions import VIEW_CLIENTS, VIEW_USERS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.admin.role_documents import role_documents
from keyturn.admin.role_mapping import roles_of, roles_of_realm
from keyturn.admin.scope_evaluation import Evaluation
from keyturn.representations import given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, USERS

__all__ = ["evaluate_scopes"]

evaluate_scopes: Final = Resource("evaluate scopes", located=("client",))


@dataclass(frozen=True, slots=True)
class ScopeQuery(Query):
    """The ``scope`` parameter of a token request."""

    scope: str | None = None


@dataclass(frozen=True, slots=True)
class ExampleQuery(Query):
    """The ``scope`` parameter of a token request, the ``id`` of who logs in, and the clients to narrow a token to."""

    scope: str | None = None
    user_id: str | None = None
    audience: str | None = None


@evaluate_scopes.get("protocol-mappers", needs=VIEW_CLIENTS)
def get_evaluated_mappers(realm: RealmView, client: ClientRepresentation, query: ScopeQuery) -> list[dict[str, Any]]:
    """The protocol mappers that take part, with what they belong to."""
    granted = Evaluation.of(realm, client, query.scope).scopes
    shared = [(scope, scope.name, "client-scope") for scope in granted.others]
    containers = [(granted.own, given(client.name, ""), "client"), *shared]
    return [
        {
            "mapperId": mapper.id,
            "mapperName": mapper.name,
            "containerId": scope.id,
            "containerName": name,
            "containerType": kind,
            "protocolMapper": mapper.provider,
        }
        for scope, name, kind in containers
        for mapper in scope.mappers
    ]


@evaluate_scopes.get("scope-mappings/{role_container_id}/granted", needs=VIEW_CLIENTS)
def get_granted_roles(
    realm: RealmView, client: ClientRepresentation, role_container_id: str, query: ScopeQuery
) -> list[RoleRepresentation]:
    """The realm's (by its name) or a client's roles that tokens may have."""
    roles = _roles(realm, role_container_id)
    granted = Evaluation.of(realm, client, query.scope).granted_roles()
    return role_documents(realm, [role for role in roles if granted is None or role.id in granted])


@evaluate_scopes.get("scope-mappings/{role_container_id}/not-granted", needs=VIEW_CLIENTS)
def get_roles_not_granted(
    realm: RealmView, client: ClientRepresentation, role_container_id: str, query: ScopeQuery
) -> list[RoleRepresentation]:
    """The realm's (by its name) or a client's roles that tokens never have."""
    roles = _roles(realm, role_container_id)
    granted = Evaluation.of(realm, client, query.scope).granted_roles()
    return role_documents(realm, [role for role in roles if granted is not None and role.id not in granted])


def _roles(realm: RealmView, role_container_id: str) -> list[RoleRepresentation]:
    if role_container_id == realm.name:
        return roles_of_realm(realm)
    client = realm.reader.get(CLIENTS, realm.id, role_container_id)
    if client is None:
        raise NotFound("Role Container not found")
    return roles_of(realm, client)


@evaluate_scopes.get("generate-example-access-token", needs=VIEW_CLIENTS)
def get_example_access_token(realm: RealmView, client: ClientRepresentation, query: ExampleQuery) -> dict[str, Any]:
    """The claims of an access token."""
    user = _user(realm, query.user_id)
    return Evaluation.of(realm, client, query.scope, query.audience).access_token(user)


@evaluate_scopes.get("generate-example-id-token", needs=VIEW_CLIENTS)
def get_example_id_token(realm: RealmView, client: ClientRepresentation, query: ExampleQuery) -> dict[str, Any]:
    """The claims of an ID token."""
    user = _user(realm, query.user_id)
    return Evaluation.of(realm, client, query.scope, query.audience).id_token(user)


@evaluate_scopes.get("generate-example-userinfo", needs=VIEW_CLIENTS)
def get_example_userinfo(realm: RealmView, client: ClientRepresentation, query: ExampleQuery) -> dict[str, Any]:
    """What userinfo would tell."""
    user = _user(realm, query.user_id)
    return Evaluation.of(realm, client, query.scope).userinfo(user)


def _user(realm: RealmView, user_id: str | None) -> UserRepresentation:
    if user_id is None:
        raise NotFound("No userId provided")
    if not realm.may(VIEW_USERS):
        raise Forbidden("You have no access to this user")
    user = realm.reader.get(USERS, realm.id, user_id)
    if user is None:
        raise NotFound("No user found")
    return user
