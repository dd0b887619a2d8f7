"""Documents that the admin API answers, and that are written there field by field: their schemas."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import field

from keyturn.representations.base import UNSET, Integer, Long, Maybe, Representation
from keyturn.representations.client_credential import ClientCredentialRepresentation
from keyturn.representations.client_initial_access import ClientInitialAccessPresentation
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.server_info import (
    CpuInfoRepresentation,
    MemoryInfoRepresentation,
    SystemInfoRepresentation,
)
from keyturn.representations.user_profile import UPConfig, UPGroup

__all__ = ["ANSWERED", "CREATED"]


class WhoAmI(Representation):
    """Who a token of the admin console is of."""

    user_id: str
    realm: str
    display_name: str
    locale: str
    create_realm: bool


class ServerInfoRepresentation(Representation):
    """What the server is, and the catalogue of what Keycloak 26.7.3 has."""

    profile_info: dict[str, Any]
    features: list[dict[str, Any]]
    crypto_info: dict[str, Any]
    themes: dict[str, list[dict[str, Any]]]
    social_providers: list[dict[str, Any]]
    identity_providers: list[dict[str, Any]]
    providers: dict[str, dict[str, Any]]
    protocol_mapper_types: dict[str, list[dict[str, Any]]]
    builtin_protocol_mappers: dict[str, list[dict[str, Any]]]
    client_installations: dict[str, list[dict[str, Any]]]
    component_types: dict[str, list[dict[str, Any]]]
    password_policies: list[dict[str, Any]]
    enums: dict[str, list[str]]
    parameterized_scope_types: list[dict[str, Any]]
    system_info: Maybe[SystemInfoRepresentation] = UNSET
    cpu_info: Maybe[CpuInfoRepresentation] = UNSET
    memory_info: Maybe[MemoryInfoRepresentation] = UNSET


class ComponentTypeRepresentation(Representation):
    """What a component of one provider is configured with."""

    id: str
    help_text: str
    properties: list[dict[str, Any]]
    metadata: dict[str, Any]


class GlobalRequestResult(Representation):
    """Which applications were told."""

    success_requests: Maybe[list[str]] = UNSET
    failed_requests: Maybe[list[str]] = UNSET


class ClientAuthenticatorProvider(Representation):
    """A way in which clients prove who they are."""

    id: str
    display_name: str
    description: str
    supports_secret: bool


class ProtocolMapperEvaluationRepresentation(Representation):
    """A protocol mapper that takes part in a token, and what it belongs to."""

    mapper_id: str
    mapper_name: str
    container_id: str
    container_name: str
    container_type: str
    protocol_mapper: str


class UserSessionRepresentation(Representation):
    """A login."""

    id: str
    username: str
    user_id: str
    ip_address: str
    start: Long
    last_access: Long
    remember_me: bool
    clients: dict[str, str]
    transient_user: bool


class ClientSessionStats(Representation):
    """How many sessions there are with a client."""

    id: str
    client_id: str
    active: str
    offline: str


class UserConsent(Representation):
    """What a user has agreed to."""

    client_id: str
    granted_client_scopes: list[str]
    additional_grants: list[dict[str, str]]


class UserProfileAttributeMetadata(Representation):
    """What the field of a form is made of."""

    name: str
    display_name: str
    required: bool
    read_only: bool
    validators: dict[str, dict[str, Any]]
    multivalued: bool
    annotations: Maybe[dict[str, Any]] = UNSET
    group: Maybe[str] = UNSET
    default_value: Maybe[str] = UNSET


class UserProfileMetadata(Representation):
    """What forms are made of."""

    attributes: list[UserProfileAttributeMetadata]
    groups: list[UPGroup]


class LoginFailures(Representation):
    """What is known of a user's failed logins."""

    num_failures: Integer
    disabled: bool
    last_ip_failure: str = field(name="lastIPFailure")
    last_failure: Long
    failed_login_not_before: Long
    num_temporary_lockouts: Integer
    num_secondary_auth_failures: Integer


class Count(Representation):
    """A number of groups or sessions."""

    count: Integer


ANSWERED: Final[Mapping[str, Any]] = {
    "attack_detection.get_failures": LoginFailures,
    "authentication.get_client_authenticator_providers": list[ClientAuthenticatorProvider],
    "client_certificates.download_certificate": bytes,
    "client_certificates.generate_keystore": bytes,
    "client_details.get_installation": bytes,
    "localization.get_text": bytes,
    "client_details.push_revocation": GlobalRequestResult,
    "client_details.test_nodes": GlobalRequestResult,
    "console.who_am_i": WhoAmI,
    "evaluate_scopes.get_evaluated_mappers": list[ProtocolMapperEvaluationRepresentation],
    "groups.get_group_count": Count,
    "partial_export.post_partial_export": RealmRepresentation,
    "realm.get_client_registration_policy_providers": list[ComponentTypeRepresentation],
    "realm.get_credential_registrators": list[str],
    "realm.push_revocation": GlobalRequestResult,
    "server_info.get_server_info": ServerInfoRepresentation,
    "sessions.count_offline_sessions": Count,
    "sessions.count_sessions": Count,
    "sessions.get_client_session_stats": list[ClientSessionStats],
    "sessions.get_consents": list[UserConsent],
    "sessions.get_offline_sessions": list[UserSessionRepresentation],
    "sessions.get_sessions": list[UserSessionRepresentation],
    "sessions.get_user_offline_sessions": list[UserSessionRepresentation],
    "sessions.get_user_sessions": list[UserSessionRepresentation],
    "sessions.logout_all": GlobalRequestResult,
    "user.count_groups_of_user": Count,
    "user_profile.get_profile_metadata": UserProfileMetadata,
    "user_profile.put_profile": UPConfig,
}
"""What endpoints answer whose signatures do not say it in full, by module and function; ``bytes`` is text."""

CREATED: Final[Mapping[str, Any]] = {
    "client_credentials.add_credential": ClientCredentialRepresentation,
    "client_registration.create_initial_access": ClientInitialAccessPresentation,
    "groups.post_child": GroupRepresentation,
}
"""The document that comes with a 201."""
