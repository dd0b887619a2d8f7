"""The signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1): one row each, no ``none``."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

__all__ = [
    "CONTENT_ENCRYPTION_ALGORITHMS",
    "KEY_MANAGEMENT_ALGORITHMS",
    "SIGNATURE_ALGORITHMS",
    "Family",
    "SignatureAlgorithm",
]

Family: TypeAlias = Literal["RSA", "EC", "OKP", "oct"]
"""The key types of RFC 7517 §4.1 (``kty``)."""


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """What an ``alg`` value means.

    `hash` is hashlib's name, None where the curve brings its own. `curve` is the one curve the algorithm takes, None
    where it takes none or the key decides (EdDSA). `signature_size` in bytes, None where the key decides.
    """

    name: str
    family: Family
    hash: Literal["sha256", "sha384", "sha512"] | None
    curve: Literal["P-256", "P-384", "P-521"] | None = None
    signature_size: int | None = None
    probabilistic: bool = False
    """RSASSA-PSS instead of PKCS #1 v1.5; the salt is as long as the hash (RFC 7518 §3.5)."""


SIGNATURE_ALGORITHMS: Final[Mapping[str, SignatureAlgorithm]] = MappingProxyType(
    {
        row.name: row
        for row in (
            SignatureAlgorithm("RS256", "RSA", "sha256"),
            SignatureAlgorithm("RS384", "RSA", "sha384"),
            SignatureAlgorithm("RS512", "RSA", "sha512"),
            SignatureAlgorithm("PS256", "RSA", "sha256", probabilistic=True),
            SignatureAlgorithm("PS384", "RSA", "sha384", probabilistic=True),
            SignatureAlgorithm("PS512", "RSA", "sha512", probabilistic=True),
            SignatureAlgorithm("ES256", "EC", "sha256", "P-256", 64),
            SignatureAlgorithm("ES384", "EC", "sha384", "P-384", 96),
            SignatureAlgorithm("ES512", "EC", "sha512", "P-521", 132),
            SignatureAlgorithm("EdDSA", "OKP", None),
            SignatureAlgorithm("HS256", "oct", "sha256", signature_size=32),
            SignatureAlgorithm("HS384", "oct", "sha384", signature_size=48),
            SignatureAlgorithm("HS512", "oct", "sha512", signature_size=64),
        )
    }
)

KEY_MANAGEMENT_ALGORITHMS: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "ECDH-ES+A256KW": "EC",
        "ECDH-ES+A192KW": "EC",
        "ECDH-ES+A128KW": "EC",
        "RSA-OAEP": "RSA",
        "RSA-OAEP-256": "RSA",
        "RSA1_5": "RSA",
        "ECDH-ES": "EC",
    }
)
"""Encryption algorithms that Keycloak names in its metadata and gives keys to, with the key type; nothing here
encrypts.
"""

CONTENT_ENCRYPTION_ALGORITHMS: Final = (
    "A256GCM",
    "A192GCM",
    "A128GCM",
    "A128CBC-HS256",
    "A192CBC-HS384",
    "A256CBC-HS512",
)
"""``enc`` values (RFC 7518 §5.1) that Keycloak names in its metadata."""
