"""Clients that register themselves: made, changed and removed as an administrator's are, with what differs there.

Source: Keycloak ``AbstractClientRegistrationProvider``.
"""

from collections.abc import Container, Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from keyturn.admin.client_access import is_management_client
from keyturn.admin.client_changes import Fresh, create_client, delete_client, update_client
from keyturn.admin.effective_roles import closure
from keyturn.admin.errors import AdminError
from keyturn.admin.permissions import MASTER
from keyturn.admin.registration.refusal import (
    INVALID_CLIENT_METADATA,
    INVALID_REDIRECT_URI,
    forbidden,
    invalid_metadata,
)
from keyturn.model.client_credential import without_credentials
from keyturn.model.new_documents import new_role
from keyturn.representations import UNSET, ClientRepresentation, RoleRepresentation, given, present
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import CLIENT_SCOPES, CLIENTS, ROLES
from keyturn.store.spi import Duplicate, Reader, Relation, Transaction

__all__ = ["asked_for", "change", "create", "default_roles", "default_scopes", "remove", "shown"]

_CREATE_REALM: Final = "create-realm"
_BASIC: Sequence[str] = ("basic",)
_SCOPES = (Relation.CLIENT_DEFAULT_SCOPE, Relation.CLIENT_OPTIONAL_SCOPE)


def asked_for(client: ClientRepresentation) -> ClientRepresentation:
    """`client` as policies are asked about it: with optional scopes alone it has the scope ``basic``, too."""
    if present(client.optional_client_scopes) and not present(client.default_client_scopes):
        return replace(client, default_client_scopes=list(_BASIC))
    return client


def create(
    tx: Transaction, realm: RealmRepresentation, posted: ClientRepresentation, fresh: Fresh
) -> ClientRepresentation:
    """Stores a new client, with roles that every user gets where it names some.

    Raises:
        AdminError: it is no valid client, or its id or ``clientId`` is taken.
    """
    attributes = without_credentials(given(posted.attributes, {}))
    try:
        created = create_client(tx, realm, replace(posted, attributes=attributes or UNSET), fresh)
    except Duplicate:
        raise invalid_metadata("Client Identifier in use") from None
    except AdminError as error:
        raise _as_metadata(error) from None
    if present(posted.default_roles):
        _give_default_roles(tx, realm, created, given(posted.default_roles, []), fresh)
    return created


def change(
    tx: Transaction,
    realm: RealmRepresentation,
    stored: ClientRepresentation,
    sent: ClientRepresentation,
    fresh: Fresh,
) -> ClientRepresentation:
    """Stores `stored` with what `sent` gives: as an administrator's change, and scopes and default roles as well.

    Raises:
        AdminError: it has another ``clientId``, or what comes of it is no valid client.
    """
    if sent.client_id != stored.client_id:
        raise invalid_metadata("Client Identifier modified")
    try:
        client = update_client(tx, realm, stored, sent, fresh)
    except Duplicate:
        raise invalid_metadata("Client Identifier in use") from None
    except AdminError as error:
        raise _as_metadata(error) from None
    if present(sent.default_client_scopes) or present(sent.optional_client_scopes):
        _replace_scopes(tx, str(realm.id), client, sent)
    if present(sent.default_roles):
        before = {str(role.id) for role in _default_roles(tx, realm, client)}
        for role_id in before:
            tx.unlink(Relation.COMPOSITE, str(realm.id), _default_role(realm), role_id)
        _give_default_roles(tx, realm, client, given(sent.default_roles, []), fresh, before)
    return client


def remove(tx: Transaction, realm: RealmRepresentation, client: ClientRepresentation) -> None:
    """Removes the client, its roles and its service account."""
    delete_client(tx, str(realm.id), client)


def shown(reader: Reader, realm: RealmRepresentation, client: ClientRepresentation, token: str) -> ClientRepresentation:
    """The stored `client` as it is answered, with its registration access token where there is one."""
    default, optional = (_scope_names(reader, str(realm.id), client, relation) for relation in _SCOPES)
    return replace(
        client,
        attributes=without_credentials(given(client.attributes, {})),
        registration_access_token=token or UNSET,
        default_roles=default_roles(reader, realm, client),
        default_client_scopes=default,
        optional_client_scopes=optional,
    )


