"""Clients as administrators may see and touch them."""

from collections.abc import Sequence

from msgspec.structs import replace

from keyturn.admin.context import RealmView
from keyturn.admin.errors import Forbidden, NotFound
from keyturn.admin.permissions import MANAGE_CLIENTS, MASTER, QUERY_CLIENTS, REALM_MANAGEMENT, VIEW_CLIENTS
from keyturn.model.client_use import use_attributes
from keyturn.representations import UNSET, given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_scope import ClientScopeRepresentation
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS
from keyturn.store.spi import ClientUse, Relation

__all__ = [
    "assigned_scopes",
    "client_document",
    "client_documents",
    "find_client",
    "find_client_scope",
    "is_management_client",
    "may_manage",
    "require_manage",
]


def find_client(realm: RealmView, client_id: str) -> ClientRepresentation:
    """The client of this ``id``; who may at least query clients is told that there is none.

    Raises:
        NotFound, Forbidden.
    """
    client = realm.reader.get(CLIENTS, realm.id, client_id)
    if client is None:
        realm.require(QUERY_CLIENTS)
        raise NotFound("Could not find client")
    return client


def find_client_scope(realm: RealmView, client_scope_id: str) -> ClientScopeRepresentation:
    """The client scope of this id. Raises NotFound, Forbidden, as `find_client`."""
    scope = realm.reader.get(CLIENT_SCOPES, realm.id, client_scope_id)
    if scope is None:
        realm.require(QUERY_CLIENTS)
        raise NotFound("Could not find client scope")
    return scope


def may_manage(realm: RealmView, client: ClientRepresentation) -> bool:
    """Whether the client may be changed: not if its roles are the rights in a realm."""
    return not is_management_client(realm.name, client) and realm.may(MANAGE_CLIENTS)


def is_management_client(realm_name: str, client: ClientRepresentation) -> bool:
    """Whether the client's roles are rights in a realm: ``realm-management``, and in master ``<realm>-realm``.

    In master the name alone decides, even if the client was made by hand.
    """
    if realm_name == MASTER:
        return str(client.client_id).endswith("-realm")
    return client.client_id == REALM_MANAGEMENT


def require_manage(realm: RealmView, client: ClientRepresentation) -> None:
    """Raises Forbidden unless `may_manage`."""
    if not may_manage(realm, client):
        raise Forbidden


def client_documents(realm: RealmView, clients: Sequence[ClientRepresentation]) -> list[ClientRepresentation]:
    """Stored `clients` as the wire has them, those that have been used with how much and when."""
    uses = {use.client: use for use in realm.reader.uses(realm.id, [str(client.id) for client in clients])}
    return [client_document(realm, client, use=uses.get(str(client.id))) for client in clients]


def client_document(
    realm: RealmView, client: ClientRepresentation, *, access: bool = True, use: ClientUse | None = None
) -> ClientRepresentation:
    """The stored `client` as the wire has it: with the names of its scopes and what the caller may do with it."""
    manage = may_manage(realm, client)
    if use is not None:
        attributes = given(client.attributes, {}) | use_attributes(use.tokens, use.last)
        client = replace(client, attributes=attributes)
    return replace(
        client,
        registration_access_token=UNSET,  # what is stored of it is for the token to be recognised by
        default_client_scopes=_scope_names(realm, client, Relation.CLIENT_DEFAULT_SCOPE),
        optional_client_scopes=_scope_names(realm, client, Relation.CLIENT_OPTIONAL_SCOPE),
        access={"view": realm.may(VIEW_CLIENTS), "configure": manage, "manage": manage} if access else {},
    )


def _scope_names(realm: RealmView, client: ClientRepresentation, relation: Relation) -> list[str]:
    return [str(scope.name) for scope in assigned_scopes(realm, client, relation)]


def assigned_scopes(
    realm: RealmView, client: ClientRepresentation, relation: Relation
) -> list[ClientScopeRepresentation]:
    """The client's default or optional client scopes, by `relation`."""
    ids = realm.reader.targets(relation, realm.id, str(client.id))
    return realm.reader.get_many(CLIENT_SCOPES, realm.id, ids)
