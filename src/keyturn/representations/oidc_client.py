"""A client in the words of OpenID Connect Dynamic Client Registration §2 and RFC 7591 §2."""

from typing import Annotated, Any

from keyturn.representations.base import UNSET, Integer, Long, Maybe, Representation, kept
from keyturn.representations.secrecy import SECRET

__all__ = ["OIDCClientRepresentation"]

_LOGIN_PAGES = kept("login pages")
_ENCRYPTION = kept("encrypted answers")
_CIBA = kept("CIBA")


class OIDCClientRepresentation(Representation, rename=None):
    """A client's metadata. ``client_id_issued_at`` and ``client_secret_expires_at`` are in epoch seconds."""

    redirect_uris: Maybe[list[str]] = UNSET
    token_endpoint_auth_method: Maybe[str] = UNSET
    token_endpoint_auth_signing_alg: Maybe[str] = UNSET
    grant_types: Maybe[list[str]] = UNSET
    response_types: Annotated[Maybe[list[str]], _LOGIN_PAGES] = UNSET
    application_type: Maybe[str] = UNSET
    client_id: Maybe[str] = UNSET
    client_secret: Annotated[Maybe[str], SECRET] = UNSET
    client_name: Maybe[str] = UNSET
    client_uri: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    logo_uri: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    scope: Maybe[str] = UNSET
    contacts: Maybe[list[str]] = UNSET
    tos_uri: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    policy_uri: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    jwks_uri: Maybe[str] = UNSET
    jwks: Maybe[dict[str, Any]] = UNSET
    sector_identifier_uri: Maybe[str] = UNSET
    subject_type: Maybe[str] = UNSET
    id_token_signed_response_alg: Maybe[str] = UNSET
    id_token_encrypted_response_alg: Annotated[Maybe[str], _ENCRYPTION] = UNSET
    id_token_encrypted_response_enc: Annotated[Maybe[str], _ENCRYPTION] = UNSET
    userinfo_signed_response_alg: Maybe[str] = UNSET
    userinfo_encrypted_response_alg: Annotated[Maybe[str], _ENCRYPTION] = UNSET
    userinfo_encrypted_response_enc: Annotated[Maybe[str], _ENCRYPTION] = UNSET
    request_object_signing_alg: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    request_object_encryption_alg: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    request_object_encryption_enc: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    default_max_age: Maybe[Integer] = UNSET
    require_auth_time: Maybe[bool] = UNSET
    default_acr_values: Annotated[Maybe[list[str]], _LOGIN_PAGES] = UNSET
    initiate_login_uri: Maybe[str] = UNSET
    request_uris: Annotated[Maybe[list[str]], _LOGIN_PAGES] = UNSET
    tls_client_certificate_bound_access_tokens: Maybe[bool] = UNSET
    tls_client_auth_subject_dn: Maybe[str] = UNSET
    tls_client_auth_san_dns: Maybe[str] = UNSET
    tls_client_auth_san_uri: Maybe[str] = UNSET
    tls_client_auth_san_ip: Maybe[str] = UNSET
    tls_client_auth_san_email: Maybe[str] = UNSET
    dpop_bound_access_tokens: Maybe[bool] = UNSET
    post_logout_redirect_uris: Annotated[Maybe[list[str]], _LOGIN_PAGES] = UNSET
    software_id: Maybe[str] = UNSET
    software_version: Maybe[str] = UNSET
    client_id_issued_at: Maybe[Integer] = UNSET
    client_secret_expires_at: Maybe[Long] = UNSET
    registration_client_uri: Maybe[str] = UNSET
    registration_access_token: Annotated[Maybe[str], SECRET] = UNSET
    backchannel_logout_uri: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    backchannel_logout_session_required: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    backchannel_logout_revoke_offline_tokens: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    backchannel_token_delivery_mode: Annotated[Maybe[str], _CIBA] = UNSET
    backchannel_client_notification_endpoint: Annotated[Maybe[str], _CIBA] = UNSET
    backchannel_authentication_request_signing_alg: Annotated[Maybe[str], _CIBA] = UNSET
    authorization_signed_response_alg: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    authorization_encrypted_response_alg: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    authorization_encrypted_response_enc: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    require_pushed_authorization_requests: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    frontchannel_logout_uri: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    frontchannel_logout_session_required: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
