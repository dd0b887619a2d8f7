"""Issuers whose tokens authenticate clients: a cluster's, a CI system's, another realm's (Keycloak ``federated-jwt``).

Source: Keycloak ``OIDCIdentityProviderConfig``, ``KubernetesIdentityProviderConfig``, ``FederatedJWTClientValidator``.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.jose.jwk import PRIVATE_MEMBERS, InvalidKey, public_key_from_pem
from keyturn.model.client_keys import (
    NO_KEYS,
    ClientKey,
    ClientKeys,
    KeysAt,
    KeySource,
    UnreadableKeys,
    read_client_keys,
)
from keyturn.model.shared_issuers import check_shared
from keyturn.representations import ClientRepresentation, given
from keyturn.representations.identity_provider import IdentityProviderRepresentation

ALIAS: Final = "jwt.credential.issuer"
SUBJECT: Final = "jwt.credential.sub"
"""A client's attributes: whose tokens authenticate it, and of which subject."""

KUBERNETES_ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
"""The issuer inside of a cluster that says nothing else."""
SPIFFE: Final = "spiffe"
"""What Keycloak calls the preview, and providers of its kind."""
TRUST_DOMAIN: Final = re.compile(r"spiffe://[a-z0-9.\-_]*")
DISCOVERY: Final = "keyturn.discovery"
"""A provider's setting, of the kind ``oidc``: the keys are found by the issuer's metadata."""
KEYS: Final = "keyturn.jwks"
"""The same, of ``kubernetes`` and ``spiffe``: the keys themselves, as a JWK Set or a SPIFFE bundle."""
KEYS_AT: Final = "keyturn.jwks.url"
"""The same, of ``kubernetes``: where the keys are."""
BUNDLE_AT: Final = "bundleEndpoint"
"""A setting of ``spiffe``, Keycloak's: where the trust domain's bundle is."""
_MAXIMUM_AGE: Final = 300
_MAXIMUM_AGE_KUBERNETES: Final = 3600


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer, as an enabled identity provider of the realm describes it. Seconds, where it is about time."""

    alias: str
    issuer: str
    keys: KeySource
    any_kid: bool
    """Whether a key of it has no name, so that tokens may call it what they like."""
    clock_skew: int
    maximum_age: int
    reusable: bool
    """Whether a token counts more than once, as one does that a machine keeps for an hour."""
    audience: str | None
    """Whom its tokens have to be for; None for the realm."""


def trusted_issuers(providers: Iterable[IdentityProviderRepresentation]) -> Mapping[str, TrustedIssuer]:
    """Those of `providers` that authenticate clients, by issuer."""
    found = (_trusted(provider) for provider in providers if given(provider.enabled, True))
    return {issuer.issuer: issuer for issuer in found if issuer is not None}


def trust_domains(
    providers: Iterable[IdentityProviderRepresentation],
) -> Mapping[str, tuple[TrustedIssuer, ...]]:
    """The trust domains of SPIFFE among `providers`, as ``spiffe://example.org``, each with all that speak for it.

    Source: Keycloak ``SpiffeIdentityProvider``.
    """
    found: dict[str, tuple[TrustedIssuer, ...]] = {}
    for provider in providers:
        config = given(provider.config, {})
        domain = config.get("trustDomain", "")
        if provider.provider_id != SPIFFE or not given(provider.enabled, True) or not TRUST_DOMAIN.fullmatch(domain):
            continue
        keys = _bundle(config)
        made = TrustedIssuer(
            alias=given(provider.alias, ""),
            issuer=domain,
            keys=keys,
            any_kid=isinstance(keys, ClientKeys) and any(key.kid is None for key in keys.keys),
            clock_skew=_seconds(config, "allowedClockSkew") or 0,
            maximum_age=_seconds(config, "fedClientAssertionMaxExp") or _MAXIMUM_AGE,
            reusable=True,
            audience=None,
        )
        found[domain] = (*found.get(domain, ()), made)
    return found


def trust_domain(subject: str) -> str:
    """That of a SPIFFE ID; nothing where it has no path below one."""
    scheme, separator, rest = subject.partition("://")
    name, slash, _ = rest.partition("/")
    return f"{scheme}{separator}{name}" if slash else ""


def authenticates_clients(provider: IdentityProviderRepresentation) -> bool:
    """Whether tokens that `provider` speaks for authenticate clients, if it is enabled."""
    return provider.provider_id == SPIFFE or issuer_of(provider) is not None


def issuer_of(provider: IdentityProviderRepresentation) -> str | None:
    """The issuer that `provider` has tokens of authenticate clients; None where it has not."""
    config = given(provider.config, {})
    if provider.provider_id == "kubernetes":
        return config.get("issuer") or KUBERNETES_ISSUER
    if provider.provider_id in ("oidc", "keycloak-oidc") and config.get("supportsClientAssertions") == "true":
        return config.get("issuer") or None
    return None


def external_subject(client: ClientRepresentation) -> str | None:
    """What a client is found by when somebody else speaks for it; None where nobody does."""
    attributes = given(client.attributes, {})
    alias, subject = attributes.get(ALIAS), attributes.get(SUBJECT)
    if client.client_authenticator_type != "federated-jwt" or not alias or not subject:
        return None
    return subject_key(alias, subject)


def subject_key(alias: str, subject: str) -> str:
    """One text for the two, that no other two give."""
    return json.dumps([alias, subject])


def _trusted(provider: IdentityProviderRepresentation) -> TrustedIssuer | None:
    issuer, config = issuer_of(provider), given(provider.config, {})
    if issuer is None:
        return None
    kubernetes = provider.provider_id == "kubernetes"
    keys = _keys_of_cluster(issuer, config) if kubernetes else _keys(issuer, config)
    usual = _MAXIMUM_AGE_KUBERNETES if kubernetes else _MAXIMUM_AGE
    own = config.get("clientId") if config.get("allowClientIdAsAudience") == "true" and not kubernetes else None
    return TrustedIssuer(
        alias=given(provider.alias, ""),
        issuer=issuer,
        keys=keys,
        any_kid=isinstance(keys, ClientKeys) and any(key.kid is None for key in keys.keys),
        clock_skew=_seconds(config, "allowedClockSkew") or 0,
        maximum_age=_seconds(config, "fedClientAssertionMaxExp") or usual,
        reusable=kubernetes or config.get("supportsClientAssertionReuse") == "true",
        audience=own or None,
    )


def _keys_of_cluster(issuer: str, config: Mapping[str, str]) -> KeySource:
    """Where its issuer says, unless that is an address that nobody outside of the cluster reaches."""
    if config.get(KEYS):
        return set_of(config[KEYS], bundle=False)
    url = config.get(KEYS_AT, "")
    return KeysAt(url) if url else KeysAt(issuer, discovered=True)


def _bundle(config: Mapping[str, str]) -> KeySource:
    if config.get(KEYS):
        return set_of(config[KEYS], bundle=True)
    url = config.get(BUNDLE_AT, "")
    return KeysAt(url, bundle=True) if "://" in url else UnreadableKeys(f"{BUNDLE_AT} is no URL")


def set_of(text: str, *, bundle: bool) -> ClientKeys | UnreadableKeys:
    """The keys of a JWK Set, or of a SPIFFE bundle. One with a private key, which would be shown, is none."""
    try:
        keys = read_client_keys(text.encode(), use_required=False, bundle=bundle)
    except ValueError as error:
        return UnreadableKeys(f"{KEYS}: {error}")
    if any(PRIVATE_MEMBERS & member.keys() for member in json.loads(text)["keys"]):
        return UnreadableKeys(f"{KEYS}: a private key is among them")
    return keys


def _keys(issuer: str, config: Mapping[str, str]) -> KeySource:
    if config.get(DISCOVERY) == "true":
        return KeysAt(issuer, discovered=True)
    if config.get("useJwksUrl") == "true":
        url = config.get("jwksUrl", "")
        return KeysAt(url) if "://" in url else UnreadableKeys("jwksUrl is no URL")
    text = config.get("publicKeySignatureVerifier", "").strip()
    if not text:
        return NO_KEYS
    try:
        if text.startswith("{"):
            return read_client_keys(text.encode(), use_required=False)
        kid = config.get("publicKeySignatureVerifierKeyId", "").strip() or None
        return ClientKeys((ClientKey(public_key_from_pem(text, kid=kid), kid),))
    except (InvalidKey, ValueError) as error:
        return UnreadableKeys(f"publicKeySignatureVerifier: {error}")


def _seconds(config: Mapping[str, str], name: str) -> int | None:
    text = config.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def check_rule(provider: IdentityProviderRepresentation, claims: Mapping[str, list[str]]) -> None:
    """That a rule over the tokens of `provider` says whose they are: some issuers give them to anybody.

    Raises:
        InvalidRule: it does not.
    """
    check_shared(issuer_of(provider) or "", claims)
