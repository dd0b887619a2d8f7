"""How clients come, change and go: the document, its scopes, its service account and its roles, all in one transaction.

Source: Keycloak ``ClientManager``, ``ClientsResource``, ``ClientResource``, ``RepresentationToModel``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from keyturn.admin.authentication_flows import is_flow
from keyturn.admin.client_validation import check_client, check_imported_mappers, check_lengths
from keyturn.admin.errors import InvalidRequest
from keyturn.admin.new_users import ensure_service_account, service_account_of
from keyturn.model.administration import BUILT_IN_CLIENTS
from keyturn.model.client_credential import CREDENTIALS, named_credentials, without_credentials
from keyturn.model.client_defaults import with_defaults_of_protocol
from keyturn.model.client_use import settable
from keyturn.model.new_documents import CREATION_TIME, NewId, changed_protocol_mapper, new_client, scopes_of_new_client
from keyturn.representations import UNSET, given, merge, merge_attributes, present
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, ROLES, USERS
from keyturn.store.spi import Duplicate, Reader, Relation, Transaction

__all__ = [
    "Fresh",
    "create_client",
    "delete_client",
    "import_client",
    "restore_service_account",
    "update_client",
    "with_new_secret",
]

_SERVICE_ACCOUNT_SCOPE: Final = "service_account"


@dataclass(frozen=True, slots=True)
class Fresh:
    """What new documents are made with; `now` in seconds since the epoch."""

    new_id: NewId
    new_secret: Callable[[], str]
    now: float


def create_client(
    tx: Transaction, realm: RealmRepresentation, posted: ClientRepresentation, fresh: Fresh
) -> ClientRepresentation:
    """Stores the client of `posted` with its scopes and service account.

    Raises:
        AdminError: it is no valid client, or of credentials that cannot be read.
        Duplicate: its id or ``clientId`` is taken, or the name of its service account.
    """
    client = new_client(posted, new_id=fresh.new_id, new_secret=fresh.new_secret, now=int(fresh.now))
    client = with_defaults_of_protocol(client, posted)
    check_client(client)
    client = _insert(tx, realm, client, posted)
    _assign_scopes(tx, str(realm.id), client, posted)
    if client.service_accounts_enabled is True:
        ensure_service_account(tx, realm, client, new_id=fresh.new_id, now_ms=int(fresh.now * 1000))
    return client


def import_client(
    tx: Transaction, realm: RealmRepresentation, posted: ClientRepresentation, fresh: Fresh
) -> ClientRepresentation:
    """Stores the client of `posted` with its scopes, of a partial import: it brings its service account itself.

    Its URIs are not looked at, and the scope ``service_account`` is not added.

    Raises:
        AdminError: a mapper has no name or one that is taken, a text is too long, a flow is not there.
        Duplicate: its ``clientId`` is taken.

    Source: Keycloak ``RepresentationToModel.createClient``; asked of Keycloak.
    """
    client = new_client(posted, new_id=fresh.new_id, new_secret=fresh.new_secret, now=int(fresh.now))
    check_imported_mappers(given(client.protocol_mappers, []))
    client = _insert(tx, realm, client, posted)
    _assign_scopes(tx, str(realm.id), replace(client, service_accounts_enabled=UNSET), posted)
    return client


def _insert(
    tx: Transaction, realm: RealmRepresentation, client: ClientRepresentation, posted: ClientRepresentation
) -> ClientRepresentation:
    """Stores `client`, made of `posted`."""
    realm_id = str(realm.id)
    check_lengths(client)
    attributes = given(client.attributes, {})
    if CREDENTIALS in attributes and not named_credentials(attributes):
        raise InvalidRequest(f"{CREDENTIALS} holds no credentials")
    client = replace(client, authentication_flow_binding_overrides=_bindings(realm, {}, posted))
    if client.id == realm_id:  # roles are kept by the id of their owner: these would be the realm's
        raise Duplicate(CLIENTS.name, "id")
    tx.insert(CLIENTS, realm_id, client)
    return client


def update_client(
    tx: Transaction,
    realm: RealmRepresentation,
    stored: ClientRepresentation,
    change: ClientRepresentation,
    fresh: Fresh,
) -> ClientRepresentation:
    """Stores `stored` with what `change` gives, and makes its scopes and service account follow.

    ``null`` and absent leave a field as it is, attributes merge (an empty one goes), lists are replaced; the id, scopes
    and default roles are not taken.

    Raises:
        AdminError: what comes of it is no valid client.
        Duplicate: the ``clientId`` is taken, or the name of its service account.
    """
    realm_id = str(realm.id)
    client = _merged(stored, change, fresh)
    check_client(client)
    check_lengths(client)
    before = given(stored.authentication_flow_binding_overrides, {})
    client = replace(client, authentication_flow_binding_overrides=_bindings(realm, before, change))
    tx.update(CLIENTS, realm_id, client)
    if client.protocol != stored.protocol:
        _assign_scopes(tx, realm_id, client, ClientRepresentation(protocol=client.protocol))
    _follow_service_account(
        tx,
        realm,
        client,
        fresh,
        was_on=stored.service_accounts_enabled is True,
        asked=change.service_accounts_enabled is True,
    )
    return client


def _merged(stored: ClientRepresentation, change: ClientRepresentation, fresh: Fresh) -> ClientRepresentation:
    taken = replace(
        change,
        id=UNSET,
        registration_access_token=UNSET,
        default_roles=UNSET,
        direct_grants_only=UNSET,
        default_client_scopes=UNSET,
        optional_client_scopes=UNSET,
        client_template=UNSET,
        use_template_config=UNSET,
        use_template_scope=UNSET,
        use_template_mappers=UNSET,
        access=UNSET,
        origin=UNSET,
    )
    client = merge(stored, taken)
    changed = without_credentials(settable(given(change.attributes, {})))
    attributes = {**merge_attributes(stored.attributes, changed), **_fixed(stored)}
    client = replace(
        client,
        attributes=attributes,
        redirect_uris=list(dict.fromkeys(given(client.redirect_uris, []))),
        web_origins=list(dict.fromkeys(given(client.web_origins, []))),
    )
    if present(change.registered_nodes):
        nodes = {**given(stored.registered_nodes, {}), **given(change.registered_nodes, {})}
        client = replace(client, registered_nodes=nodes or UNSET)
    if present(change.protocol_mappers):
        known = {(each.protocol, each.name): each.id for each in given(stored.protocol_mappers, [])}
        mappers = [
            changed_protocol_mapper(
                replace(mapper, id=known.get((mapper.protocol, mapper.name), mapper.id)), new_id=fresh.new_id
            )
            for mapper in given(change.protocol_mappers, [])
        ]
        client = replace(client, protocol_mappers=mappers or UNSET)
    if client.public_client is True:
        return replace(client, secret=UNSET)
    return client if present(client.secret) else with_new_secret(client, fresh)


def _bindings(realm: RealmRepresentation, before: dict[str, str], change: ClientRepresentation) -> dict[str, str]:
    """The client's own authentication flows, by id; an empty one goes. Raises InvalidRequest: there is none."""
    after = dict(before)
    for name, flow in given(change.authentication_flow_binding_overrides, {}).items():
        if not flow:
            after.pop(name, None)
        elif is_flow(realm, flow):
            after[name] = flow
        else:
            raise InvalidRequest(f"There is no authentication flow {flow!r}")
    return after


