"""The public keys that a client's assertions are verified with, and where they are said to be.

Source: Keycloak ``ClientPublicKeyLoader``, ``JWKSUtils``, ``PublicKeysWrapper``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.jose.jwk import (
    InvalidKey,
    PublicKey,
    public_key_from_certificate,
    public_key_from_jwk,
    public_key_from_pem,
)
from keyturn.model.client_certificates import certificate_of, thumbprints

CREDENTIAL: Final = "jwt.credential"
"""What the names of a client's own key attributes begin with."""

MAXIMUM_KEYS: Final = 100
"""Keys of one set that are looked at."""

_SVID: Final = "jwt-svid"
"""What a key of a SPIFFE bundle is for (SPIFFE Trust Domain and Bundle §4.2.2)."""

_USUAL: Final[Mapping[str | None, str]] = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key as its owner names it: `kid` None for one without, although `key` has one of its own making."""

    key: PublicKey
    kid: str | None
    of_certificate: bool = False

    @property
    def algorithm(self) -> str:
        """The one that it names, else the usual one of its type and curve (Keycloak ``getAlgorithmOrDefault``)."""
        if self.key.algorithm is not None:
            return self.key.algorithm
        return "RS256" if self.key.family == "RSA" else _USUAL.get(self.key.curve, "EdDSA")


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """Keys in the order of their source."""

    keys: tuple[ClientKey, ...]
    certificates: frozenset[str] = frozenset()
    """``x5t#S256`` of the certificates that came with them."""
    refresh_hint: int | None = None
    """Seconds after which a SPIFFE bundle says that it may have changed; None where it does not."""

    def find(self, kid: str | None, algorithm: str) -> ClientKey | None:
        """The key of this ``kid``, rather one for `algorithm`; without ``kid`` one for that, or the certificate's.

        Does NOT check that the key fits the algorithm: ``PublicKey.verify`` does.
        """
        named = [key for key in self.keys if key.kid == kid]
        found = next((key for key in named if key.key.algorithm == algorithm), None) or next(iter(named), None)
        if found is None and kid is None:
            found = next((key for key in self.keys if key.algorithm == algorithm), None)
            found = found or next((key for key in self.keys if key.of_certificate), None)
        return found


NO_KEYS: Final = ClientKeys(())


@dataclass(frozen=True, slots=True)
class KeysAt:
    """The keys are a JWK Set at this URL, or at the one that the metadata of this issuer names (`discovered`).

    `bundle` says that it is a SPIFFE bundle, of which those for JWT-SVIDs count.
    """

    url: str
    discovered: bool = False
    bundle: bool = False


@dataclass(frozen=True, slots=True)
class UnreadableKeys:
    """There ought to be keys, but they cannot be read; `reason` is for the log."""

    reason: str


KeySource: TypeAlias = ClientKeys | KeysAt | UnreadableKeys


def key_source(attributes: Mapping[str, str], root_url: str) -> KeySource:
    """Where the keys of a client with these attributes are: a URL, a set in an attribute, or one key of its own.

    A URL that is only a path is below `root_url`. Without one it is not used: the server's own address is what the
    caller says in its ``Host`` header, and would let it choose the keys.
    """
    if _switched_on(attributes, "use.jwks.url"):
        url = attributes.get("jwks.url", "")
        if url.startswith("/"):
            url = root_url + url
        return KeysAt(url) if "://" in url else UnreadableKeys("jwks.url is no absolute URL, nor is there a root URL")
    if _switched_on(attributes, "use.jwks.string"):
        try:
            return read_client_keys(attributes.get("jwks.string", "").encode(), use_required=True)
        except ValueError as error:
            return UnreadableKeys(f"jwks.string: {error}")
    return _own_key(attributes)


def read_client_keys(content: bytes, *, use_required: bool, bundle: bool = False) -> ClientKeys:
    """The keys for signatures in a JWK Set; those that are unknown, broken, weak or private are left out.

    `use_required` leaves out those that do not say what they are for, too: Keycloak does so with a set in an attribute.
    Of a SPIFFE `bundle`, the keys for JWT-SVIDs count, and where there are none, as in any other set.

    Raises:
        ValueError: it is no JWK Set.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise ValueError("no JWK Set")
    members = members[:MAXIMUM_KEYS]
    if bundle:
        members = [member | {"use": "sig"} for member in members if member.get("use") == _SVID] or members
    read = (_read(member, use_required=use_required) for member in members)
    certificates = (certificate_of(member) for member in members if "x5c" in member)
    return ClientKeys(
        tuple(key for key in read if key is not None),
        thumbprints(certificate for certificate in certificates if certificate is not None),
        _refresh_hint(document) if bundle else None,
    )


def _refresh_hint(bundle: Mapping[str, Any]) -> int | None:
    """``spiffe_refresh_hint`` (SPIFFE Trust Domain and Bundle §4.1.3)."""
    hint = bundle.get("spiffe_refresh_hint")
    return hint if isinstance(hint, int) and not isinstance(hint, bool) and hint > 0 else None


def _read(member: dict[str, Any], *, use_required: bool) -> ClientKey | None:
    if use_required and member.get("use") is None:
        return None
    try:
        key = public_key_from_jwk(member)
    except InvalidKey:
        return None
    return ClientKey(key, member.get("kid")) if key.use != "enc" else None


def _own_key(attributes: Mapping[str, str]) -> KeySource:
    certificate, public = (attributes.get(f"{CREDENTIAL}.{name}") for name in ("certificate", "public.key"))
    if (certificate is None) == (public is None):
        return NO_KEYS
    kid = attributes.get(f"{CREDENTIAL}.kid")
    try:
        if certificate is not None:
            key = public_key_from_certificate(certificate, kid=kid)
        else:
            key = public_key_from_pem(public or "", kid=kid)
    except InvalidKey as error:
        return UnreadableKeys(f"{CREDENTIAL}: {error}")
    return ClientKeys((ClientKey(key, key.kid, of_certificate=certificate is not None),))


def _switched_on(attributes: Mapping[str, str], name: str) -> bool:
    return attributes.get(name, "").lower() == "true"


ASYMMETRIC: Final = frozenset(name for name, row in SIGNATURE_ALGORITHMS.items() if row.family != "oct")
SYMMETRIC: Final = frozenset(SIGNATURE_ALGORITHMS) - ASYMMETRIC
