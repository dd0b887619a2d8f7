"""What an identity provider has to be: here, an issuer whose tokens authenticate clients.

Source: Keycloak ``IdentityProvidersResource``, ``IdentityProviderResource``, ``IssuerValidation``.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from keyturn.admin.client_validation import is_url
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, ErrorMessage, InvalidRequest, NotFound
from keyturn.admin.like import literal
from keyturn.admin.server_info import server_info_with
from keyturn.model.client_keys import UnreadableKeys
from keyturn.model.trusted_issuer import (
    BUNDLE_AT,
    DISCOVERY,
    GITHUB_ISSUER,
    KEYS,
    KEYS_AT,
    KUBERNETES_ISSUER,
    SPIFFE,
    TRUST_DOMAIN,
    issuer_of,
    set_of,
)
from keyturn.representations import UNSET, Maybe, encode, given, present, replace
from keyturn.representations.identity_provider import (
    IdentityProviderMapperRepresentation,
    IdentityProviderRepresentation,
)
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import FederatedIdentityRepresentation, UserRepresentation
from keyturn.store.collections import REALMS, USERS

__all__ = [
    "brief",
    "changed",
    "check",
    "check_issuer",
    "find",
    "links_of",
    "made",
    "mappers_of",
    "providers_of",
    "remove",
    "shown",
    "store",
    "store_mappers",
]

_MASK = "**********"
_SECRET = "clientSecret"
_OIDC = [
    "USER_AUTHENTICATION",
    "CLIENT_ASSERTION",
    "TRUST_MATERIAL",
    "EXCHANGE_EXTERNAL_TOKEN",
    "JWT_AUTHORIZATION_GRANT",
]
_VERIFYING = {
    "validateSignature": "Validate signatures",
    "jwtAuthorizationGrantEnabled": "JWT Authorization Grant",
    "supportsClientAssertions": "Supports client assertions",
}
_PRESET = "keyturn.preset"
_PRESETS: Mapping[tuple[str, str], dict[str, str]] = {
    ("oidc", "github"): {
        "issuer": GITHUB_ISSUER,
        "supportsClientAssertions": "true",
        "useJwksUrl": "true",
        "jwksUrl": f"{GITHUB_ISSUER}/.well-known/jwks",
    }
}
"""By kind of provider and name: what stands in ``keyturn.preset`` when one is made is put in its place."""
_TYPES = {
    "spiffe": ["CLIENT_ASSERTION"],
    "kubernetes": ["CLIENT_ASSERTION"],
    "jwt-authorization-grant": ["JWT_AUTHORIZATION_GRANT"],
    "oauth2": ["USER_AUTHENTICATION", "EXCHANGE_EXTERNAL_TOKEN"],
    "oidc": _OIDC,
    "keycloak-oidc": _OIDC,
    "saml": ["USER_AUTHENTICATION"],
}
_OAUTH2 = (
    ("authorizationUrl", "authorization_url"),
    ("tokenUrl", "token_url"),
    ("userInfoUrl", "userinfo_url"),
    ("tokenIntrospectionUrl", "tokenIntrospection_url"),
)
_OF_OIDC = (*_OAUTH2, ("jwksUrl", "jwks_url"), ("logoutUrl", "logout_url"))
_URLS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "oidc": _OF_OIDC,
    "keycloak-oidc": _OF_OIDC,
    "oauth2": _OAUTH2,
    "jwt-authorization-grant": (("jwksUrl", "jwksUrl"), ("issuer", "Issuer")),
    "kubernetes": (("issuer", "Issuer"), (KEYS_AT, KEYS_AT)),
    "saml": tuple(
        (name, name) for name in ("singleLogoutServiceUrl", "singleSignOnServiceUrl", "metadataDescriptorUrl")
    ),
}
"""By kind of provider the settings that are URLs, each with what Keycloak calls it, in its order."""
_HIDDEN = "hideOnLoginPage"
"""Where older versions keep whether it is hidden."""


def providers_of(realm: RealmView) -> Sequence[IdentityProviderRepresentation]:
    """Those of the realm, as they are stored."""
    return given(_stored(realm).identity_providers, [])


def find(realm: RealmView, alias: str) -> IdentityProviderRepresentation:
    """Raises NotFound."""
    found = next((each for each in providers_of(realm) if each.alias == alias), None)
    if found is None:
        raise NotFound()
    return found


def store(realm: RealmAdmin, providers: Iterable[IdentityProviderRepresentation]) -> None:
    """Puts `providers` in the place of all of the realm."""
    realm.tx.update(REALMS, realm.id, replace(_stored(realm), identity_providers=list(providers)))


def mappers_of(realm: RealmView) -> Sequence[IdentityProviderMapperRepresentation]:
    """Those of all providers of the realm."""
    return given(_stored(realm).identity_provider_mappers, [])


def store_mappers(realm: RealmAdmin, mappers: Iterable[IdentityProviderMapperRepresentation]) -> None:
    """Puts `mappers` in the place of all of the realm."""
    realm.tx.update(REALMS, realm.id, replace(_stored(realm), identity_provider_mappers=list(mappers)))


def remove(realm: RealmAdmin, alias: str) -> None:
    """Takes a provider away, with its mappers and the links of users to it. Raises NotFound."""
    find(realm, alias)
    store(realm, [each for each in providers_of(realm) if each.alias != alias])
    if any(each.identity_provider_alias == alias for each in mappers_of(realm)):
        store_mappers(realm, [each for each in mappers_of(realm) if each.identity_provider_alias != alias])
    named = {"document": f"%{literal(encode(alias).decode())}%"}
    for user in realm.reader.select(USERS, realm.id, any_like=[named]):
        links = given(user.federated_identities, [])
        others = [link for link in links if link.identity_provider != alias]
        if len(others) < len(links):
            realm.update(USERS, replace(user, federated_identities=others))


def links_of(realm: RealmView, user: UserRepresentation) -> list[FederatedIdentityRepresentation]:
    """The links of a user to providers that the realm has."""
    links = given(user.federated_identities, [])
    known = {given(provider.alias, "") for provider in providers_of(realm)} if links else set()
    return [link for link in links if link.identity_provider in known]


def made(realm: RealmAdmin, sent: IdentityProviderRepresentation) -> IdentityProviderRepresentation:
    """A new provider from what was `sent`. Raises AdminError."""
    alias = given(sent.alias, "")
    if " " in alias:
        raise BadRequest("Empty Space not allowed.")
    if not alias:
        raise ErrorMessage(400, "path is null")
    known = {each["id"] for each in server_info_with(realm.environment.features)["identityProviders"]}
    if sent.provider_id not in known:
        raise ErrorMessage(400, f"Invalid identity provider id [{given(sent.provider_id, 'null') or ''}]")
    sent = _with_preset(sent)
    check(realm, replace(sent, internal_id=UNSET))
    if any(each.alias == alias for each in providers_of(realm)):
        raise ErrorMessage(409, f"Identity Provider {alias} already exists")
    return replace(
        sent,
        internal_id=realm.new_id(),
        enabled=given(sent.enabled, True),
        hide_on_login=_hidden(sent),
        config=_config(sent.provider_id, given(sent.config, {})),
    )


def changed(
    realm: RealmAdmin, before: IdentityProviderRepresentation, sent: IdentityProviderRepresentation
) -> IdentityProviderRepresentation:
    """What `before` becomes by `sent`: all but its ids, and a secret that is masked. Raises AdminError."""
    if given(sent.alias, before.alias) != before.alias:
        raise ErrorMessage(400, "Identity Provider alias cannot be changed")
    config = _config(before.provider_id, given(sent.config, {}))
    if config.get(_SECRET) == _MASK:
        config = config | {_SECRET: given(before.config, {}).get(_SECRET, "")}
    after = replace(
        sent,
        alias=before.alias,
        internal_id=before.internal_id,
        provider_id=given(sent.provider_id, "") or before.provider_id,
        enabled=given(sent.enabled, True),
        hide_on_login=_hidden(sent),
        config=config,
    )
    check(realm, after)
    return after


def check(realm: RealmView, provider: IdentityProviderRepresentation) -> None:
    """That its tokens can be verified, and that no other provider speaks for the same issuer. Raises ErrorMessage."""
    config = given(provider.config, {})
    for name, text in _URLS.get(given(provider.provider_id, ""), ()):
        _check_url(realm, text, config.get(name))
    if provider.provider_id in ("oidc", "keycloak-oidc"):
        _check_keys(realm, config)
    if provider.provider_id == SPIFFE:
        _check_trust_domain(realm, config)
    if config.get(KEYS) and isinstance(set_of(config[KEYS], bundle=provider.provider_id == SPIFFE), UnreadableKeys):
        raise InvalidRequest(f"{KEYS} is no JWK Set of public keys")
    check_issuer(realm, provider)


def check_issuer(realm: RealmView, provider: IdentityProviderRepresentation) -> None:
    """That no other provider speaks for the same issuer. Raises ErrorMessage."""
    issuer = issuer_of(provider)
    if issuer is None or not given(provider.enabled, True):
        return
    for other in providers_of(realm):
        if other.internal_id != provider.internal_id and issuer_of(other) == issuer:
            text = (
                "Issuer must be unique if the idp supports JWT Authorization Grant or Federated Client Authentication"
            )
            raise ErrorMessage(400, f"Issuer URL already used for IDP '{given(other.alias, '')}', {text}")


def _check_keys(realm: RealmView, config: Mapping[str, str]) -> None:
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


def _check_trust_domain(realm: RealmView, config: Mapping[str, str]) -> None:
    """Source: Keycloak ``SpiffeIdentityProviderConfig.validate``."""
    if not TRUST_DOMAIN.fullmatch(given(config.get("trustDomain"), "")):
        raise ErrorMessage(400, "Invalid trust domain name")
    _check_url(realm, BUNDLE_AT, config.get(BUNDLE_AT))


def _check_url(realm: RealmView, name: str, url: str | None) -> None:
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
    required = given(realm.realm.ssl_required, "external").lower()
    if scheme == "http" and required != "none" and (required == "all" or not _is_near(url)):
        raise ErrorMessage(400, f"The url [{name}] requires secure connections")


def _is_near(url: str) -> bool:
    """Whether it is at a private address, as far as can be told without looking its name up."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_private
    except ValueError:
        return False


