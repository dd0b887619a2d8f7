"""The credentials that a client has beside the one that Keycloak knows: named, each with its own end.

They live in the client's attributes, so that exports, imports and copies bring them: what is public of them in
``keyturn.credentials``, their secrets in ``keyturn.credentials.secrets``, which is sealed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec

from keyturn.jose import x509
from keyturn.jose.jwk import InvalidKey, public_key_from_certificate, public_key_from_jwk, public_key_from_pem
from keyturn.model.claim_rules import ClaimRule, InvalidRule, claim_rule
from keyturn.model.client_certificates import thumbprints
from keyturn.model.client_keys import ClientKey
from keyturn.representations import UNSET, ClientRepresentation, decode, encode, given, replace
from keyturn.representations.client_credential import ClientCredentialRepresentation

CREDENTIALS: Final = "keyturn.credentials"
SECRETS: Final = "keyturn.credentials.secrets"
"""The attributes: a list of credentials without their secrets, and the secrets by name."""

MAXIMUM: Final = 10
"""Named credentials of one client: a request is compared with all of them."""

OWN: Final = ""
"""What the use of the credential that Keycloak knows is counted under; any other under its name."""
ROTATED: Final = "rotated"
"""The secret from before, where Keycloak's rotation keeps one."""

SECRET: Final = "secret"
KEY: Final = "key"
CERTIFICATE: Final = "certificate"
FEDERATED: Final = "federated"
TYPES: Final = (SECRET, KEY, CERTIFICATE, FEDERATED)

OF_KEYCLOAK: Final = frozenset({SECRET, ROTATED, KEY, "subject", CERTIFICATE})
"""The names of what Keycloak knows: of its secret, of the one before, and of what other methods go by."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_BY_TYPE: Final = {SECRET: "client-secret", KEY: "client-jwt", CERTIFICATE: "client-jwt", FEDERATED: "federated-jwt"}
_BY_SECRET: Final = frozenset({"client-secret", "client-secret-jwt"})
_PUBLIC: Final = ("name", "type", "created", "expires", "public_key", "certificate", "issuer", "claims")


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A key that verifies assertions, until `expires` (the last second in which it counts; None for ever)."""

    name: str
    key: ClientKey
    expires: int | None
    thumbprint: str | None = None
    """``x5t#S256`` of its certificate, if it came with one."""

    def is_shown(self, thumbprint: str, now: float) -> bool:
        """Whether its certificate is the one of this thumbprint, and counts at `now`."""
        return self.thumbprint == thumbprint and (self.expires is None or now <= self.expires)


@dataclass(frozen=True, slots=True)
class NamedRule:
    """Which tokens of the issuer of this `alias` speak for the client, until `expires`."""

    name: str
    alias: str
    rule: ClaimRule
    expires: int | None


@dataclass(frozen=True, slots=True)
class MoreCredentials:
    """What a client may prove itself by beside what Keycloak knows. Secrets stand with the client's others."""

    methods: frozenset[str]
    """``clientAuthenticatorType`` of all that it may use, the one that Keycloak knows among them."""
    keys: tuple[NamedKey, ...] = ()
    rules: tuple[NamedRule, ...] = ()


def is_name(text: str) -> bool:
    """Whether a named credential may be called so."""
    return _NAME.fullmatch(text) is not None and text not in OF_KEYCLOAK


def named_credentials(attributes: Mapping[str, str]) -> tuple[ClientCredentialRepresentation, ...]:
    """The credentials in a client's attributes, with their secrets; what cannot be read is none."""
    found = listed_credentials(attributes)
    if not found:
        return ()
    try:
        secrets = decode(attributes.get(SECRETS) or "{}", dict[str, str])
    except msgspec.DecodeError:
        return ()
    with_secrets = (
        replace(each, secret=secrets.get(given(each.name, ""), UNSET)) if each.type == SECRET else each
        for each in found
    )
    # An export that was to be seen by others has the one without the other.
    return tuple(each for each in with_secrets if each.type != SECRET or given(each.secret, ""))


