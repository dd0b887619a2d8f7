"""The resources of the admin API, each a noun, and where they are mounted.

A resource is mounted wherever Keycloak has it; what its endpoints take by name is located on the way there.
"""

from typing import Final

from keyturn.admin.client_access import find_client
from keyturn.admin.resources.clients import client_resource, clients
from keyturn.admin.resources.realm import realm_resource
from keyturn.admin.resources.realms import realms
from keyturn.admin.resources.roles import client_role_container, realm_role_container, roles
from keyturn.admin.routing import Mount

__all__ = ["RESOURCES"]

_REALM: Final = "/admin/realms/{realm}"

_CLIENT: Final = f"{_REALM}/clients/{{client_id}}"

RESOURCES: Final = (
    Mount("/admin/realms", realms),
    Mount(_REALM, realm_resource),
    Mount(f"{_REALM}/clients", clients),
    Mount(_CLIENT, client_resource, {"client": find_client}),
    Mount(f"{_CLIENT}/roles", roles, {"container": client_role_container}),
    Mount(f"{_REALM}/roles", roles, {"container": realm_role_container}),
)
