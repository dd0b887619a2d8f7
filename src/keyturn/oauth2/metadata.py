"""What the realm says of itself (OpenID Connect Discovery §3, RFC 8414 §2).

Grants, methods of authentication, algorithms and scopes follow from what there is. Beside them stand those of Keycloak
that need a browser or are not here yet: tools compare these lists with what they were configured with, and whoever uses
one gets the error that its endpoint gives.
"""

from collections.abc import Iterable
from typing import Any, Final

from keyturn.jose.algorithms import CONTENT_ENCRYPTION_ALGORITHMS, KEY_MANAGEMENT_ALGORITHMS, SIGNATURE_ALGORITHMS
from keyturn.model.client_scope import OPENID
from keyturn.model.realm import Realm
from keyturn.oauth2.client_authentication import METHODS
from keyturn.oauth2.grants import GRANTS, UNAVAILABLE
from keyturn.oauth2.http_message import Headers, Response, json_response

_HEADERS: Final[Headers] = ((b"cache-control", b"no-cache, must-revalidate, no-transform, no-store"),)

_GRANTS: Final = sorted({"implicit", *(grant.grant_type for grant in (*GRANTS, *UNAVAILABLE))})
_AUTHENTICATION: Final = sorted({name for method in METHODS for name in method.metadata})
_SIGNATURES: Final = sorted(SIGNATURE_ALGORITHMS)
_ASYMMETRIC: Final = sorted(name for name, row in SIGNATURE_ALGORITHMS.items() if row.family != "oct")
_ENCRYPTIONS: Final = sorted(KEY_MANAGEMENT_ALGORITHMS)
_CONTENT_ENCRYPTIONS: Final = sorted(CONTENT_ENCRYPTION_ALGORITHMS)
_RESPONSE_TYPES: Final = (
    "code",
    "none",
    "id_token",
    "token",
    "id_token token",
    "code id_token",
    "code token",
    "code id_token token",
)
_RESPONSE_MODES: Final = ("query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt")
_CLAIMS: Final = (
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "email",
    "acr",
    "azp",
    "nonce",
)
_ALIASES: Final = (
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "device_authorization_endpoint",
    "registration_endpoint",
    "userinfo_endpoint",
    "pushed_authorization_request_endpoint",
    "backchannel_authentication_endpoint",
)
"""The endpoints that take client certificates (RFC 8705 §5)."""

_SELF_SIGNED: Final = "self_signed_tls_client_auth"
"""Told only where certificates are looked at, and could be shown: Keycloak has no such method."""

_UMA_MEMBERS: Final = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "introspection_endpoint",
    "end_session_endpoint",
    "frontchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "jwks_uri",
    "grant_types_supported",
    "response_types_supported",
    "response_modes_supported",
    "registration_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "scopes_supported",
)


def openid_configuration(realm: Realm, base_url: str, mtls_url: str | None = None) -> Response:
    """``openid-configuration`` and ``oauth-authorization-server``. Source: Keycloak ``OIDCWellKnownProvider``.

    `mtls_url` is `base_url` where clients show certificates; None where they cannot. Keycloak does not tell.
    """
    return json_response(200, _document(realm, base_url, mtls_url), _HEADERS)


def uma2_configuration(realm: Realm, base_url: str, mtls_url: str | None = None) -> Response:
    """``uma2-configuration``. Source: Keycloak ``UmaWellKnownProvider``."""
    document = _document(realm, base_url, mtls_url)
    url = f"{document['issuer']}/authz/protection"
    uma = {
        "resource_registration_endpoint": f"{url}/resource_set",
        "permission_endpoint": f"{url}/permission",
        "policy_endpoint": f"{url}/uma-policy",
    }
    return json_response(200, {name: document[name] for name in _UMA_MEMBERS} | uma, _HEADERS)


def _document(realm: Realm, base_url: str, mtls_url: str | None) -> dict[str, Any]:
    issuer = f"{base_url}{realm.path}"
    endpoints = _endpoints(issuer)
    aliases = endpoints if mtls_url in (None, base_url) else _endpoints(f"{mtls_url}{realm.path}")
    shows = mtls_url is not None and mtls_url.startswith("https:")
    methods = sorted({*_AUTHENTICATION, _SELF_SIGNED}) if shows else _AUTHENTICATION
    return {
        "issuer": issuer,
        **endpoints,
        "frontchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "grant_types_supported": _GRANTS,
        "acr_values_supported": ("0", "1"),
        "response_types_supported": _RESPONSE_TYPES,
        "subject_types_supported": ("public", "pairwise"),
        "prompt_values_supported": ("none", "login", "consent"),
        **_algorithms("id_token", _SIGNATURES),
        **_algorithms("userinfo", (*_SIGNATURES, "none")),
        **_algorithms("request_object", (*_SIGNATURES, "none")),
        "response_modes_supported": _RESPONSE_MODES,
        **_authentication("token_endpoint", methods),
        **_authentication("introspection_endpoint", methods),
        **_algorithms("authorization", _SIGNATURES),
        "claims_supported": _CLAIMS,
        "claim_types_supported": ("normal",),
        "claims_parameter_supported": True,
        "scopes_supported": [OPENID, *sorted(scope.name for scope in realm.scopes.values())],
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "code_challenge_methods_supported": ("plain", "S256"),
        "tls_client_certificate_bound_access_tokens": True,
        "dpop_signing_alg_values_supported": _ASYMMETRIC,
        **_authentication("revocation_endpoint", methods),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "backchannel_token_delivery_modes_supported": ("poll", "ping"),
        "backchannel_authentication_request_signing_alg_values_supported": _ASYMMETRIC,
        "require_pushed_authorization_requests": False,
        "mtls_endpoint_aliases": {name: aliases[name] for name in _ALIASES},
        "authorization_response_iss_parameter_supported": True,
    }


def _endpoints(issuer: str) -> dict[str, str]:
    protocol = f"{issuer}/protocol/openid-connect"
    return {
        "authorization_endpoint": f"{protocol}/auth",
        "token_endpoint": f"{protocol}/token",
        "introspection_endpoint": f"{protocol}/token/introspect",
        "userinfo_endpoint": f"{protocol}/userinfo",
        "end_session_endpoint": f"{protocol}/logout",
        "jwks_uri": f"{protocol}/certs",
        "check_session_iframe": f"{protocol}/login-status-iframe.html",
        "registration_endpoint": f"{issuer}/clients-registrations/openid-connect",
        "revocation_endpoint": f"{protocol}/revoke",
        "device_authorization_endpoint": f"{protocol}/auth/device",
        "backchannel_authentication_endpoint": f"{protocol}/ext/ciba/auth",
        "pushed_authorization_request_endpoint": f"{protocol}/ext/par/request",
    }


def _algorithms(what: str, signatures: Iterable[str]) -> dict[str, Any]:
    return {
        f"{what}_signing_alg_values_supported": tuple(signatures),
        f"{what}_encryption_alg_values_supported": _ENCRYPTIONS,
        f"{what}_encryption_enc_values_supported": _CONTENT_ENCRYPTIONS,
    }


def _authentication(endpoint: str, methods: Iterable[str]) -> dict[str, Any]:
    return {
        f"{endpoint}_auth_methods_supported": methods,
        f"{endpoint}_auth_signing_alg_values_supported": _SIGNATURES,
    }
