"""Client scopes, and the realm's lists of default and optional ones.

Source: Keycloak ``ClientScopesResource``, ``ClientScopeResource``, ``RealmAdminResource``.
"""

import re
from typing import Final

from msgspec.structs import replace

from keyturn.admin.admin_events import CREATE, Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.client_validation import check_mapper_ids
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import Conflict, DuplicateResource, ErrorMessage, InvalidRequest, KnownDuplicate, NotFound
from keyturn.admin.permissions import MANAGE_CLIENTS, QUERY_CLIENTS, VIEW_CLIENTS
from keyturn.admin.resource import Resource
from keyturn.model.new_documents import new_client_scope
from keyturn.representations import UNSET, given, present
from keyturn.representations.client_scope import ClientScopeRepresentation
from keyturn.store.collections import CLIENT_SCOPES
from keyturn.store.spi import Duplicate, Relation

__all__ = ["client_scope_resource", "client_scopes", "realm_client_scopes"]

client_scopes: Final = Resource("client scopes", event=Recorded("CLIENT_SCOPE"))
client_scope_resource: Final = Resource("client scope", located=("client_scope",), event=Recorded("CLIENT_SCOPE"))
realm_client_scopes: Final = Resource("default client scopes", event=Recorded("CLIENT_SCOPE"))

_LISTED: Final = Recorded("CLIENT_SCOPE", CREATE)

_NAME: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""``scope-token`` (RFC 6749 §3.3)."""
_LONGEST: Final = 255
_PROTOCOLS: Final = frozenset({"openid-connect", "saml"})


def _check(scope: ClientScopeRepresentation, *, protocol: str) -> None:
    """Raises AdminError for a name, protocol (without one, `protocol`) or mappers that Keycloak does not take."""
    name = given(scope.name, None)
    if name is None:
        raise InvalidRequest("A client scope needs a name")
    if max(len(name), len(given(scope.description, ""))) > _LONGEST:
        raise InvalidRequest(f"The name or description is longer than {_LONGEST} characters")
    if not _NAME.fullmatch(name):
        raise ErrorMessage(400, f'Unexpected name "{name}" for ClientScope')
    if given(scope.protocol, protocol) not in _PROTOCOLS:
        raise ErrorMessage(400, "Unexpected protocol")
    named = [(mapper.protocol, mapper.name) for mapper in given(scope.protocol_mappers, [])]
    if not all(present(protocol) and present(name) for protocol, name in named):
        raise DuplicateResource
    if len(set(named)) < len(named):
        raise _exists(scope)
    check_mapper_ids(given(scope.protocol_mappers, []))


@client_scopes.get("", needs=QUERY_CLIENTS)
def get_client_scopes(realm: RealmView) -> list[ClientScopeRepresentation]:
    """The realm's client scopes; none for who may only query clients."""
    return list(realm.reader.select(CLIENT_SCOPES, realm.id)) if realm.may(VIEW_CLIENTS) else []


@client_scopes.post("", needs=MANAGE_CLIENTS, no_cache=True, ignore_unknown=True)
def post_client_scope(realm: RealmAdmin, scope: ClientScopeRepresentation) -> Created:
    """Creates a client scope."""
    _check(scope, protocol="")
    made = new_client_scope(scope, new_id=realm.new_id)
    try:
        realm.tx.insert(CLIENT_SCOPES, realm.id, made)
    except Duplicate:
        raise _exists(scope) from None
    return Created(str(made.id))


def _exists(scope: ClientScopeRepresentation) -> Conflict:
    return Conflict(f"Client Scope {scope.name} already exists")


@client_scope_resource.get("", needs=VIEW_CLIENTS)
def get_client_scope(realm: RealmView, client_scope: ClientScopeRepresentation) -> ClientScopeRepresentation:
    """The client scope."""
    return client_scope


@client_scope_resource.put("", needs=MANAGE_CLIENTS, ignore_unknown=True)
def put_client_scope(
    realm: RealmAdmin, client_scope: ClientScopeRepresentation, change: ClientScopeRepresentation
) -> NoContent:
    """Changes what the body gives; the name must be there."""
    protocol = given(client_scope.protocol, "")
    _check(replace(change, protocol_mappers=UNSET), protocol=protocol)
    scope = replace(client_scope, name=change.name, protocol=given(change.protocol, protocol))
    if present(change.description):
        scope = replace(scope, description=change.description)
    if present(change.attributes):
        scope = replace(scope, attributes={**given(scope.attributes, {}), **given(change.attributes, {})})
    try:
        realm.tx.update(CLIENT_SCOPES, realm.id, scope)
    except Duplicate:
        raise _exists(change) from None
    return NoContent()