def _with_preset(sent: IdentityProviderRepresentation) -> IdentityProviderRepresentation:
    """`sent` with the settings that its preset stands for, where it has none of its own. Raises InvalidRequest."""
    config = given(sent.config, {})
    preset = config.get(_PRESET)
    if not preset:
        return sent
    if (sent.provider_id, preset) not in _PRESETS:
        raise InvalidRequest(f"There is no preset {preset} for {given(sent.provider_id, '')}")
    own = {name: value for name, value in config.items() if name != _PRESET}
    return replace(sent, config={**_PRESETS[given(sent.provider_id, ""), preset], **own})


def shown(provider: IdentityProviderRepresentation) -> IdentityProviderRepresentation:
    """As the wire has it: its secret masked."""
    config = given(provider.config, {})
    if config.get(_SECRET):
        config = config | {_SECRET: _MASK}
    kind = given(provider.provider_id, "")
    hidden = True if kind == "kubernetes" else provider.hide_on_login
    return replace(provider, config=config, hide_on_login=hidden, types=_TYPES.get(kind, []))


def brief(provider: IdentityProviderRepresentation) -> IdentityProviderRepresentation:
    """What lists tell of it where that is all that is asked for."""
    return IdentityProviderRepresentation(
        alias=provider.alias,
        display_name=provider.display_name,
        internal_id=provider.internal_id,
        provider_id=provider.provider_id,
        enabled=provider.enabled,
        config={},
    )


def _config(provider_id: Maybe[str], config: dict[str, str]) -> dict[str, str]:
    usual = {"issuer": KUBERNETES_ISSUER} if provider_id == "kubernetes" else {}
    return usual | {name: value for name, value in config.items() if present(value) and value != "" and name != _HIDDEN}


def _hidden(sent: IdentityProviderRepresentation) -> Maybe[bool]:
    older = given(sent.config, {}).get(_HIDDEN)
    return sent.hide_on_login if older is None else older.lower() == "true"


def _stored(realm: RealmView) -> RealmRepresentation:
    """The realm as it is by now."""
    return realm.reader.get(REALMS, realm.id, realm.id) or realm.realm
