"""Whether an identity provider is one that a realm can have, wherever it comes from: a call, or an import.

Source: Keycloak ``OIDCIdentityProviderConfig.validate`` and its likes, ``IssuerValidation``; asked of Keycloak.
"""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from keyturn.admin.authentication_flows import flows_of
from keyturn.admin.client_validation import is_url
from keyturn.admin.errors import ErrorMessage, InvalidRequest
from keyturn.admin.server_info import server_info_with
from keyturn.model.client_keys import UnreadableKeys
from keyturn.model.trusted_issuer import (
    BUNDLE_AT,
    DISCOVERY,
    KEYS,
    KEYS_AT,
    KUBERNETES_ISSUER,
    SPIFFE,
    TRUST_DOMAIN,
    issuer_of,
    set_of,
)
from keyturn.representations import UNSET, Maybe, given, present, replace, without_nulls
from keyturn.representations.identity_provider import IdentityProviderRepresentation
from keyturn.representations.realm import RealmRepresentation

__all__ = ["check", "check_imported", "check_kind", "imported", "with_usual_settings"]

_GOOGLE_ISSUER: Final = "https://accounts.google.com"
_LONGEST_NAME: Final = 255
"""Characters of a name, as Keycloak's database takes them."""
_JWT_GRANT: Final = "jwt-authorization-grant"
_VERIFYING = {
    "validateSignature": "Validate signatures",
    "jwtAuthorizationGrantEnabled": "JWT Authorization Grant",
    "supportsClientAssertions": "Supports client assertions",
}
_OF_OAUTH2 = (
    ("authorizationUrl", "authorization_url"),
    ("tokenUrl", "token_url"),
    ("userInfoUrl", "userinfo_url"),
    ("tokenIntrospectionUrl", "tokenIntrospection_url"),
)
_OF_OIDC = (*_OF_OAUTH2, ("jwksUrl", "jwks_url"), ("logoutUrl", "logout_url"))
_OIDC: Final = frozenset({"oidc", "keycloak-oidc", "gitlab", "google", "linkedin-openid-connect", "microsoft"})
"""Kinds of providers that speak OpenID Connect."""
_OTHER_URLS: Mapping[str, tuple[tuple[str, str], ...]] = {
    _JWT_GRANT: (("jwksUrl", "jwksUrl"), ("issuer", "Issuer")),
    "kubernetes": (("issuer", "Issuer"), (KEYS_AT, KEYS_AT)),
    "saml": tuple(
        (name, name) for name in ("singleLogoutServiceUrl", "singleSignOnServiceUrl", "metadataDescriptorUrl")
    ),
    SPIFFE: (),
}
"""By kind of provider the settings that are URLs, each with what Keycloak calls it, in its order."""
_FLOWS: Final = ("first_broker_login_flow_alias", "post_broker_login_flow_alias")
_HIDDEN = "hideOnLoginPage"
"""Where older versions keep whether it is hidden."""


def with_usual_settings(sent: IdentityProviderRepresentation, kind: str) -> IdentityProviderRepresentation:
    """`sent` as it is kept: on, with what providers of its kind always have, and without settings that are empty."""
    config = given(sent.config, {})
    sent = without_nulls(sent)
    usual = {"kubernetes": {"issuer": KUBERNETES_ISSUER}, "google": {"issuer": _GOOGLE_ISSUER}}.get(kind, {})
    older = config.get(_HIDDEN)
    return replace(
        sent,
        enabled=given(sent.enabled, True),
        hide_on_login=sent.hide_on_login if older is None else older.lower() == "true",
        config=usual | {name: value for name, value in config.items() if present(value) and value and name != _HIDDEN},
        organization_id=UNSET,
        update_profile_first_login=UNSET,
        update_profile_first_login_mode=UNSET,
        **{name: getattr(sent, name) or UNSET for name in _FLOWS},
    )


def check_kind(kind: Maybe[str], features: frozenset[str]) -> None:
    """That there are providers of this kind. Raises ErrorMessage."""
    if kind not in {each["id"] for each in server_info_with(features)["identityProviders"]}:
        raise ErrorMessage(400, f"Invalid identity provider id [{given(kind, 'null') or ''}]")


def check(
    realm: RealmRepresentation,
    provider: IdentityProviderRepresentation,
    kind: str,
    others: Iterable[IdentityProviderRepresentation],
) -> None:
    """That its settings are those of a provider of this kind, and its tokens can be verified.

    Args:
        others: the realm's providers, none of which may speak for the same issuer.

    Raises:
        ErrorMessage: they are not.
        InvalidRequest: they are not, and Keycloak fails.
    """
    config = given(provider.config, {})
    for name, text in _OTHER_URLS.get(kind, _OF_OIDC if kind in _OIDC else _OF_OAUTH2):
        _check_url(realm, text, config.get(name))
    if kind in _OIDC:
        _check_keys(realm, config)
    if kind == "google" and config.get("issuer") != _GOOGLE_ISSUER:
        raise ErrorMessage(400, f"The issuer url [{config.get('issuer', '')}] is invalid")
    if kind == "oauth2" and not config.get("userInfoUrl"):
        raise ErrorMessage(400, "User Info URL not provided")
    if kind == _JWT_GRANT and not config.get("issuer"):
        raise ErrorMessage(400, "Issuer is required")
    if kind == SPIFFE:
        _check_trust_domain(realm, config)
    if config.get(KEYS) and isinstance(set_of(config[KEYS], bundle=kind == SPIFFE), UnreadableKeys):
        raise InvalidRequest(f"{KEYS} is no JWK Set of public keys")
    _check_issuer(provider, others)
    flow = _unknown_flow(realm, provider)
    if flow is not None:
        raise InvalidRequest(f"There is no authentication flow {flow}")
    if any(len(given(text, "")) > _LONGEST_NAME for text in (provider.alias, provider.display_name)):
        raise InvalidRequest(f"A text is longer than {_LONGEST_NAME} characters")


