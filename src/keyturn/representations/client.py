"""Clients."""

from typing import Annotated, Any

from keyturn.representations.base import NULL_REMOVES, UNSET, Integer, Maybe, Representation, kept
from keyturn.representations.protocol_mapper import ProtocolMapperRepresentation
from keyturn.representations.secrecy import SECRET, secret_entries

__all__ = ["ClientRepresentation"]

_ADAPTERS = kept("application adapters")
_LOGIN_PAGES = kept("login pages")
_AUTHORIZATION = kept("authorization services")
_TYPES = kept("client types")


class ClientRepresentation(Representation):
    """A client. ``attributes["client.secret.creation.time"]`` and its like are in seconds."""

    id: Maybe[str] = UNSET
    client_id: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    type: Annotated[Maybe[str], _TYPES] = UNSET
    root_url: Maybe[str] = UNSET
    admin_url: Annotated[Maybe[str], _ADAPTERS] = UNSET
    base_url: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    surrogate_auth_required: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    enabled: Maybe[bool] = UNSET
    always_display_in_console: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    client_authenticator_type: Maybe[str] = UNSET
    secret: Annotated[Maybe[str], SECRET] = UNSET
    registration_access_token: Annotated[Maybe[str], SECRET] = UNSET
    default_roles: Maybe[list[str]] = UNSET
    redirect_uris: Maybe[list[str]] = UNSET
    web_origins: Maybe[list[str]] = UNSET
    not_before: Maybe[Integer] = UNSET
    bearer_only: Maybe[bool] = UNSET
    consent_required: Maybe[bool] = UNSET
    standard_flow_enabled: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    implicit_flow_enabled: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    direct_access_grants_enabled: Maybe[bool] = UNSET
    service_accounts_enabled: Maybe[bool] = UNSET
    authorization_services_enabled: Annotated[Maybe[bool], _AUTHORIZATION] = UNSET
    direct_grants_only: Maybe[bool] = UNSET
    public_client: Maybe[bool] = UNSET
    frontchannel_logout: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    protocol: Maybe[str] = UNSET
    attributes: Annotated[
        Maybe[dict[str, str]],
        secret_entries(
            "client.secret.rotated",
            "keyturn.credentials.secrets",
            "jwt.credential.private.key",
            "saml.signing.private.key",
            "saml.encryption.private.key",
        ),
        NULL_REMOVES,
    ] = UNSET
    authentication_flow_binding_overrides: Annotated[Maybe[dict[str, str]], _LOGIN_PAGES, NULL_REMOVES] = UNSET
    full_scope_allowed: Maybe[bool] = UNSET
    node_re_registration_timeout: Annotated[Maybe[Integer], _ADAPTERS] = UNSET
    registered_nodes: Annotated[Maybe[dict[str, Integer]], _ADAPTERS] = UNSET
    protocol_mappers: Maybe[list[ProtocolMapperRepresentation]] = UNSET
    client_template: Maybe[str] = UNSET
    use_template_config: Maybe[bool] = UNSET
    use_template_scope: Maybe[bool] = UNSET
    use_template_mappers: Maybe[bool] = UNSET
    default_client_scopes: Maybe[list[str]] = UNSET
    optional_client_scopes: Maybe[list[str]] = UNSET
    authorization_settings: Annotated[Maybe[dict[str, Any]], _AUTHORIZATION] = UNSET
    access: Maybe[dict[str, bool]] = UNSET
    origin: Maybe[str] = UNSET
