"""The resources of the admin API, each a noun, and where they are mounted.

A resource is mounted wherever Keycloak has it; what its endpoints take by name is located on the way there.
"""

from typing import Final

from keyturn.admin.client_access import find_client, find_client_scope
from keyturn.admin.resources.authentication import authentication
from keyturn.admin.resources.client_details import client_details
from keyturn.admin.resources.client_scopes import client_scope_resource, client_scopes, realm_client_scopes
from keyturn.admin.resources.client_secrets import client_secrets
from keyturn.admin.resources.clients import client_resource, clients
from keyturn.admin.resources.components import components
from keyturn.admin.resources.console import console
from keyturn.admin.resources.events import events
from keyturn.admin.resources.keys import keys
from keyturn.admin.resources.protocol_mappers import client_as_owner, client_scope_as_owner, protocol_mappers
from keyturn.admin.resources.realm import realm_resource
from keyturn.admin.resources.realms import realms
from keyturn.admin.resources.roles import client_role_container, realm_role_container, roles
from keyturn.admin.resources.server_info import server_info_resource
from keyturn.admin.routing import Mount

__all__ = ["RESOURCES"]

_REALM: Final = "/admin/realms/{realm}"
_CLIENT: Final = f"{_REALM}/clients/{{client_id}}"
_CLIENT_SCOPE: Final = "{client_scope_id}"

RESOURCES: Final = (
    Mount("/admin/serverinfo", server_info_resource),
    Mount("/admin/{realm}/console", console),
    Mount("/admin/realms", realms),
    Mount(_REALM, realm_resource),
    Mount(_REALM, realm_client_scopes),
    Mount(_REALM, events),
    Mount(f"{_REALM}/authentication", authentication),
    Mount(f"{_REALM}/keys", keys),
    Mount(f"{_REALM}/components", components),
    Mount(f"{_REALM}/clients", clients),
    Mount(_CLIENT, client_resource, {"client": find_client}),
    Mount(_CLIENT, client_secrets),
    Mount(_CLIENT, client_details),
    Mount(f"{_CLIENT}/protocol-mappers", protocol_mappers, {"owner": client_as_owner}),
    Mount(f"{_CLIENT}/roles", roles, {"container": client_role_container}),
    *(
        mount
        for name in ("client-scopes", "client-templates")  # templates are what scopes were called once
        for mount in (
            Mount(f"{_REALM}/{name}", client_scopes),
            Mount(f"{_REALM}/{name}/{_CLIENT_SCOPE}", client_scope_resource, {"client_scope": find_client_scope}),
            Mount(
                f"{_REALM}/{name}/{_CLIENT_SCOPE}/protocol-mappers",
                protocol_mappers,
                {"owner": client_scope_as_owner},
            ),
        )
    ),
    Mount(f"{_REALM}/roles", roles, {"container": realm_role_container}),
)
