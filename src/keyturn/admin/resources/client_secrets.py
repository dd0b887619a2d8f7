"""A client's secret. Source: Keycloak ``ClientResource``: ``client-secret`` and what is below it."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn.admin.admin_events import ACTION, MASKED, Located, Recorded
from keyturn.admin.answers import NoContent
from keyturn.admin.client_access import require_manage
from keyturn.admin.client_changes import with_new_secret
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import NotFound
from keyturn.admin.governance import governance_of, look_up_names
from keyturn.admin.permissions import DECIDED_WITHIN, MANAGE_CLIENTS, VIEW_CLIENTS
from keyturn.admin.resource import Resource
from keyturn.model.client_credential import OWN, ROTATED
from keyturn.model.client_secret import ROTATED_SECRET, ROTATION, has_rotated_secret, without_rotated_secret
from keyturn.representations import given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.credential import CredentialRepresentation
from keyturn.store.collections import CLIENTS

__all__ = ["client_secrets"]


def _secret(_realm: RealmView, _values: Located, _body: Any) -> CredentialRepresentation:
    return CredentialRepresentation(type="secret", value=MASKED)


client_secrets: Final = Resource("client secrets", located=("client",), event=Recorded("CLIENT", shows=_secret))


@client_secrets.get("client-secret", needs=VIEW_CLIENTS)
def get_secret(realm: RealmView, client: ClientRepresentation) -> CredentialRepresentation:
    """The secret in clear."""
    return CredentialRepresentation(type="secret", value=client.secret)


def _look_up(realm: RealmView, values: Mapping[str, Any], _: None) -> None:
    require_manage(realm, values["client"])
    look_up_names(realm, lambda governance: governance.updated(values["client"]))


@client_secrets.post("client-secret", needs=MANAGE_CLIENTS, event=Recorded("CLIENT", ACTION, _secret), prepare=_look_up)
def regenerate_secret(realm: RealmAdmin, client: ClientRepresentation) -> CredentialRepresentation:
    """Gives the client a fresh secret; the old one ends at once, unless a client policy has it count for a while."""
    require_manage(realm, client)
    before = given(client.secret, "")
    changed = governance_of(realm).updated(with_new_secret(client, realm.fresh()), before)
    if before and given(changed.attributes, {}).get(ROTATED_SECRET) == before:
        realm.tx.rename_use(realm.id, str(client.id), OWN, ROTATED)
    realm.update(CLIENTS, changed)
    return CredentialRepresentation(type="secret", value=changed.secret)


@client_secrets.get("client-secret/rotated", needs=VIEW_CLIENTS)
def get_rotated_secret(realm: RealmView, client: ClientRepresentation) -> CredentialRepresentation:
    """The secret before the current one, while it counts."""
    attributes = given(client.attributes, {})
    if ROTATION not in realm.environment.features or not has_rotated_secret(attributes):
        raise NotFound("Client does not have a rotated secret")
    return CredentialRepresentation(type="secret", value=attributes[ROTATED_SECRET])


@client_secrets.delete("client-secret/rotated", needs=DECIDED_WITHIN)
def delete_rotated_secret(realm: RealmAdmin, client: ClientRepresentation) -> NoContent:
    """Ends the secret before the current one."""
    realm.require(MANAGE_CLIENTS)
    require_manage(realm, client)
    realm.update(CLIENTS, without_rotated_secret(client))
    return NoContent()
