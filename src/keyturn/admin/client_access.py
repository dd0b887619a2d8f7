"""Clients as administrators may see and touch them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from keyturn.admin.context import RealmView
from keyturn.admin.errors import Forbidden, NotFound
from keyturn.admin.permissions import MANAGE_CLIENTS, MASTER, QUERY_CLIENTS, REALM_MANAGEMENT, VIEW_CLIENTS
from keyturn.model.client_credential import CREDENTIALS, without_credentials
from keyturn.model.client_use import use_attributes
from keyturn.representations import UNSET, given, present
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
    ids = [str(client.id) for client in clients]
    uses: dict[str, list[ClientUse]] = {}
    for use in realm.reader.uses(realm.id, ids):
        uses.setdefault(use.client, []).append(use)
    scopes = _Scopes.of(realm, ids)
    return [_document(realm, client, scopes, uses=uses.get(str(client.id), ())) for client in clients]


def client_document(realm: RealmView, client: ClientRepresentation, *, access: bool = True) -> ClientRepresentation:
    """The stored `client` as the wire has it: with the names of its scopes and what the caller may do with it.

    Its named credentials have an endpoint of their own.
    """
    return _document(realm, client, _Scopes.of(realm, [str(client.id)]), access=access)


@dataclass(frozen=True, slots=True)
class _Scopes:
    """The client scopes of some clients, by the client's id."""

    names: Mapping[str, str]
    default: Mapping[str, list[str]]
    optional: Mapping[str, list[str]]

    @classmethod
    def of(cls, realm: RealmView, client_ids: Sequence[str]) -> "_Scopes":
        default, optional = (
            realm.reader.targets_of(relation, realm.id, client_ids)
            for relation in (Relation.CLIENT_DEFAULT_SCOPE, Relation.CLIENT_OPTIONAL_SCOPE)
        )
        ids = {scope for scopes in (*default.values(), *optional.values()) for scope in scopes}
        known = realm.reader.keys_of(CLIENT_SCOPES, realm.id, ("id", "name"), ids)
        return cls({str(id_): str(name) for id_, name in known}, default, optional)

    def named(self, by_client: Mapping[str, list[str]], client: ClientRepresentation) -> list[str]:
        return [self.names[scope] for scope in by_client.get(str(client.id), ()) if scope in self.names]


def _document(
    realm: RealmView,
    client: ClientRepresentation,
    scopes: _Scopes,
    *,
    access: bool = True,
    uses: Sequence[ClientUse] = (),
) -> ClientRepresentation:
    manage = may_manage(realm, client)
    attributes = given(client.attributes, {})
    if CREDENTIALS in attributes:
        attributes = without_credentials(attributes)
    if uses:
        attributes = attributes | use_attributes(sum(use.tokens for use in uses), max(use.last for use in uses))
    return replace(
        client,
        attributes=attributes if present(client.attributes) else client.attributes,
        registration_access_token=UNSET,  # what is stored of it is for the token to be recognised by
        default_client_scopes=scopes.named(scopes.default, client),
        optional_client_scopes=scopes.named(scopes.optional, client),
        access={"view": realm.may(VIEW_CLIENTS), "configure": manage, "manage": manage} if access else {},
    )


def assigned_scopes(
    realm: RealmView, client: ClientRepresentation, relation: Relation
) -> list[ClientScopeRepresentation]:
    """The client's default or optional client scopes, by `relation`."""
    ids = realm.reader.targets(relation, realm.id, str(client.id))
    return realm.reader.get_many(CLIENT_SCOPES, realm.id, ids)
