"""What hangs on a client: its service account, its client scopes, its nodes, its sessions.

Source: Keycloak ``ClientResource``.
"""

import json
from typing import Any, Final

from msgspec.structs import replace

from keyturn.admin.admin_events import ACTION, CREATE, Recorded, nothing
from keyturn.admin.answers import Content, NoContent
from keyturn.admin.applications import out_of_reach
from keyturn.admin.client_access import assigned_scopes, require_manage
from keyturn.admin.client_changes import restore_service_account
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, NotEnabled, NotFound
from keyturn.admin.installation import adapter_settings
from keyturn.admin.new_users import service_account_of
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_CLIENTS, VIEW_CLIENTS
from keyturn.admin.resource import Resource
from keyturn.representations import UNSET, given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_scope import ClientScopeRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS
from keyturn.store.spi import Relation

__all__ = ["client_details"]

_MAPPING: Final = "CLIENT_SCOPE_CLIENT_MAPPING"

client_details: Final = Resource("client details", located=("client",), event=Recorded(_MAPPING))

_ADAPTER_FILE: Final = "keycloak-oidc-keycloak-json"


@client_details.get("service-account-user", needs=VIEW_CLIENTS)
def get_service_account_user(realm: RealmView, client: ClientRepresentation) -> UserRepresentation:
    """The user that stands for the client, made again if somebody removed it."""
    if client.service_accounts_enabled is not True:
        raise BadRequest(f"Service account not enabled for the client '{client.client_id}'")
    user = service_account_of(realm.reader, realm.id, client)
    if user is None:
        fresh = realm.fresh()
        with realm.environment.store.write() as tx:
            user = restore_service_account(tx, realm.realm, client, fresh)
    return replace(user, service_account_client_id=UNSET, credentials=UNSET)


def _listed(scopes: list[ClientScopeRepresentation]) -> list[ClientScopeRepresentation]:
    return [ClientScopeRepresentation(id=scope.id, name=scope.name) for scope in scopes]


@client_details.get("default-client-scopes", needs=VIEW_CLIENTS)
def get_default_client_scopes(realm: RealmView, client: ClientRepresentation) -> list[ClientScopeRepresentation]:
    """The client scopes that every token of the client has."""
    return _listed(assigned_scopes(realm, client, Relation.CLIENT_DEFAULT_SCOPE))


@client_details.get("optional-client-scopes", needs=VIEW_CLIENTS)
def get_optional_client_scopes(realm: RealmView, client: ClientRepresentation) -> list[ClientScopeRepresentation]:
    """The client scopes that a token has if they are asked for."""
    return _listed(assigned_scopes(realm, client, Relation.CLIENT_OPTIONAL_SCOPE))


@client_details.put(
    "default-client-scopes/{client_scope_id}", needs=MANAGE_CLIENTS, no_cache=True, event=Recorded(_MAPPING, CREATE)
)
def add_default_client_scope(realm: RealmAdmin, client: ClientRepresentation, client_scope_id: str) -> NoContent:
    """Makes a client scope a default one; no effect where it is optional already."""
    return _add(realm, client, client_scope_id, Relation.CLIENT_DEFAULT_SCOPE, Relation.CLIENT_OPTIONAL_SCOPE)


@client_details.put(
    "optional-client-scopes/{client_scope_id}", needs=MANAGE_CLIENTS, no_cache=True, event=Recorded(_MAPPING, CREATE)
)
def add_optional_client_scope(realm: RealmAdmin, client: ClientRepresentation, client_scope_id: str) -> NoContent:
    """Makes a client scope an optional one; no effect where it is default already."""
    return _add(realm, client, client_scope_id, Relation.CLIENT_OPTIONAL_SCOPE, Relation.CLIENT_DEFAULT_SCOPE)


@client_details.delete("default-client-scopes/{client_scope_id}", needs=MANAGE_CLIENTS, no_cache=True)
def remove_default_client_scope(realm: RealmAdmin, client: ClientRepresentation, client_scope_id: str) -> NoContent:
    """Takes a client scope away from the client."""
    return _remove(realm, client, client_scope_id)


