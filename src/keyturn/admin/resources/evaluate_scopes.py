"""What a client's tokens would say. Source: Keycloak ``ClientScopeEvaluateResource``."""

from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin.context import RealmView
from keyturn.admin.errors import Forbidden, NotFound
from keyturn.admin.permissions import VIEW_CLIENTS, VIEW_USERS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.admin.role_documents import role_documents
from keyturn.model.client import Client
from keyturn.model.client_scope import ClientScope
from keyturn.model.realm import Realm
from keyturn.oauth2.claims import access_token_claims, id_token_claims, roles_in_scope
from keyturn.oauth2.identifiers import new_id, new_session_id
from keyturn.oauth2.lifespan import access_token_lifespan, session_lifespan
from keyturn.oauth2.protocol_mappers import apply_mappers
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Target
from keyturn.oauth2.scope import restore_scopes
from keyturn.registry.compile import compile_client, compile_realm, compile_subject
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.store.collections import CLIENTS, ROLES, USERS

__all__ = ["evaluate_scopes"]

evaluate_scopes: Final = Resource("evaluate scopes", located=("client",))

_ID_PREFIX: Final = "onrtna:"
"""Of an online session, a regular token, and no grant (Keycloak ``TokenContextEncoderProvider``)."""
_NOT_IN_USERINFO: Final = frozenset({"aud", "acr", "realm_access", "resource_access", "allowed-origins"})


@dataclass(frozen=True, slots=True)
class ScopeQuery(Query):
    """The ``scope`` parameter that a client would send."""

    scope: str | None = None


@dataclass(frozen=True, slots=True)
class ExampleQuery(Query):
    """Whose token, and for which ``scope``."""

    scope: str | None = None
    user_id: str | None = None


def _compiled(realm: RealmView, client: ClientRepresentation, scope: str | None) -> tuple[Realm, Client, Any]:
    """The client as the token endpoint sees it in this view of the store; unknown scopes are ignored."""
    compiled_realm = compile_realm(realm.reader, realm.realm)
    compiled = compile_client(realm.reader, compiled_realm, client)
    return compiled_realm, compiled, restore_scopes(compiled, scope or "")


@evaluate_scopes.get("protocol-mappers", needs=VIEW_CLIENTS)
def get_mappers(realm: RealmView, client: ClientRepresentation, query: ScopeQuery) -> list[dict[str, str]]:
    """The protocol mappers that would work."""
    _, compiled, scopes = _compiled(realm, client, query.scope)
    return [mapper for scope in scopes.scopes for mapper in _mappers_of(scope, compiled)]


def _mappers_of(scope: ClientScope, client: Client) -> list[dict[str, str]]:
    own = scope is client.own_scope
    return [
        {
            "mapperId": mapper.id,
            "mapperName": mapper.name,
            "containerId": scope.id,
            "containerName": "" if own else scope.name,
            "containerType": "client" if own else "client-scope",
            "protocolMapper": mapper.provider,
        }
        for mapper in scope.mappers
    ]


@evaluate_scopes.get("scope-mappings/{role_container_id}/granted", needs=VIEW_CLIENTS)
def get_granted_roles(
    realm: RealmView, client: ClientRepresentation, role_container_id: str, query: ScopeQuery
) -> list[RoleRepresentation]:
    """The container's roles that the scopes would let into a token."""
    return _roles(realm, client, role_container_id, query.scope, granted=True)


@evaluate_scopes.get("scope-mappings/{role_container_id}/not-granted", needs=VIEW_CLIENTS)
def get_not_granted_roles(
    realm: RealmView, client: ClientRepresentation, role_container_id: str, query: ScopeQuery
) -> list[RoleRepresentation]:
    """The container's roles that the scopes would not let into a token."""
    return _roles(realm, client, role_container_id, query.scope, granted=False)


def _roles(
    realm: RealmView, client: ClientRepresentation, container: str, scope: str | None, *, granted: bool
) -> list[RoleRepresentation]:
    container_id = realm.id if container == realm.name else container
    if container_id != realm.id and realm.reader.get(CLIENTS, realm.id, container_id) is None:
        raise NotFound("Role Container not found")
    _, compiled, scopes = _compiled(realm, client, scope)
    roles = realm.reader.select(ROLES, realm.id, where={"container_id": container_id}, order_by="name")
    let_in = compiled.own_roles.union(*(each.roles for each in scopes.scopes))
    chosen = [role for role in roles if (compiled.full_scope or role.id in let_in) is granted]
    return role_documents(realm, chosen)


@evaluate_scopes.get("generate-example-access-token", needs=VIEW_CLIENTS)
def example_access_token(realm: RealmView, client: ClientRepresentation, query: ExampleQuery) -> dict[str, Any]:
    """The claims of an access token."""
    context, session = _example(realm, client, query)
    return _times(realm, context, _ID_PREFIX) | access_token_claims(context, sid=session)


@evaluate_scopes.get("generate-example-id-token", needs=VIEW_CLIENTS)
def example_id_token(realm: RealmView, client: ClientRepresentation, query: ExampleQuery) -> dict[str, Any]:
    """The claims of an ID token."""
    context, session = _example(realm, client, query)
    claims = id_token_claims(context, sid=session, at_hash="")
    del claims["at_hash"]
    return _times(realm, context, "") | claims


@evaluate_scopes.get("generate-example-userinfo", needs=VIEW_CLIENTS)
def example_userinfo(realm: RealmView, client: ClientRepresentation, query: ExampleQuery) -> dict[str, Any]:
    """What the userinfo endpoint would say."""
    context, _ = _example(realm, client, query)
    claims = Claims({"sub": context.subject.id})
    apply_mappers(claims, context, Target.USERINFO)
    return {name: value for name, value in claims.members.items() if name not in _NOT_IN_USERINFO}


def _example(realm: RealmView, client: ClientRepresentation, query: ExampleQuery) -> tuple[ClaimsContext, str]:
    """What claims follow from, and the id of a session that never was."""
    if query.user_id is None:
        raise NotFound("No userId provided")
    user = realm.reader.get(USERS, realm.id, query.user_id)
    if user is None:
        raise NotFound("No user found")
    if not realm.may(VIEW_USERS):
        raise Forbidden("You have no access to this user")
    compiled_realm, compiled, scopes = _compiled(realm, client, query.scope)
    subject = compile_subject(realm.reader, compiled_realm, user)
    permitted = scopes.permitted(subject)
    context = ClaimsContext(
        realm=compiled_realm,
        client=compiled,
        subject=subject,
        scopes=permitted,
        notes={},
        issuer=f"{realm.base_url}/realms/{realm.name}",
        roles=roles_in_scope(compiled, permitted, subject),
    )
    return context, new_session_id(realm.environment.random)


def _times(realm: RealmView, context: ClaimsContext, prefix: str) -> dict[str, Any]:
    longest = session_lifespan(context.realm, context.client)
    lifespan = access_token_lifespan(context.realm, context.client, session_remaining=longest)
    now = realm.now()
    return {"exp": now + lifespan, "iat": now, "jti": f"{prefix}{new_id(realm.environment.random)}"}