def _check_issuer(provider: IdentityProviderRepresentation, others: Iterable[IdentityProviderRepresentation]) -> None:
    """That none of the `others` speaks for the same issuer. Raises ErrorMessage."""
    issuer = issuer_of(provider)
    if issuer is None or not given(provider.enabled, True):
        return
    for other in others:
        if other.internal_id != provider.internal_id and issuer_of(other) == issuer:
            text = (
                "Issuer must be unique if the idp supports JWT Authorization Grant or Federated Client Authentication"
            )
            raise ErrorMessage(400, f"Issuer URL already used for IDP '{given(other.alias, '')}', {text}")


def check_imported(
    realm: RealmRepresentation,
    provider: IdentityProviderRepresentation,
    others: Iterable[IdentityProviderRepresentation],
    *,
    features: frozenset[str],
) -> None:
    """As `check` and `check_kind`, where it is part of an import. Raises InvalidRequest: Keycloak fails there."""
    if given(provider.organization_id, ""):
        raise InvalidRequest(f"There is no organization {provider.organization_id}")
    try:
        check_kind(provider.provider_id, features)
        kind = given(provider.provider_id, "")
        check(realm, with_usual_settings(provider, kind), kind, others)
    except ErrorMessage as error:
        raise InvalidRequest(error.document["errorMessage"]) from None


def imported(
    realm: RealmRepresentation,
    providers: Iterable[IdentityProviderRepresentation],
    *,
    features: frozenset[str],
    new_id: Callable[[], str],
) -> list[IdentityProviderRepresentation]:
    """The `providers` that a new realm brings, as they are kept.

    Raises:
        ErrorMessage: one of them is none, or there are two of a name or id.
        InvalidRequest: one of them is none, and Keycloak fails.
    """
    made: list[IdentityProviderRepresentation] = []
    for provider in providers:
        flow = _unknown_flow(realm, provider)
        if flow is not None:
            raise ErrorMessage(400, f"No available authentication flow with alias: {flow}")
        if any(len(given(text, "")) > _LONGEST_NAME for text in (provider.alias, provider.display_name)):
            raise ErrorMessage(400, "Database operation failed")
        new = replace(provider, internal_id=given(provider.internal_id, "") or new_id())
        if any(_clash(each, new) for each in made):
            raise ErrorMessage(409, "Duplicate resource error")
        check_imported(realm, new, made, features=features)
        made.append(with_usual_settings(new, given(new.provider_id, "")))
    return made


def _clash(one: IdentityProviderRepresentation, other: IdentityProviderRepresentation) -> bool:
    return one.internal_id == other.internal_id or (present(one.alias) and one.alias == other.alias)


def _unknown_flow(realm: RealmRepresentation, provider: IdentityProviderRepresentation) -> str | None:
    named = {given(getattr(provider, name), "") for name in _FLOWS} - {""}
    unknown = named - {str(flow.alias) for flow in flows_of(realm)} if named else set[str]()
    return min(unknown, default=None)


def _check_keys(realm: RealmRepresentation, config: Mapping[str, str]) -> None:
    on = {name for name in _VERIFYING if config.get(name) == "true"}
    if on:
        what = next(text for name, text in _VERIFYING.items() if name in on)
        if config.get(DISCOVERY) == "true":
            pass  # the issuer's metadata tells
        elif config.get("useJwksUrl") == "true":
            if not config.get("jwksUrl"):
                raise ErrorMessage(400, f"JWKS URL is required when '{what}' enabled and 'Use JWKS URL' enabled")
        elif not config.get("publicKeySignatureVerifier"):
            needed = "The 'Validating public key' is required"
            raise ErrorMessage(400, f"{needed} when '{what}' enabled and 'Use JWKS URL' disabled")
    if on - {"validateSignature"}:
        if not config.get("issuer"):
            raise ErrorMessage(400, "Issuer is required")
        _check_url(realm, "Issuer", config.get("issuer"))


def _check_trust_domain(realm: RealmRepresentation, config: Mapping[str, str]) -> None:
    """Source: Keycloak ``SpiffeIdentityProviderConfig.validate``."""
    if not TRUST_DOMAIN.fullmatch(given(config.get("trustDomain"), "")):
        raise ErrorMessage(400, "Invalid trust domain name")
    _check_url(realm, BUNDLE_AT, config.get(BUNDLE_AT))


def _check_url(realm: RealmRepresentation, name: str, url: str | None) -> None:
    """That it is one, and that what comes from there comes over TLS, unless that is near.

    Raises ErrorMessage. Source: Keycloak ``UriUtils.checkUrl``.
    """
    url = (url or "").strip()
    if not url:
        return
    if not is_url(url):
        raise ErrorMessage(400, f"The url [{name}] is malformed")
    scheme = url.partition(":")[0].lower()
    if scheme not in {"http", "https"}:
        raise ErrorMessage(400, f"Invalid protocol/scheme for url [{name}]")
    required = given(realm.ssl_required, "external").lower()
    if scheme == "http" and required != "none" and (required == "all" or not _is_near(url)):
        raise ErrorMessage(400, f"The url [{name}] requires secure connections")


def _is_near(url: str) -> bool:
    """Whether it is at a private address, as far as can be told without looking its name up."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_private
    except ValueError:
        return False