@client_details.delete("optional-client-scopes/{client_scope_id}", needs=MANAGE_CLIENTS, no_cache=True)
def remove_optional_client_scope(realm: RealmAdmin, client: ClientRepresentation, client_scope_id: str) -> NoContent:
    """Takes a client scope away from the client."""
    return _remove(realm, client, client_scope_id)


def _add(
    realm: RealmAdmin, client: ClientRepresentation, scope_id: str, relation: Relation, other: Relation
) -> NoContent:
    scope = _scope(realm, client, scope_id)
    client_id = str(client.id)
    if given(scope.protocol, client.protocol) == client.protocol and scope_id not in realm.tx.targets(
        other, realm.id, client_id
    ):
        realm.tx.link(relation, realm.id, client_id, scope_id)
    return NoContent()


def _remove(realm: RealmAdmin, client: ClientRepresentation, scope_id: str) -> NoContent:
    _scope(realm, client, scope_id)
    for relation in (Relation.CLIENT_DEFAULT_SCOPE, Relation.CLIENT_OPTIONAL_SCOPE):
        realm.tx.unlink(relation, realm.id, str(client.id), scope_id)
    return NoContent()


def _scope(realm: RealmAdmin, client: ClientRepresentation, scope_id: str) -> ClientScopeRepresentation:
    require_manage(realm, client)
    scope = realm.tx.get(CLIENT_SCOPES, realm.id, scope_id)
    if scope is None:
        raise NotFound("Client scope not found")
    return scope


_NODE: Final = Recorded(
    "CLUSTER_NODE", shows=nothing, below=lambda _result, node: None if node is None else node["node"]
)


@client_details.post("nodes", needs=MANAGE_CLIENTS, event=_NODE)
def register_node(realm: RealmAdmin, client: ClientRepresentation, node: dict[str, str]) -> NoContent:
    """Remembers a host that runs the application."""
    require_manage(realm, client)
    name = node.get("node")
    if name is None:
        raise BadRequest("Node not found in params")
    nodes = {**given(client.registered_nodes, {}), name: realm.now()}
    realm.update(CLIENTS, replace(client, registered_nodes=nodes))
    return NoContent()


@client_details.delete("nodes/{node}", needs=MANAGE_CLIENTS, no_cache=True, event=_NODE)
def unregister_node(realm: RealmAdmin, client: ClientRepresentation, node: str) -> NoContent:
    """Forgets a host."""
    require_manage(realm, client)
    nodes = dict(given(client.registered_nodes, {}))
    if nodes.pop(node, None) is None:
        raise NotFound("Client does not have node ")
    realm.update(CLIENTS, replace(client, registered_nodes=nodes or UNSET))
    return NoContent()


@client_details.get("test-nodes-available", needs=MANAGE_CLIENTS)
def test_nodes(realm: RealmView, client: ClientRepresentation) -> dict[str, Any]:
    """Asks no node: an application that listens counts as out of reach."""
    require_manage(realm, client)
    return out_of_reach(client)


@client_details.post("push-revocation", needs=MANAGE_CLIENTS, event=Recorded("CLIENT", ACTION))
def push_revocation(realm: RealmView, client: ClientRepresentation) -> dict[str, Any]:
    """Tells no node, as above."""
    require_manage(realm, client)
    return out_of_reach(client)


@client_details.get("management/permissions", needs=DECIDED_WITHIN)
def get_permissions(realm: RealmView, client: ClientRepresentation) -> None:
    """Keycloak has fine-grained permissions off by default."""
    raise NotEnabled


@client_details.put("management/permissions", needs=DECIDED_WITHIN, event=None)
def put_permissions(realm: RealmView, client: ClientRepresentation) -> None:
    """Keycloak has fine-grained permissions off by default."""
    raise NotEnabled


@client_details.get("installation/providers/{provider_id}", needs=VIEW_CLIENTS, produces=None)
def get_installation(realm: RealmView, client: ClientRepresentation, provider_id: str) -> Content:
    """The settings that Keycloak's own adapters read (``keycloak.json``)."""
    if provider_id != _ADAPTER_FILE:
        raise NotFound("Unknown Provider")
    settings = adapter_settings(realm.reader, realm.realm, client, realm.base_url, verifies_audience=True)
    return Content(json.dumps(settings, indent=2, separators=(",", " : "), ensure_ascii=False).encode(), "text/plain")
