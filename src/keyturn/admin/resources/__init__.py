"""The resources of the admin API, each a noun, and where they are mounted.

A resource is mounted wherever Keycloak has it; what its endpoints take by name is located on the way there.
"""

from typing import Final

from keyturn.admin.client_access import find_client, find_client_scope
from keyturn.admin.group_documents import find_group
from keyturn.admin.resources.attack_detection import attack_detection
from keyturn.admin.resources.authentication import authentication
from keyturn.admin.resources.authenticator_configs import authenticator_configs
from keyturn.admin.resources.authorization import authorization
from keyturn.admin.resources.client_certificates import client_certificates
from keyturn.admin.resources.client_credentials import client_credentials, realm_credentials
from keyturn.admin.resources.client_details import client_details
from keyturn.admin.resources.client_policies import client_policies
from keyturn.admin.resources.client_registration import client_registration, initial_access
from keyturn.admin.resources.client_scopes import client_scope_resource, client_scopes, realm_client_scopes
from keyturn.admin.resources.client_secrets import client_secrets
from keyturn.admin.resources.clients import client_resource, clients
from keyturn.admin.resources.components import components
from keyturn.admin.resources.console import console
from keyturn.admin.resources.evaluate_scopes import evaluate_scopes
from keyturn.admin.resources.events import events
from keyturn.admin.resources.federated_identities import federated_identities
from keyturn.admin.resources.groups import group_resource, groups, realm_groups
from keyturn.admin.resources.identity_provider_mappers import identity_provider_mappers, identity_provider_types
from keyturn.admin.resources.identity_providers import identity_providers as identity_provider_resource
from keyturn.admin.resources.keys import keys
from keyturn.admin.resources.localization import localization
from keyturn.admin.resources.organizations import organizations
from keyturn.admin.resources.partial_export import partial_export
from keyturn.admin.resources.partial_import import partial_import
from keyturn.admin.resources.protocol_mappers import client_as_owner, client_scope_as_owner, protocol_mappers
from keyturn.admin.resources.realm import realm_resource
from keyturn.admin.resources.realms import realms
from keyturn.admin.resources.required_actions import required_actions
from keyturn.admin.resources.role_mappings import (
    client_role_mappings,
    group_as_holder,
    mapped_client,
    role_mappings,
    user_as_holder,
)
from keyturn.admin.resources.roles import roles
from keyturn.admin.resources.roles_by_id import roles_by_id_resource
from keyturn.admin.resources.scope_mappings import client_as_scoped, client_scope_as_scoped, scope_mappings
from keyturn.admin.resources.server_info import server_info_resource
from keyturn.admin.resources.sessions import client_sessions, realm_sessions, user_sessions
from keyturn.admin.resources.user import user_resource
from keyturn.admin.resources.user_credentials import user_credentials
from keyturn.admin.resources.user_emails import user_emails
from keyturn.admin.resources.user_profile import user_profile
from keyturn.admin.resources.user_storage import user_storage
from keyturn.admin.resources.users import users
from keyturn.admin.role_access import client_role_container, realm_role_container
from keyturn.admin.routing import Mount
from keyturn.admin.user_access import find_user

__all__ = ["RESOURCES"]

_REALM: Final = "/admin/realms/{realm}"
_CLIENT: Final = f"{_REALM}/clients/{{client_id}}"
_CLIENT_SCOPE: Final = "{client_scope_id}"
_USER: Final = f"{_REALM}/users/{{user_id}}"
_GROUP: Final = f"{_REALM}/groups/{{group_id}}"
_MAPPED_CLIENT: Final = "role-mappings/clients/{mapped_client_id}"

RESOURCES: Final = (
    Mount("/admin/serverinfo", server_info_resource),
    Mount("/admin/{realm}/console", console),
    Mount("/admin/realms", realms),
    Mount(_REALM, realm_resource),
    Mount(_REALM, realm_client_scopes),
    Mount(_REALM, partial_export),
    Mount(_REALM, partial_import),
    Mount(_REALM, events),
    Mount(_REALM, realm_credentials),
    Mount(f"{_REALM}/client-policies", client_policies),
    Mount(f"{_REALM}/authentication", authentication),
    Mount(f"{_REALM}/authentication", authenticator_configs),
    Mount(f"{_REALM}/authentication", required_actions),
    Mount(f"{_REALM}/keys", keys),
    Mount(f"{_REALM}/identity-provider", identity_provider_types),
    Mount(f"{_REALM}/identity-provider/instances", identity_provider_resource),
    Mount(f"{_REALM}/identity-provider/instances", identity_provider_mappers),
    Mount(f"{_REALM}/localization", localization),
    Mount(f"{_REALM}/organizations", organizations),
    Mount(f"{_REALM}/components", components),
    Mount(f"{_REALM}/clients", clients),
    Mount(f"{_REALM}/clients-initial-access", initial_access),
    Mount(_CLIENT, client_resource, {"client": find_client}),
    Mount(_CLIENT, client_secrets),
    Mount(f"{_CLIENT}/certificates", client_certificates),
    Mount(f"{_CLIENT}/credentials", client_credentials),
    Mount(_CLIENT, client_details),
    Mount(_CLIENT, client_registration),
    Mount(f"{_CLIENT}/authz", authorization),
    Mount(f"{_CLIENT}/evaluate-scopes", evaluate_scopes),
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
            Mount(
                f"{_REALM}/{name}/{_CLIENT_SCOPE}/scope-mappings", scope_mappings, {"scoped": client_scope_as_scoped}
            ),
        )
    ),
    Mount(f"{_CLIENT}/scope-mappings", scope_mappings, {"scoped": client_as_scoped}),
    Mount(_CLIENT, client_sessions),
    Mount(f"{_REALM}/roles", roles, {"container": realm_role_container}),
    Mount(f"{_REALM}/roles-by-id", roles_by_id_resource),
    Mount(f"{_REALM}/user-storage", user_storage),
    Mount(f"{_REALM}/users", users),
    Mount(f"{_REALM}/users/profile", user_profile),
    Mount(_USER, user_resource, {"user": find_user}),
    Mount(_USER, user_credentials),
    Mount(_USER, user_emails),
    Mount(_USER, federated_identities),
    Mount(_USER, user_sessions),
    Mount(f"{_USER}/role-mappings", role_mappings, {"holder": user_as_holder}),
    Mount(f"{_USER}/{_MAPPED_CLIENT}", client_role_mappings, {"mapped_client": mapped_client}),
    Mount(f"{_REALM}/groups", groups),
    Mount(_GROUP, group_resource, {"group": find_group}),
    Mount(f"{_GROUP}/role-mappings", role_mappings, {"holder": group_as_holder}),
    Mount(f"{_GROUP}/{_MAPPED_CLIENT}", client_role_mappings, {"mapped_client": mapped_client}),
    Mount(_REALM, realm_groups),
    Mount(_REALM, realm_sessions),
    Mount(f"{_REALM}/attack-detection", attack_detection),
)