def _fixed(stored: ClientRepresentation) -> dict[str, str]:
    """Attributes that a change does not reach."""
    return {name: value for name, value in given(stored.attributes, {}).items() if name == "realm_client"}


def with_new_secret(client: ClientRepresentation, fresh: Fresh) -> ClientRepresentation:
    """`client` with a fresh secret and the time of it."""
    attributes = {**given(client.attributes, {}), CREATION_TIME: str(int(fresh.now))}
    return replace(client, secret=fresh.new_secret(), attributes=attributes)


def _assign_scopes(tx: Transaction, realm_id: str, client: ClientRepresentation, posted: ClientRepresentation) -> None:
    client_id = str(client.id)
    for relation in (Relation.CLIENT_DEFAULT_SCOPE, Relation.CLIENT_OPTIONAL_SCOPE):
        for scope_id in tx.targets(relation, realm_id, client_id):
            tx.unlink(relation, realm_id, client_id, scope_id)
    default, optional = scopes_of_new_client(
        replace(posted, protocol=client.protocol, service_accounts_enabled=client.service_accounts_enabled),
        available=tx.select(CLIENT_SCOPES, realm_id),
        realm_default=tx.targets(Relation.REALM_DEFAULT_SCOPE, realm_id, realm_id),
        realm_optional=tx.targets(Relation.REALM_OPTIONAL_SCOPE, realm_id, realm_id),
    )
    for scope_id in default:
        tx.link(Relation.CLIENT_DEFAULT_SCOPE, realm_id, client_id, scope_id)
    for scope_id in optional:
        tx.link(Relation.CLIENT_OPTIONAL_SCOPE, realm_id, client_id, scope_id)


