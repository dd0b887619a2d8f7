"""Realms, and what an import or export of one holds."""

from typing import Annotated, Any, Literal

from keyturn.representations.authentication import (
    AuthenticationFlowRepresentation,
    AuthenticatorConfigRepresentation,
    RequiredActionProviderRepresentation,
)
from keyturn.representations.base import UNSET, Integer, Long, Maybe, Representation, kept
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_scope import ClientScopeRepresentation
from keyturn.representations.component import ComponentExportRepresentation
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.identity_provider import (
    IdentityProviderMapperRepresentation,
    IdentityProviderRepresentation,
    UserFederationProviderRepresentation,
)
from keyturn.representations.mappings import ScopeMappingRepresentation
from keyturn.representations.protocol_mapper import ProtocolMapperRepresentation
from keyturn.representations.role import RoleRepresentation, RolesRepresentation
from keyturn.representations.secrecy import SECRET, secret_entries
from keyturn.representations.user import UserRepresentation

__all__ = ["RealmRepresentation"]

_PAGES = kept("pages shown to people")
_LOGIN_PAGES = kept("login pages")
_DEVICE = kept("device authorization")
_SECOND_FACTOR = kept("second factors")
_FEATURES = kept("features for people")
_OTP = kept("one-time passwords")
_PASSKEYS = kept("passkeys")
_FEDERATION = kept("identity brokering and user federation")
_EMAIL = kept("e-mail")
_LISTENERS = kept("listeners of events")
_LONG_AGO = kept("realms of Keycloak before version 3")


