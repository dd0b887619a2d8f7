"""The document of a new realm itself."""

import re
from typing import Final

from keyturn.model.administration import MASTER
from keyturn.model.realm_settings import with_settings_that_agree
from keyturn.representations import UNSET, RealmRepresentation, given, merge, present, replace
from keyturn.representations.defaults import fragment

__all__ = [
    "ELSEWHERE",
    "KEYS",
    "MIRRORED",
    "MIRRORED_IF_GIVEN",
    "REPLACED",
    "SCIM",
    "SHOWN_IN_EXPORTS",
    "realm_document",
]

ELSEWHERE: Final = (
    "roles",
    "groups",
    "default_roles",
    "default_groups",
    "users",
    "scope_mappings",
    "client_scope_mappings",
    "clients",
    "client_scopes",
    "default_default_client_scopes",
    "default_optional_client_scopes",
    "components",
    "client_templates",
    "applications",
    "oauth_clients",
    "application_scope_mappings",
    "admin_permissions_client",
    "keycloak_version",
)
"""Fields of an import that become documents and relations of their own, and are not in the stored realm."""

KEYS: Final = ("private_key", "public_key", "certificate", "code_secret")
"""Keys of exports of before Keycloak 2: a realm's keys are components."""

SHOWN_IN_EXPORTS: Final = (
    "localization_texts",
    "federated_users",
    "user_federation_providers",
    "user_federation_mappers",
    "identity_providers",
    "identity_provider_mappers",
    "protocol_mappers",
    "authentication_flows",
    "authenticator_config",
    "required_actions",
    "organizations",
    "social",
    "update_profile_on_initial_social_login",
    "social_providers",
)
"""Fields of an import that are stored in the realm as they came, and that ``GET`` of a realm leaves out."""

REPLACED: Final = (
    "user_federation_providers",
    "user_federation_mappers",
    "federated_users",
    "protocol_mappers",
    "social",
    "update_profile_on_initial_social_login",
    "social_providers",
    "password_credential_grant_allowed",
)
"""Fields of old exports that new ones do not have."""

MIRRORED: Final = {
    "oauth2_device_code_lifespan": "oauth2DeviceCodeLifespan",
    "oauth2_device_polling_interval": "oauth2DevicePollingInterval",
}
"""Fields that Keycloak keeps as attributes, and shows twice."""

SCIM: Final = "scimApiEnabled"
"""The attribute that keeps whether SCIM is wanted; the field tells that it is off, whatever is wanted."""

MIRRORED_IF_GIVEN: Final = {
    "client_session_idle_timeout": "clientSessionIdleTimeout",
    "client_session_max_lifespan": "clientSessionMaxLifespan",
    "client_offline_session_idle_timeout": "clientOfflineSessionIdleTimeout",
    "client_offline_session_max_lifespan": "clientOfflineSessionMaxLifespan",
}
"""Fields that Keycloak shows as attributes, too, once they were given."""


_DELETE_ACCOUNT: Final = "delete_account"
"""The required action that every realm has, whatever an import brings."""
_ONLY_FIELDS: Final = frozenset({"displayName", "displayNameHtml"})
"""Attributes that Keycloak shows as fields only."""

_SECONDS: Final = re.compile("[0-9]{1,9}")


def realm_document(source: RealmRepresentation) -> RealmRepresentation:
    """The realm to store for one that is posted or imported as `source`: its own fields over the defaults.

    Attributes and browser security headers are merged one by one; a null attribute is not there. Without ``enabled``
    the realm is disabled.

    Source: Keycloak ``DefaultExportImportManager.importRealm``; asked of Keycloak.
    """
    name = given(source.realm, "")
    source = replace(source, **dict.fromkeys((*ELSEWHERE, *KEYS), UNSET), default_role=UNSET)
    defaults = fragment("realm", name)
    attributes = given(defaults.attributes, {})
    if name == MASTER:
        defaults = merge(defaults, replace(fragment("master", name), roles=UNSET))
        attributes = {attribute: value for attribute, value in attributes.items() if attribute not in MIRRORED.values()}
    attributes = {**attributes, **given(source.attributes, {})}
    for field, attribute in {**MIRRORED, **MIRRORED_IF_GIVEN}.items():
        if present(getattr(source, field)):
            attributes[attribute] = str(getattr(source, field))
        elif _SECONDS.fullmatch(given(source.attributes, {}).get(attribute, "")):
            source = replace(source, **{field: int(attributes[attribute])})
    if present(source.scim_api_enabled):
        attributes[SCIM] = str(source.scim_api_enabled).lower()
    actions = source.required_actions
    if isinstance(actions, list) and _DELETE_ACCOUNT not in {action.alias for action in actions}:
        usual = given(fragment("authentication", name).required_actions, [])
        source = replace(
            source, required_actions=[*actions, *(each for each in usual if each.alias == _DELETE_ACCOUNT)]
        )
    headers = {**given(defaults.browser_security_headers, {}), **given(source.browser_security_headers, {})}
    return replace(
        with_settings_that_agree(merge(defaults, source), defaults, source),
        attributes={attribute: value for attribute, value in attributes.items() if attribute not in _ONLY_FIELDS},
        browser_security_headers=headers,
        scim_api_enabled=False,
        ssl_required=given(source.ssl_required, given(defaults.ssl_required, "")).lower(),
    )