@client_scope_resource.delete("", needs=MANAGE_CLIENTS, no_cache=True)
def delete_client_scope(realm: RealmAdmin, client_scope: ClientScopeRepresentation) -> NoContent:
    """Removes the client scope, from the clients that have it as well."""
    realm.tx.delete(CLIENT_SCOPES, realm.id, str(client_scope.id))
    return NoContent()


def _of_realm(realm: RealmView, relation: Relation) -> list[ClientScopeRepresentation]:
    scopes = realm.reader.get_many(CLIENT_SCOPES, realm.id, realm.reader.targets(relation, realm.id, realm.id))
    return [ClientScopeRepresentation(id=scope.id, name=scope.name, protocol=scope.protocol) for scope in scopes]


@realm_client_scopes.get("default-default-client-scopes", needs=VIEW_CLIENTS)
def get_default_default_client_scopes(realm: RealmView) -> list[ClientScopeRepresentation]:
    """The client scopes that a new client gets as default ones."""
    return _of_realm(realm, Relation.REALM_DEFAULT_SCOPE)


@realm_client_scopes.get("default-optional-client-scopes", needs=VIEW_CLIENTS)
def get_default_optional_client_scopes(realm: RealmView) -> list[ClientScopeRepresentation]:
    """The client scopes that a new client gets as optional ones."""
    return _of_realm(realm, Relation.REALM_OPTIONAL_SCOPE)


@realm_client_scopes.put(
    "default-default-client-scopes/{client_scope_id}", needs=MANAGE_CLIENTS, no_cache=True, event=_LISTED
)
def add_default_default_client_scope(realm: RealmAdmin, client_scope_id: str) -> NoContent:
    """Lets new clients have the client scope as a default one."""
    return _add(realm, client_scope_id, Relation.REALM_DEFAULT_SCOPE)


@realm_client_scopes.put(
    "default-optional-client-scopes/{client_scope_id}", needs=MANAGE_CLIENTS, no_cache=True, event=_LISTED
)
def add_default_optional_client_scope(realm: RealmAdmin, client_scope_id: str) -> NoContent:
    """Lets new clients have the client scope as an optional one."""
    return _add(realm, client_scope_id, Relation.REALM_OPTIONAL_SCOPE)


@realm_client_scopes.delete("default-default-client-scopes/{client_scope_id}", needs=MANAGE_CLIENTS, no_cache=True)
def remove_default_default_client_scope(realm: RealmAdmin, client_scope_id: str) -> NoContent:
    """Takes the client scope off the list."""
    return _remove(realm, client_scope_id)


@realm_client_scopes.delete("default-optional-client-scopes/{client_scope_id}", needs=MANAGE_CLIENTS, no_cache=True)
def remove_default_optional_client_scope(realm: RealmAdmin, client_scope_id: str) -> NoContent:
    """Takes the client scope off the list."""
    return _remove(realm, client_scope_id)


_OF_REALM: Final = (Relation.REALM_DEFAULT_SCOPE, Relation.REALM_OPTIONAL_SCOPE)


def _add(realm: RealmAdmin, scope_id: str, relation: Relation) -> NoContent:
    _require_scope(realm, scope_id)
    if any(scope_id in realm.tx.targets(each, realm.id, realm.id) for each in _OF_REALM):
        raise KnownDuplicate
    realm.tx.link(relation, realm.id, realm.id, scope_id)
    return NoContent()


def _remove(realm: RealmAdmin, scope_id: str) -> NoContent:
    _require_scope(realm, scope_id)
    for relation in _OF_REALM:
        realm.tx.unlink(relation, realm.id, realm.id, scope_id)
    return NoContent()


def _require_scope(realm: RealmAdmin, scope_id: str) -> None:
    if realm.tx.get(CLIENT_SCOPES, realm.id, scope_id) is None:
        raise NotFound("Client scope not found")
