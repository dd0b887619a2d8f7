"""From Keycloak's client to OpenID Connect's client metadata, as registration answers it.

Source: Keycloak ``DescriptionConverter.toExternalResponse``.
"""

import json
from typing import Any, Final

from keyturn.admin.registration.metadata import ATTRIBUTES, GRANTS, SELF_SIGNED_METHOD, UMA
from keyturn.admin.registration.pairwise import pairwise_mapper
from keyturn.model.client_certificates import AUTHENTICATOR, is_self_signed
from keyturn.representations import UNSET, ClientRepresentation, given
from keyturn.representations.oidc_client import OIDCClientRepresentation
from keyturn.representations.realm import RealmRepresentation

__all__ = ["metadata_of"]

_METHODS: Final = {
    "client-secret": "client_secret_basic",
    "client-secret-jwt": "client_secret_jwt",
    "client-jwt": "private_key_jwt",
    "client-x509": "tls_client_auth",
    "none": "none",
}
_WITH_SECRET: Final = frozenset({"client-secret", "client-secret-jwt"})
_NOT_FOR_PUBLIC: Final = ("standard.token.exchange.enabled", "oauth2.jwt.authorization.grant.enabled")
_GRANT_ORDER: Final = (
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:openid:params:grant-type:ciba",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
)


def metadata_of(
    client: ClientRepresentation, realm: RealmRepresentation, uri: str, *, issued_at: int | None = None
) -> OIDCClientRepresentation:
    """The metadata of `client`, which comes with its scopes and its registration access token.

    Args:
        uri: where it can be read and changed (``registration_client_uri``).
        issued_at: when it was registered, in epoch seconds; None where that is not answered.
    """
    attributes = given(client.attributes, {})
    authenticator = given(client.client_authenticator_type, "client-secret")
    method = _METHODS.get(authenticator)
    if authenticator == "client-secret":
        method = attributes.get("client.secret.authentication.allowed.method", method)
    if authenticator == AUTHENTICATOR and is_self_signed(attributes):
        method = SELF_SIGNED_METHOD
    has_secret = authenticator in _WITH_SECRET
    texts: dict[str, Any] = {name: attributes[key] for name, key in ATTRIBUTES.items() if attributes.get(key)}
    if "id_token_signed_response_alg" not in texts and given(realm.default_signature_algorithm, "RS256") != "RS256":
        texts["id_token_signed_response_alg"] = realm.default_signature_algorithm
    mapper = pairwise_mapper(client)
    sector = None if mapper is None else given(mapper.config, {}).get("sectorIdentifierUri")
    acr_values = _list(attributes, "default.acr.values")
    return OIDCClientRepresentation(
        redirect_uris=client.redirect_uris,
        token_endpoint_auth_method=method or UNSET,
        grant_types=_grant_types(client),
        response_types=_response_types(client),
        client_id=client.client_id,
        client_secret=client.secret if has_secret else UNSET,
        client_name=client.name,
        client_uri=client.base_url,
        scope=" ".join(given(client.optional_client_scopes, [])),
        jwks_uri=attributes.get("jwks.url", UNSET) if _on(attributes, "use.jwks.url") else UNSET,
        jwks=_keys(attributes) if _on(attributes, "use.jwks.string") else UNSET,
        sector_identifier_uri=sector or UNSET,
        subject_type="public" if mapper is None else "pairwise",
        default_acr_values=acr_values or UNSET,
        request_uris=_list(attributes, "request.uris"),
        tls_client_certificate_bound_access_tokens=_on(attributes, "tls.client.certificate.bound.access.tokens"),
        dpop_bound_access_tokens=_on(attributes, "dpop.bound.access.tokens"),
        post_logout_redirect_uris=_post_logout_redirect_uris(client),
        client_id_issued_at=UNSET if issued_at is None else issued_at,
        client_secret_expires_at=_expiration(attributes) if has_secret else UNSET,
        registration_client_uri=uri,
        registration_access_token=client.registration_access_token,
        # Keycloak answers here whether offline tokens are revoked, under the name of the other setting.
        backchannel_logout_session_required=_on(attributes, "backchannel.logout.revoke.offline.tokens"),
        require_pushed_authorization_requests=_on(attributes, "require.pushed.authorization.requests"),
        frontchannel_logout_session_required=attributes.get("frontchannel.logout.session.required", "true") == "true",
        **texts,
    )


def _on(attributes: dict[str, str], name: str) -> bool:
    return attributes.get(name, "").lower() == "true"


def _list(attributes: dict[str, str], name: str) -> list[str]:
    text = attributes.get(name)
    return text.split("##") if text else []


def _keys(attributes: dict[str, str]) -> Any:
    try:
        return json.loads(attributes.get("jwks.string", ""))
    except ValueError:
        return UNSET


def _expiration(attributes: dict[str, str]) -> int:
    text = attributes.get("client.secret.expiration.time", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _post_logout_redirect_uris(client: ClientRepresentation) -> list[str]:
    """``+`` and nothing stand for the redirect URIs, ``-`` for none."""
    uris = _list(given(client.attributes, {}), "post.logout.redirect.uris") or ["+"]
    if uris == ["-"]:
        return []
    return list(given(client.redirect_uris, [])) if uris == ["+"] else uris


def _response_types(client: ClientRepresentation) -> list[str]:
    code, implicit = client.standard_flow_enabled is True, client.implicit_flow_enabled is True
    found = ["code", "none"] if code else []
    found += ["id_token", "id_token token"] if implicit else []
    return found + (["code id_token", "code token", "code id_token token"] if code and implicit else [])


def _grant_types(client: ClientRepresentation) -> list[str]:
    attributes = {"use.refresh.tokens": "true", **given(client.attributes, {})}
    flags = {
        "authorization_code": client.standard_flow_enabled,
        "implicit": client.implicit_flow_enabled,
        "password": client.direct_access_grants_enabled,
        "client_credentials": client.service_accounts_enabled,
    }
    found = [grant for grant, flag in flags.items() if flag is True]
    if client.authorization_services_enabled is True:
        found.append(UMA)
    for grant in _GRANT_ORDER:
        hidden = client.public_client is True and GRANTS[grant] in _NOT_FOR_PUBLIC
        if _on(attributes, GRANTS[grant]) and not hidden:
            found.append(grant)
    return found