def default_scopes(reader: Reader, realm: RealmRepresentation, client: ClientRepresentation) -> list[str]:
    """The names of the client scopes that every token of the client has."""
    return _scope_names(reader, str(realm.id), client, Relation.CLIENT_DEFAULT_SCOPE)


def default_roles(reader: Reader, realm: RealmRepresentation, client: ClientRepresentation) -> list[str]:
    """The names of the client's roles that every user gets."""
    return [str(role.name) for role in _default_roles(reader, realm, client)]


def _default_roles(
    reader: Reader, realm: RealmRepresentation, client: ClientRepresentation
) -> list[RoleRepresentation]:
    ids = reader.targets(Relation.COMPOSITE, str(realm.id), _default_role(realm))
    return [role for role in reader.get_many(ROLES, str(realm.id), ids) if role.container_id == client.id]


def _default_role(realm: RealmRepresentation) -> str:
    role = given(realm.default_role, None)
    return "" if role is None else str(role.id)


def _give_default_roles(
    tx: Transaction,
    realm: RealmRepresentation,
    client: ClientRepresentation,
    names: Iterable[str],
    fresh: Fresh,
    before: Container[str] = (),
) -> None:
    """Makes the client's roles of these names ones that every user has; those of `before` were that already.

    Raises Refusal where everybody would get rights in a realm: that takes more than a say over the client.
    """
    realm_id, client_id = str(realm.id), str(client.id)
    for name in dict.fromkeys(names):
        role = tx.find(ROLES, realm_id, container_id=client_id, name=name)
        if role is None:
            posted = RoleRepresentation(name=name)
            role = new_role(posted, realm_id=realm_id, client_id=client_id, new_id=fresh.new_id)
            tx.insert(ROLES, realm_id, role)
        elif str(role.id) not in before and _holds_rights(tx, realm, role):
            raise forbidden()
        tx.link(Relation.COMPOSITE, realm_id, _default_role(realm), str(role.id))


def _holds_rights(reader: Reader, realm: RealmRepresentation, role: RoleRepresentation) -> bool:
    """Whether the role contains one that is a right in a realm, or to make realms."""
    realm_id = str(realm.id)
    roles = reader.get_many(ROLES, realm_id, closure(reader, realm_id, [str(role.id)]))
    if realm.realm == MASTER and any(each.client_role is not True and each.name == _CREATE_REALM for each in roles):
        return True
    owners = {str(each.container_id) for each in roles if each.client_role is True}
    return any(is_management_client(str(realm.realm), each) for each in reader.get_many(CLIENTS, realm_id, owners))


def _replace_scopes(tx: Transaction, realm_id: str, client: ClientRepresentation, sent: ClientRepresentation) -> None:
    """Both lists are replaced, even where only one is sent; what is in both is a default scope."""
    client_id = str(client.id)
    wanted = dict.fromkeys(given(sent.optional_client_scopes, []), Relation.CLIENT_OPTIONAL_SCOPE)
    wanted |= dict.fromkeys(given(sent.default_client_scopes, []), Relation.CLIENT_DEFAULT_SCOPE)
    known = {
        str(scope.name): str(scope.id)
        for scope in tx.select(CLIENT_SCOPES, realm_id)
        if given(scope.protocol, client.protocol) == client.protocol
    }
    after = {known[name]: relation for name, relation in wanted.items() if name in known}
    for relation in _SCOPES:
        for scope_id in tx.targets(relation, realm_id, client_id):
            if after.get(scope_id) is not relation:
                tx.unlink(relation, realm_id, client_id, scope_id)
    for scope_id, relation in after.items():
        tx.link(relation, realm_id, client_id, scope_id)


def _scope_names(reader: Reader, realm_id: str, client: ClientRepresentation, relation: Relation) -> list[str]:
    ids = reader.targets(relation, realm_id, str(client.id))
    return [str(scope.name) for scope in reader.get_many(CLIENT_SCOPES, realm_id, ids)]


def _as_metadata(error: AdminError) -> AdminError:
    """What an administrator is told of an invalid client, in the words of RFC 7591 §3.2.2."""
    description = str(error.document.get("error_description", ""))
    if error.document.get("error") != "invalid_input":
        return error
    of_redirect = any(part.startswith("A redirect URI") for part in description.split("; "))
    return invalid_metadata(description, INVALID_REDIRECT_URI if of_redirect else INVALID_CLIENT_METADATA)