class RealmRepresentation(Representation):
    """A realm. Lifespans and timeouts are in seconds."""

    id: Maybe[str] = UNSET
    realm: Maybe[str] = UNSET
    display_name: Maybe[str] = UNSET
    display_name_html: Annotated[Maybe[str], _PAGES] = UNSET
    not_before: Maybe[Integer] = UNSET
    default_signature_algorithm: Maybe[str] = UNSET
    revoke_refresh_token: Maybe[bool] = UNSET
    refresh_token_max_reuse: Maybe[Integer] = UNSET
    access_token_lifespan: Maybe[Integer] = UNSET
    access_token_lifespan_for_implicit_flow: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    sso_session_idle_timeout: Maybe[Integer] = UNSET
    sso_session_max_lifespan: Maybe[Integer] = UNSET
    sso_session_idle_timeout_remember_me: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    sso_session_max_lifespan_remember_me: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    offline_session_idle_timeout: Maybe[Integer] = UNSET
    offline_session_max_lifespan_enabled: Maybe[bool] = UNSET
    offline_session_max_lifespan: Maybe[Integer] = UNSET
    client_session_idle_timeout: Maybe[Integer] = UNSET
    client_session_max_lifespan: Maybe[Integer] = UNSET
    client_offline_session_idle_timeout: Maybe[Integer] = UNSET
    client_offline_session_max_lifespan: Maybe[Integer] = UNSET
    access_code_lifespan: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    access_code_lifespan_user_action: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    access_code_lifespan_login: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    action_token_generated_by_admin_lifespan: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    action_token_generated_by_user_lifespan: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    oauth2_device_code_lifespan: Annotated[Maybe[Integer], _DEVICE] = UNSET
    oauth2_device_polling_interval: Annotated[Maybe[Integer], _DEVICE] = UNSET
    enabled: Maybe[bool] = UNSET
    ssl_required: Maybe[str] = UNSET
    password_credential_grant_allowed: Annotated[Maybe[bool], _LONG_AGO] = UNSET
    registration_allowed: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    registration_email_as_username: Maybe[bool] = UNSET
    remember_me: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    verify_email: Maybe[bool] = UNSET
    login_with_email_allowed: Maybe[bool] = UNSET
    duplicate_emails_allowed: Maybe[bool] = UNSET
    reset_password_allowed: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    edit_username_allowed: Maybe[bool] = UNSET
    brute_force_protected: Maybe[bool] = UNSET
    permanent_lockout: Maybe[bool] = UNSET
    max_temporary_lockouts: Maybe[Integer] = UNSET
    brute_force_strategy: Maybe[Literal["LINEAR", "MULTIPLE"]] = UNSET
    max_failure_wait_seconds: Maybe[Integer] = UNSET
    minimum_quick_login_wait_seconds: Maybe[Integer] = UNSET
    wait_increment_seconds: Maybe[Integer] = UNSET
    quick_login_check_milli_seconds: Maybe[Long] = UNSET
    max_delta_time_seconds: Maybe[Integer] = UNSET
    failure_factor: Maybe[Integer] = UNSET
    max_secondary_auth_failures: Annotated[Maybe[Integer], _SECOND_FACTOR] = UNSET
    private_key: Annotated[Maybe[str], SECRET] = UNSET
    public_key: Maybe[str] = UNSET
    certificate: Maybe[str] = UNSET
    code_secret: Annotated[Maybe[str], SECRET] = UNSET
    roles: Maybe[RolesRepresentation] = UNSET
    groups: Maybe[list[GroupRepresentation]] = UNSET
    default_roles: Maybe[list[str]] = UNSET
    default_role: Maybe[RoleRepresentation] = UNSET
    admin_permissions_client: Annotated[Maybe[ClientRepresentation], _FEATURES] = UNSET
    default_groups: Maybe[list[str]] = UNSET
    required_credentials: Annotated[Maybe[list[str]], _LOGIN_PAGES] = UNSET
    password_policy: Maybe[str] = UNSET
    otp_policy_type: Annotated[Maybe[str], _OTP] = UNSET
    otp_policy_algorithm: Annotated[Maybe[str], _OTP] = UNSET
    otp_policy_initial_counter: Annotated[Maybe[Integer], _OTP] = UNSET
    otp_policy_digits: Annotated[Maybe[Integer], _OTP] = UNSET
    otp_policy_look_ahead_window: Annotated[Maybe[Integer], _OTP] = UNSET
    otp_policy_period: Annotated[Maybe[Integer], _OTP] = UNSET
    otp_policy_code_reusable: Annotated[Maybe[bool], _OTP] = UNSET
    otp_supported_applications: Annotated[Maybe[list[str]], _OTP] = UNSET
    localization_texts: Annotated[Maybe[dict[str, dict[str, str]]], _PAGES] = UNSET
    web_authn_policy_rp_entity_name: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_signature_algorithms: Annotated[Maybe[list[str]], _PASSKEYS] = UNSET
    web_authn_policy_rp_id: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_attestation_conveyance_preference: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_authenticator_attachment: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_require_resident_key: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_resident_key: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_user_verification_requirement: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_create_timeout: Annotated[Maybe[Integer], _PASSKEYS] = UNSET
    web_authn_policy_avoid_same_authenticator_register: Annotated[Maybe[bool], _PASSKEYS] = UNSET
    web_authn_policy_acceptable_aaguids: Annotated[Maybe[list[str]], _PASSKEYS] = UNSET
    web_authn_policy_extra_origins: Annotated[Maybe[list[str]], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_rp_entity_name: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_signature_algorithms: Annotated[Maybe[list[str]], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_rp_id: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_attestation_conveyance_preference: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_authenticator_attachment: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_require_resident_key: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_resident_key: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_user_verification_requirement: Annotated[Maybe[str], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_create_timeout: Annotated[Maybe[Integer], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_avoid_same_authenticator_register: Annotated[Maybe[bool], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_acceptable_aaguids: Annotated[Maybe[list[str]], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_extra_origins: Annotated[Maybe[list[str]], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_passkeys_enabled: Annotated[Maybe[bool], _PASSKEYS] = UNSET
    web_authn_policy_passwordless_mediation: Annotated[Maybe[str], _PASSKEYS] = UNSET
    users: Maybe[list[UserRepresentation]] = UNSET
    federated_users: Annotated[Maybe[list[UserRepresentation]], _FEDERATION] = UNSET
    scope_mappings: Maybe[list[ScopeMappingRepresentation]] = UNSET
    client_scope_mappings: Maybe[dict[str, list[ScopeMappingRepresentation]]] = UNSET
    clients: Maybe[list[ClientRepresentation]] = UNSET
    client_scopes: Maybe[list[ClientScopeRepresentation]] = UNSET
    default_default_client_scopes: Maybe[list[str]] = UNSET
    default_optional_client_scopes: Maybe[list[str]] = UNSET
    browser_security_headers: Annotated[Maybe[dict[str, str]], _PAGES] = UNSET
    smtp_server: Annotated[Maybe[dict[str, str]], secret_entries("password", "authTokenClientSecret"), _EMAIL] = UNSET
    user_federation_providers: Annotated[Maybe[list[UserFederationProviderRepresentation]], _FEDERATION] = UNSET
    user_federation_mappers: Annotated[Maybe[list[dict[str, Any]]], _FEDERATION] = UNSET
    login_theme: Annotated[Maybe[str], _PAGES] = UNSET
    account_theme: Annotated[Maybe[str], _PAGES] = UNSET
    admin_theme: Annotated[Maybe[str], _PAGES] = UNSET
    email_theme: Annotated[Maybe[str], _PAGES] = UNSET
    events_enabled: Maybe[bool] = UNSET
    events_expiration: Maybe[Long] = UNSET
    events_listeners: Annotated[Maybe[list[str]], _LISTENERS] = UNSET
    enabled_event_types: Maybe[list[str]] = UNSET
    admin_events_enabled: Maybe[bool] = UNSET
    admin_events_details_enabled: Maybe[bool] = UNSET
    identity_providers: Maybe[list[IdentityProviderRepresentation]] = UNSET
    identity_provider_mappers: Annotated[Maybe[list[IdentityProviderMapperRepresentation]], _FEDERATION] = UNSET
    protocol_mappers: Annotated[Maybe[list[ProtocolMapperRepresentation]], _LONG_AGO] = UNSET
    components: Maybe[dict[str, list[ComponentExportRepresentation]]] = UNSET
    internationalization_enabled: Maybe[bool] = UNSET
    supported_locales: Annotated[Maybe[list[str]], _PAGES] = UNSET
    default_locale: Annotated[Maybe[str], _PAGES] = UNSET
    authentication_flows: Annotated[Maybe[list[AuthenticationFlowRepresentation]], _LOGIN_PAGES] = UNSET
    authenticator_config: Annotated[Maybe[list[AuthenticatorConfigRepresentation]], _LOGIN_PAGES] = UNSET
    required_actions: Annotated[Maybe[list[RequiredActionProviderRepresentation]], _LOGIN_PAGES] = UNSET
    browser_flow: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    registration_flow: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    direct_grant_flow: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    reset_credentials_flow: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    client_authentication_flow: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    docker_authentication_flow: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    first_broker_login_flow: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    attributes: Maybe[dict[str, str]] = UNSET
    keycloak_version: Maybe[str] = UNSET
    user_managed_access_allowed: Annotated[Maybe[bool], _FEATURES] = UNSET
    organizations_enabled: Annotated[Maybe[bool], _FEATURES] = UNSET
    organizations: Annotated[Maybe[list[dict[str, Any]]], _FEATURES] = UNSET
    verifiable_credentials_enabled: Annotated[Maybe[bool], _FEATURES] = UNSET
    admin_permissions_enabled: Annotated[Maybe[bool], _FEATURES] = UNSET
    social: Annotated[Maybe[bool], _FEDERATION] = UNSET
    update_profile_on_initial_social_login: Annotated[Maybe[bool], _FEDERATION] = UNSET
    social_providers: Annotated[Maybe[dict[str, str]], _FEDERATION] = UNSET
    application_scope_mappings: Maybe[dict[str, list[ScopeMappingRepresentation]]] = UNSET
    applications: Maybe[list[dict[str, Any]]] = UNSET
    oauth_clients: Maybe[list[dict[str, Any]]] = UNSET
    client_templates: Maybe[list[dict[str, Any]]] = UNSET
    scim_api_enabled: Annotated[Maybe[bool], _FEATURES] = UNSET
    client_profiles: Maybe[Any] = UNSET
    client_policies: Maybe[Any] = UNSET
