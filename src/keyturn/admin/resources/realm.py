"""One realm. Source: Keycloak ``RealmAdminResource``."""

from typing import Any, Final

from keyturn.admin.admin_events import ACTION, Recorded
from keyturn.admin.answers import NoContent
from keyturn.admin.applications import without_news
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, ErrorMessage, Forbidden, InvalidRequest, NotEnabled
from keyturn.admin.group_documents import group_path
from keyturn.admin.permissions import (
    ANY_ROLE,
    DECIDED_WITHIN,
    MANAGE_CLIENTS,
    MANAGE_REALM,
    MASTER,
    VIEW_REALM,
)
from keyturn.admin.realm_changes import update_realm
from keyturn.admin.realm_creation import remove_realm
from keyturn.admin.realm_documents import realm_document
from keyturn.admin.resource import Resource
from keyturn.representations import UNSET, given, replace, without_nulls
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.defaults import listing
from keyturn.representations.reading import UnreadableDocument, read
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import GROUPS
from keyturn.store.spi import Relation

__all__ = ["realm_resource"]

realm_resource: Final = Resource("realm", event=Recorded("REALM"))

_ACTION: Final = Recorded("REALM", ACTION)


@realm_resource.get("", needs=DECIDED_WITHIN)
def get_realm(realm: RealmView) -> RealmRepresentation:
    """The realm, or what little of it the caller may see: of every realm, who administers any from master."""
    if not realm.may(ANY_ROLE) and not realm.administers_any_realm():
        raise Forbidden
    document = realm_document(realm.realm, realm.rights)
    if not realm.may(VIEW_REALM):
        return document
    ids = realm.reader.targets(Relation.DEFAULT_GROUP, realm.id, realm.id)
    paths = [group_path(realm, group) for group in realm.reader.get_many(GROUPS, realm.id, ids)]
    return replace(document, default_groups=paths or UNSET)


@realm_resource.put("", needs=MANAGE_REALM)
def put_realm(realm: RealmAdmin, change: RealmRepresentation) -> NoContent:
    """Changes what the body gives."""
    update_realm(realm.tx, realm.realm, change, features=realm.environment.features)
    return NoContent()


@realm_resource.delete("", needs=MANAGE_REALM, event=None)
def delete_realm(realm: RealmAdmin) -> NoContent:
    """Removes the realm with everything in it, and its client in master."""
    if realm.name == MASTER:
        raise ErrorMessage(400, "Can't remove master realm")
    remove_realm(realm.tx, realm.realm)
    return NoContent()


@realm_resource.get("credential-registrators", needs=VIEW_REALM)
def get_credential_registrators(realm: RealmView) -> Any:
    """What people may register as credentials."""
    return listing("credential_registrators")


@realm_resource.get("client-types", needs=DECIDED_WITHIN)
def get_client_types(realm: RealmView) -> None:
    """Keycloak has client types off by default."""
    raise NotEnabled


@realm_resource.put("client-types", needs=DECIDED_WITHIN, event=None)
def put_client_types(realm: RealmView) -> None:
    """Keycloak has client types off by default."""
    raise NotEnabled


@realm_resource.get("users-management-permissions", needs=DECIDED_WITHIN)
def get_users_management_permissions(realm: RealmView) -> None:
    """Keycloak has fine-grained permissions off by default."""
    raise NotEnabled


@realm_resource.put("users-management-permissions", needs=DECIDED_WITHIN, event=None)
def put_users_management_permissions(realm: RealmView) -> None:
    """Keycloak has fine-grained permissions off by default."""
    raise NotEnabled


@realm_resource.get("client-registration-policy/providers", needs=VIEW_REALM)
def get_client_registration_policy_providers(realm: RealmView) -> Any:
    """What registration policies can be made of."""
    return listing("client_registration_policy_providers")


@realm_resource.post("clear-realm-cache", needs=MANAGE_REALM, event=_ACTION)
def clear_realm_cache(realm: RealmView) -> NoContent:
    """Nothing to do: what is in memory follows the change log."""
    return NoContent()


@realm_resource.post("clear-user-cache", needs=MANAGE_REALM, event=_ACTION)
def clear_user_cache(realm: RealmView) -> NoContent:
    """Nothing to do, as above."""
    return NoContent()


@realm_resource.post("clear-keys-cache", needs=MANAGE_REALM, event=_ACTION)
def clear_keys_cache(realm: RealmView) -> NoContent:
    """Nothing to do, as above."""
    return NoContent()


@realm_resource.post("push-revocation", needs=MANAGE_REALM, event=Recorded("REALM", ACTION, without_news))
def push_revocation(realm: RealmView) -> dict[str, Any]:
    """Tells no application: those that listen count as out of reach."""
    return without_news(realm, {}, None)


@realm_resource.post("client-description-converter", needs=MANAGE_CLIENTS, consumes="*/*", event=None)
def convert_client_description(realm: RealmView, description: bytes) -> ClientRepresentation:
    """A client in Keycloak's own JSON, or in OpenID Connect's client metadata, read."""
    text = description.strip()
    is_object = text.startswith(b"{") and text.endswith(b"}")
    try:
        if is_object and b'"clientId"' in text:
            return read(description, ClientRepresentation)
        if is_object and b'"redirect_uris"' in text:
            return _described(description)
    except UnreadableDocument as error:
        if error.kind in {"unrecognized_field", "wrong_type"}:
            raise InvalidRequest("Cannot parse the JSON") from None
    raise BadRequest("Unsupported format")


def _described(description: bytes) -> ClientRepresentation:
    # Most servers never need it.
    from keyturn.admin.registration.metadata import client_of
    from keyturn.representations.oidc_client import OIDCClientRepresentation

    client = client_of(read(description, OIDCClientRepresentation))
    attributes = {name: value for name, value in given(client.attributes, {}).items() if value}
    return replace(without_nulls(client), attributes=attributes)