def listed_credentials(attributes: Mapping[str, str]) -> tuple[ClientCredentialRepresentation, ...]:
    """The same, without their secrets, which may be sealed."""
    text = attributes.get(CREDENTIALS)
    if not text:
        return ()
    try:
        found = decode(text, list[ClientCredentialRepresentation])
    except msgspec.DecodeError:
        return ()
    # By another name nobody could find it, or it would be taken for one that Keycloak knows.
    named = (each for each in found if is_name(given(each.name, "")))
    return tuple(
        replace(each, secret=UNSET) for each in islice(named, MAXIMUM) if each.type != SECRET or attributes.get(SECRETS)
    )


def with_credentials(
    client: ClientRepresentation, credentials: Iterable[ClientCredentialRepresentation]
) -> ClientRepresentation:
    """`client` with `credentials` in the place of those that it had."""
    attributes = without_credentials(given(client.attributes, {}))
    credentials = list(credentials)
    if credentials:
        public = [_public(each) for each in credentials]
        attributes = {**attributes, CREDENTIALS: encode(public).decode()}
    secrets = {given(each.name, ""): each.secret for each in credentials if isinstance(each.secret, str)}
    if secrets:
        attributes = {**attributes, SECRETS: encode(secrets).decode()}
    return replace(client, attributes=attributes)


def without_credentials(attributes: Mapping[str, str]) -> dict[str, str]:
    """`attributes` without those that hold credentials."""
    return {name: value for name, value in attributes.items() if name not in (CREDENTIALS, SECRETS)}


def _public(credential: ClientCredentialRepresentation) -> ClientCredentialRepresentation:
    return ClientCredentialRepresentation(**{name: getattr(credential, name) for name in _PUBLIC})


def more_credentials(
    authenticator: str, credentials: Iterable[ClientCredentialRepresentation]
) -> MoreCredentials | None:
    """What `credentials` add to a client of this ``clientAuthenticatorType``; None where it is nothing but secrets of
    that very kind.
    """
    methods, keys, rules = {authenticator}, [], []
    for each in credentials:
        name, expires = given(each.name, ""), given(each.expires, 0) or None
        try:
            if each.type in (KEY, CERTIFICATE):
                keys.append(NamedKey(name, key_of(each), expires, _thumbprint(each)))
            elif each.type == FEDERATED:
                rules.append(NamedRule(name, given(each.issuer, ""), claim_rule(given(each.claims, {})), expires))
            elif each.type != SECRET:
                continue
        except (InvalidKey, InvalidRule):
            continue  # it came with an import: what nobody can read proves nothing
        methods.add(_method(authenticator, str(each.type)))
    if methods == {authenticator} and not keys and not rules:
        return None
    return MoreCredentials(frozenset(methods), tuple(keys), tuple(rules))


def _method(authenticator: str, kind: str) -> str:
    return authenticator if kind == SECRET and authenticator in _BY_SECRET else _BY_TYPE[kind]


def secrets_count(authenticator: str) -> bool:
    """Whether the secret that Keycloak knows proves a client of this ``clientAuthenticatorType``."""
    return authenticator in _BY_SECRET


def key_of(credential: ClientCredentialRepresentation) -> ClientKey:
    """The key of a ``key`` or ``certificate``; its ``kid`` is None where none is written. Raises InvalidKey."""
    if credential.type == CERTIFICATE:
        return ClientKey(public_key_from_certificate(given(credential.certificate, "")), None, of_certificate=True)
    text = given(credential.public_key, "").strip()
    if not text.startswith("{"):
        return ClientKey(public_key_from_pem(text), None)
    try:
        jwk = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidKey("no JSON") from None
    members = jwk.get("keys", [jwk])
    if not isinstance(members, list) or len(members) != 1 or not isinstance(members[0], dict):
        raise InvalidKey("a credential is one key")
    key = public_key_from_jwk(members[0])
    if key.use == "enc":
        raise InvalidKey("a key for encryption")
    return ClientKey(key, members[0].get("kid"))


def _thumbprint(credential: ClientCredentialRepresentation) -> str | None:
    if credential.type != CERTIFICATE:
        return None
    (thumbprint,) = thumbprints([x509.certificate_der(given(credential.certificate, ""))])
    return thumbprint


def end_of(certificate: str) -> int:
    """The last second in which a certificate counts. Raises InvalidKey."""
    try:
        return x509.valid_until(x509.certificate_der(certificate))
    except ValueError:
        raise InvalidKey("not a certificate in PEM or base64 DER") from None
