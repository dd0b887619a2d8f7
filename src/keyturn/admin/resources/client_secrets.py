"""A client's secret. Source: Keycloak ``ClientResource``: ``client-secret`` and what is below it."""

from typing import Any, Final

from msgspec.structs import replace

from keyturn.admin.admin_events import ACTION, MASKED, Located, Recorded
from keyturn.admin.answers import NoContent
from keyturn.admin.client_access import require_manage
from keyturn.admin.client_changes import with_new_secret
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import NotFound
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_CLIENTS, VIEW_CLIENTS
from keyturn.admin.resource import Resource
from keyturn.representations import UNSET, given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.credential import CredentialRepresentation
from keyturn.store.collections import CLIENTS

__all__ = ["client_secrets"]


def _secret(_realm: RealmView, _values: Located, _body: Any) -> CredentialRepresentation:
    return CredentialRepresentation(type="secret", value=MASKED)


client_secrets: Final = Resource("client secrets", located=("client",), event=Recorded("CLIENT", shows=_secret))

_ROTATED: Final = "client.secret.rotated"


@client_secrets.get("client-secret", needs=VIEW_CLIENTS)
def get_secret(realm: RealmView, client: ClientRepresentation) -> CredentialRepresentation:
    """The secret in clear."""
    return CredentialRepresentation(type="secret", value=client.secret)


@client_secrets.post("client-secret", needs=MANAGE_CLIENTS, event=Recorded("CLIENT", ACTION, _secret))
def regenerate_secret(realm: RealmAdmin, client: ClientRepresentation) -> CredentialRepresentation:
    """Gives the client a fresh secret; the old one ends at once."""
    require_manage(realm, client)
    changed = with_new_secret(client, realm.fresh())
    realm.update(CLIENTS, changed)
    return CredentialRepresentation(type="secret", value=changed.secret)


@client_secrets.get("client-secret/rotated", needs=VIEW_CLIENTS)
def get_rotated_secret(realm: RealmView, client: ClientRepresentation) -> CredentialRepresentation:
    """The secret before the current one, while it counts."""
    secret = given(client.attributes, {}).get(_ROTATED)
    if secret is None:
        raise NotFound("Client does not have a rotated secret")
    return CredentialRepresentation(type="secret", value=secret)


@client_secrets.delete("client-secret/rotated", needs=DECIDED_WITHIN)
def delete_rotated_secret(realm: RealmAdmin, client: ClientRepresentation) -> NoContent:
    """Ends the secret before the current one."""
    realm.require(MANAGE_CLIENTS)
    require_manage(realm, client)
    attributes = {name: value for name, value in given(client.attributes, {}).items() if not name.startswith(_ROTATED)}
    realm.update(CLIENTS, replace(client, attributes=attributes or UNSET))
    return NoContent()
