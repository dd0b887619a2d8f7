"""The settings that Keycloak's own adapters read (``keycloak.json``). Source: Keycloak ``ClientManager``."""

from typing import Any

from keyturn.representations import given
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import ROLES
from keyturn.store.spi import Reader

__all__ = ["adapter_settings"]


def adapter_settings(
    reader: Reader,
    realm: RealmRepresentation,
    client: ClientRepresentation,
    base_url: str,
    *,
    verifies_audience: bool = False,
) -> dict[str, Any]:
    """What an application of `client` needs to know of this server; its secret is among it.

    Args:
        verifies_audience: an application with roles of its own is told to take tokens only that are for it.
    """
    settings: dict[str, Any] = {
        "realm": realm.realm,
        "auth-server-url": f"{base_url}/",
        "ssl-required": given(realm.ssl_required, "external"),
        "resource": client.client_id,
    }
    if client.bearer_only is True:
        settings = {"realm": realm.realm, "bearer-only": True, **settings}
    elif client.public_client is True:
        settings["public-client"] = True
    elif isinstance(client.secret, str):
        settings["credentials"] = {"secret": client.secret}
    has_roles = reader.count(ROLES, str(realm.id), where={"container_id": str(client.id)}) > 0
    if has_roles and verifies_audience:
        settings["verify-token-audience"] = True
    if has_roles:
        settings["use-resource-role-mappings"] = True
    settings["confidential-port"] = 0
    return settings
