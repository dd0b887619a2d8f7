"""From OpenID Connect's client metadata to Keycloak's client. Source: Keycloak ``DescriptionConverter.toInternal``."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from keyturn.admin.registration.refusal import invalid_metadata
from keyturn.jose.client_certificate import AlternativeName
from keyturn.jose.jwk import InvalidKey, public_key_from_jwk
from keyturn.model.client_certificates import ALTERNATIVE_NAMES, SELF_SIGNED
from keyturn.representations import UNSET, ClientRepresentation, given, present
from keyturn.representations.oidc_client import OIDCClientRepresentation

__all__ = ["ATTRIBUTES", "AUTHENTICATORS", "GRANTS", "LISTS", "SELF_SIGNED_METHOD", "UMA", "client_of"]

SELF_SIGNED_METHOD: Final = "self_signed_tls_client_auth"
"""RFC 8705 §2.2, which Keycloak does not know."""

AUTHENTICATORS: Final[Mapping[str, str]] = {
    "client_secret_basic": "client-secret",
    "client_secret_post": "client-secret",
    "client_secret_jwt": "client-secret-jwt",
    "private_key_jwt": "client-jwt",
    "tls_client_auth": "client-x509",
    SELF_SIGNED_METHOD: "client-x509",
    "none": "none",
}
"""``clientAuthenticatorType`` by ``token_endpoint_auth_method``."""

GRANTS: Final[Mapping[str, str]] = {
    "urn:ietf:params:oauth:grant-type:device_code": "oauth2.device.authorization.grant.enabled",
    "urn:openid:params:grant-type:ciba": "oidc.ciba.grant.enabled",
    "refresh_token": "use.refresh.tokens",
    "urn:ietf:params:oauth:grant-type:token-exchange": "standard.token.exchange.enabled",
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "oauth2.jwt.authorization.grant.enabled",
}
"""The attribute that says ``true`` where a client has the grant."""

_NOT_FOR_PUBLIC: Final = frozenset(
    {"urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer"}
)
UMA: Final = "urn:ietf:params:oauth:grant-type:uma-ticket"

ATTRIBUTES: Final[Mapping[str, str]] = {
    "userinfo_signed_response_alg": "user.info.response.signature.alg",
    "userinfo_encrypted_response_alg": "user.info.encrypted.response.alg",
    "userinfo_encrypted_response_enc": "user.info.encrypted.response.enc",
    "request_object_signing_alg": "request.object.signature.alg",
    "tls_client_auth_subject_dn": "x509.subjectdn",
    **{f"tls_client_auth_san_{kind}": f"{ALTERNATIVE_NAMES}{kind}" for kind in get_args(AlternativeName)},
    "id_token_signed_response_alg": "id.token.signed.response.alg",
    "id_token_encrypted_response_alg": "id.token.encrypted.response.alg",
    "id_token_encrypted_response_enc": "id.token.encrypted.response.enc",
    "authorization_signed_response_alg": "authorization.signed.response.alg",
    "authorization_encrypted_response_alg": "authorization.encrypted.response.alg",
    "authorization_encrypted_response_enc": "authorization.encrypted.response.enc",
    "token_endpoint_auth_signing_alg": "token.endpoint.auth.signing.alg",
    "backchannel_logout_uri": "backchannel.logout.url",
    "backchannel_token_delivery_mode": "ciba.backchannel.token.delivery.mode",
    "backchannel_client_notification_endpoint": "ciba.backchannel.client.notification.endpoint",
    "backchannel_authentication_request_signing_alg": "ciba.backchannel.auth.request.signing.alg",
    "frontchannel_logout_uri": "frontchannel.logout.url",
}
"""Texts that are answered as they were sent."""

_TAKEN: Final[Mapping[str, str]] = {
    "logo_uri": "logoUri",
    "policy_uri": "policyUri",
    "tos_uri": "tosUri",
    "sector_identifier_uri": "sectorIdentifierUri",
}
"""Texts that are taken, and not answered."""

_REMOVED: Final = frozenset(
    {
        "id_token_signed_response_alg",
        "authorization_signed_response_alg",
        "authorization_encrypted_response_alg",
        "authorization_encrypted_response_enc",
        "token_endpoint_auth_signing_alg",
        "backchannel_logout_uri",
    }
)
"""What an update without it removes, if it has anything that stands before it; all else stays. So does Keycloak."""

_FLAGS: Final[Mapping[str, str]] = {
    "tls_client_certificate_bound_access_tokens": "tls.client.certificate.bound.access.tokens",
    "dpop_bound_access_tokens": "dpop.bound.access.tokens",
    "require_pushed_authorization_requests": "require.pushed.authorization.requests",
}
_FLAGS_WITH_DEFAULT: Final[Mapping[str, tuple[str, bool]]] = {
    "backchannel_logout_session_required": ("backchannel.logout.session.required", True),
    "backchannel_logout_revoke_offline_tokens": ("backchannel.logout.revoke.offline.tokens", False),
    "frontchannel_logout_session_required": ("frontchannel.logout.session.required", False),
}
LISTS: Final[Mapping[str, str]] = {
    "request_uris": "request.uris",
    "post_logout_redirect_uris": "post.logout.redirect.uris",
    "default_acr_values": "default.acr.values",
}

_RESPONSE_TYPES: Final = frozenset({"code", "token", "id_token", "none"})
_JWK_MEMBERS: Final = ("kid", "kty", "alg", "use", "x5c", "x5t", "x5t#S256")
_SIGNING_KEYS: Final = frozenset({"RSA", "EC", "OKP"})
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def client_of(metadata: OIDCClientRepresentation) -> ClientRepresentation:
    """The client that `metadata` describes; what it does not say is absent.

    Raises:
        AdminError: a value that makes no client.
    """
    response_types = _response_types(metadata)
    grants = given(metadata.grant_types, None)
    method = given(metadata.token_endpoint_auth_method, None)
    if method == "none" and not _NOT_FOR_PUBLIC.isdisjoint(grants or ()):
        raise invalid_metadata()
    authenticator = AUTHENTICATORS.get(method or "client_secret_basic")
    if authenticator is None:
        raise invalid_metadata()
    attributes = {} if grants is None else {name: _flag(grant in grants) for grant, name in GRANTS.items()}
    if authenticator == "client-secret" and method is not None:
        attributes["client.secret.authentication.allowed.method"] = method
    keys, can_sign = _keys(metadata)
    if (method == "private_key_jwt" and not can_sign) or (method == SELF_SIGNED_METHOD and not keys):
        raise invalid_metadata()
    if method == SELF_SIGNED_METHOD:
        attributes[SELF_SIGNED] = "true"
    elif method == "tls_client_auth":
        attributes[SELF_SIGNED] = ""
    attributes = _with_settings({**attributes, **keys}, metadata)
    return ClientRepresentation(
        client_id=metadata.client_id,
        name=metadata.client_name,
        redirect_uris=metadata.redirect_uris,
        base_url=metadata.client_uri,
        protocol="openid-connect",
        optional_client_scopes=metadata.scope.split(" ") if metadata.scope else [] if metadata.scope == "" else UNSET,
        standard_flow_enabled=not response_types.isdisjoint({"code", "none"}),
        implicit_flow_enabled=not response_types.isdisjoint({"token", "id_token"}),
        direct_access_grants_enabled="password" in (grants or ()),
        service_accounts_enabled=UNSET if grants is None else "client_credentials" in grants,
        authorization_services_enabled=UNSET if grants is None else UMA in grants,
        public_client=method == "none",
        client_authenticator_type=authenticator,
        frontchannel_logout=bool(given(metadata.frontchannel_logout_uri, "").strip()),
        attributes=attributes,
    )


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _response_types(metadata: OIDCClientRepresentation) -> set[str]:
    """The words of the response types; where there are none, what the grants amount to."""
    sent, grants = given(metadata.response_types, []), given(metadata.grant_types, [])
    if not sent:
        implied = {"authorization_code": "code", "implicit": "id_token"}
        return {implied[grant] for grant in grants if grant in implied} if grants else {"code"}
    words: set[str] = set()
    for response_type in sent:
        these = response_type.strip().split(" ")
        if not _RESPONSE_TYPES.issuperset(these) or ("none" in these and len(these) > 1):
            raise invalid_metadata()
        words.update(these)
    return words


def _with_settings(attributes: dict[str, str], metadata: OIDCClientRepresentation) -> dict[str, str]:
    """`attributes`, which grants and keys have made, with those of everything else. An empty one removes."""
    found = dict(attributes)
    if present(flag := metadata.tls_client_certificate_bound_access_tokens):
        found[_FLAGS["tls_client_certificate_bound_access_tokens"]] = _flag(flag is True)
    for name, attribute in {**ATTRIBUTES, **_TAKEN}.items():
        value = getattr(metadata, name)
        if present(value) or (name in _REMOVED and found):
            found[attribute] = given(value, "")
    found.setdefault(ATTRIBUTES["frontchannel_logout_uri"], "")
    if present(metadata.tls_client_auth_subject_dn):
        found["x509.allow.regex.pattern.comparison"] = "false"
    for name, attribute in _FLAGS.items():
        if present(flag := getattr(metadata, name)):
            found[attribute] = _flag(flag)
    for name, (attribute, default) in _FLAGS_WITH_DEFAULT.items():
        found[attribute] = _flag(given(getattr(metadata, name), default))
    for name, attribute in LISTS.items():
        if present(values := getattr(metadata, name)):
            found[attribute] = "##".join(values)
    return found


def _keys(metadata: OIDCClientRepresentation) -> tuple[dict[str, str], bool]:
    """The attributes that hold or name the client's keys, and whether one of them is to sign with."""
    if not present(metadata.jwks):
        if not present(metadata.jwks_uri):
            return {}, False
        uri = given(metadata.jwks_uri, "")
        return {"use.jwks.url": "true", "jwks.url": uri, "use.jwks.string": "false"}, True
    keys = given(metadata.jwks, {}).get("keys")
    if present(metadata.jwks_uri) or not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise invalid_metadata()
    if any(not _PRIVATE.isdisjoint(key) for key in keys):  # RFC 7591 §2: public keys
        raise invalid_metadata()
    found = {"jwks.string": _written(keys), "use.jwks.string": "true", "use.jwks.url": "false"}
    signing = [key for key in keys if key.get("use") == "sig" and str(key.get("kty")) in _SIGNING_KEYS]
    if not signing:
        return found, False
    try:
        found["jwt.credential.public.key"] = b64encode(public_key_from_jwk(signing[0]).to_der()).decode()
    except InvalidKey:
        raise invalid_metadata() from None
    found["jwt.credential.kid"] = str(signing[0].get("kid", ""))
    return found, True


def _written(keys: Iterable[Mapping[str, Any]]) -> str:
    """The key set as Keycloak keeps it: the members that it knows first, in lines."""
    ordered = [
        {name: key[name] for name in (*_JWK_MEMBERS, *sorted(key.keys() - set(_JWK_MEMBERS))) if name in key}
        for key in keys
    ]
    return json.dumps({"keys": ordered}, indent=2, separators=(",", " : "), ensure_ascii=False)