def _follow_service_account(
    tx: Transaction,
    realm: RealmRepresentation,
    client: ClientRepresentation,
    fresh: Fresh,
    *,
    was_on: bool,
    asked: bool,
) -> None:
    """Makes or removes the user; what asks for a service account gets its scope back, whatever became of it."""
    realm_id, client_id = str(realm.id), str(client.id)
    scope = _service_account_scope(tx, realm_id)
    if client.service_accounts_enabled is True:
        ensure_service_account(tx, realm, client, new_id=fresh.new_id, now_ms=int(fresh.now * 1000))
        if scope is not None and asked and client.protocol == "openid-connect":
            tx.unlink(Relation.CLIENT_OPTIONAL_SCOPE, realm_id, client_id, scope)
            tx.link(Relation.CLIENT_DEFAULT_SCOPE, realm_id, client_id, scope)
    elif was_on:
        user = service_account_of(tx, realm_id, client)
        if user is not None:
            tx.delete(USERS, realm_id, str(user.id))
        if scope is not None:
            tx.unlink(Relation.CLIENT_DEFAULT_SCOPE, realm_id, client_id, scope)


def restore_service_account(
    tx: Transaction, realm: RealmRepresentation, client: ClientRepresentation, fresh: Fresh
) -> UserRepresentation:
    """Makes the user of a service account that is on and has none, and adds the scope that goes with it.

    Raises Duplicate where its name is taken.
    """
    user = ensure_service_account(tx, realm, client, new_id=fresh.new_id, now_ms=int(fresh.now * 1000))
    scope = _service_account_scope(tx, str(realm.id))
    if scope is not None and client.protocol == "openid-connect":
        tx.link(Relation.CLIENT_DEFAULT_SCOPE, str(realm.id), str(client.id), scope)
    return user


def _service_account_scope(reader: Reader, realm_id: str) -> str | None:
    scope = reader.find(CLIENT_SCOPES, realm_id, name=_SERVICE_ACCOUNT_SCOPE)
    return None if scope is None else str(scope.id)


def delete_client(tx: Transaction, realm_id: str, client: ClientRepresentation) -> None:
    """Removes the client, its roles and its service account.

    Raises:
        InvalidRequest: every realm has this client.

    Source: Keycloak ``ClientManager.removeClient``.
    """
    if client.client_id in BUILT_IN_CLIENTS:
        raise InvalidRequest("Could not delete client")
    client_id = str(client.id)
    user = service_account_of(tx, realm_id, client)
    if user is not None:
        tx.delete(USERS, realm_id, str(user.id))
    for role in tx.select(ROLES, realm_id, where={"container_id": client_id}):
        tx.delete(ROLES, realm_id, str(role.id))
    tx.delete(CLIENTS, realm_id, client_id)
