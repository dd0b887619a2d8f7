"""Signing and verification keys, and their public form (RFC 7517, RFC 7518 §6, RFC 8037 §2)."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from keyturn.jose import base64url, x509
from keyturn.jose.algorithms import KEY_MANAGEMENT_ALGORITHMS, SIGNATURE_ALGORITHMS, Family
from keyturn.jose.jwk_members import CURVE_NAMES, CURVES, MAXIMUM_RSA_BITS, InvalidKey, public_material
from keyturn.jose.jwk_members import members as jwk_members
from keyturn.jose.signature import PrivateMaterial, PublicMaterial, Sign, signer, verify

__all__ = [
    "PRIVATE_MEMBERS",
    "InvalidKey",
    "PrivateKey",
    "PublicKey",
    "Use",
    "generate",
    "private_key_from_pem",
    "public_key_from_certificate",
    "public_key_from_jwk",
    "public_key_from_pem",
    "symmetric_key",
    "thumbprint",
]

Use: TypeAlias = Literal["sig", "enc"]
"""RFC 7517 §4.2."""

_THUMBPRINT_MEMBERS: Final = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""What stands in no public key (RFC 7518 §6.2.2, §6.3.2, §6.4)."""


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """A key that verifies. Of family ``oct`` it is the shared secret: it verifies, and has no public form.

    `algorithm` is None for a foreign key that names none; such a key verifies what fits its type. `certificate` is DER.
    """

    kid: str
    algorithm: str | None
    use: Use | None
    family: Family
    curve: str | None
    material: PublicMaterial = field(repr=False)
    certificate: bytes | None = field(default=None, repr=False)

    def verify(self, data: bytes, signature: bytes, algorithm: str) -> bool:
        """Whether `signature` is this key's on `data` by `algorithm`, an ``alg`` value.

        False on any mismatch: unknown algorithm, another one than the key's own, another key type or curve, a key for
        encryption, a signature of a wrong size. Does NOT check whether the caller wants that algorithm.
        """
        row = SIGNATURE_ALGORITHMS.get(algorithm)
        if row is None or row.family != self.family or self.use == "enc" or self.algorithm not in (None, algorithm):
            return False
        if row.curve is not None and row.curve != self.curve:
            return False
        return verify(self.material, row, data, signature)

    def jwk(self) -> dict[str, Any]:
        """The JWK with the members and their order of Keycloak's ``certs`` endpoint.

        Raises:
            InvalidKey: a shared secret has no public form.
        """
        members: dict[str, Any] = {"kid": self.kid, "kty": self.family}
        if self.algorithm is not None:
            members["alg"] = self.algorithm
        if self.use is not None:
            members["use"] = self.use
        if self.certificate is not None:
            members["x5c"] = [b64encode(self.certificate).decode()]
            # RFC 7515 §4.1.7 fixes SHA-1: it identifies the certificate here, it does not protect it.
            members["x5t"] = base64url.encode(hashlib.sha1(self.certificate, usedforsecurity=False).digest()).decode()
            members["x5t#S256"] = base64url.encode(hashlib.sha256(self.certificate).digest()).decode()
        return members | jwk_members(self.material)

    def to_der(self) -> bytes:
        """SubjectPublicKeyInfo (RFC 5280 §4.1.2.7); base64 of it is ``publicKey`` in Keycloak's ``keys``.

        Raises:
            InvalidKey: a shared secret has no public form.
        """
        return _spki(self.material)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PrivateKey:
    """A key that signs. ``sign(data)`` gives the raw JWS signature (r‖s for ECDSA); it is a plain function made ahead.

    A key for encryption (`use` ``enc``) is only kept and published: its ``sign`` raises ``InvalidKey``.
    """

    kid: str
    algorithm: str
    use: Use
    public: PublicKey
    sign: Sign = field(repr=False)
    material: PrivateMaterial = field(repr=False)

    @property
    def certificate(self) -> bytes | None:
        """DER, or None."""
        return self.public.certificate

    @property
    def size(self) -> int:
        """Bits of an RSA key's modulus; of others, 0."""
        return self.material.key_size if isinstance(self.material, rsa.RSAPrivateKey) else 0

    def to_der(self) -> bytes:
        """PKCS #8, not encrypted; base64 of it is ``privateKey`` in Keycloak's key components.

        Raises:
            InvalidKey: a shared secret has no such form.
        """
        return self._serialized(serialization.Encoding.DER)

    def to_pem(self) -> str:
        """PKCS #8 in PEM, not encrypted.

        Raises:
            InvalidKey: a shared secret has no such form.
        """
        return self._serialized(serialization.Encoding.PEM).decode()

    def to_pkcs1(self) -> bytes:
        """RSAPrivateKey of PKCS #1 in DER, not encrypted; base64 of it is ``privateKey`` of a client's certificate.

        Raises:
            InvalidKey: it is no RSA key.
        """
        if self.public.family != "RSA":
            raise InvalidKey("PKCS #1 is for RSA alone")
        return self._serialized(serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL)

    def _serialized(
        self,
        encoding: serialization.Encoding,
        form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8,
    ) -> bytes:
        if isinstance(self.material, bytes):
            raise InvalidKey("a shared secret has no PKCS #8 form")
        return self.material.private_bytes(encoding, form, serialization.NoEncryption())


def generate(
    algorithm: str,
    *,
    size: int = 2048,
    curve: str | None = None,
    kid: str | None = None,
    use: Use = "sig",
    certificate_subject: str | None = None,
    now: float,
) -> PrivateKey:
    """A new key for `algorithm`, a signature algorithm or one of ``KEY_MANAGEMENT_ALGORITHMS`` (with `use` ``enc``).

    `size` in bits is RSA's; `curve` is for EdDSA (Ed25519 by default, Ed448) and ECDH (P-256 by default).
    `certificate_subject` is the common name of a self-signed certificate from `now` (seconds since the epoch) on, None
    for no certificate. `kid` defaults to Keycloak's: base64url of the SHA-256 of the SubjectPublicKeyInfo
    (``KeyUtils.createKeyId``).

    Raises:
        InvalidKey: the algorithm, size or curve is unknown, or the algorithm takes a shared secret.
    """
    row = SIGNATURE_ALGORITHMS.get(algorithm)
    family = row.family if row else KEY_MANAGEMENT_ALGORITHMS.get(algorithm)
    material: PrivateMaterial
    match family:
        case "RSA":
            if not 1024 <= size <= MAXIMUM_RSA_BITS:  # Keycloak offers 1024 to 4096
                raise InvalidKey(f"RSA keys of {size} bits are not made")
            material = rsa.generate_private_key(65537, size)
        case "EC":
            name = row.curve if row and row.curve else curve or "P-256"
            if name not in CURVES:
                raise InvalidKey(f"unknown curve {name}")
            material = ec.generate_private_key(CURVES[name])
        case "OKP":
            if curve not in (None, "Ed25519", "Ed448"):
                raise InvalidKey(f"unknown curve {curve}")
            material = ed448.Ed448PrivateKey.generate() if curve == "Ed448" else ed25519.Ed25519PrivateKey.generate()
        case _:
            raise InvalidKey(f"no key pair fits {algorithm}")
    certificate = None if certificate_subject is None else x509.self_signed(material, certificate_subject, now=now)
    return _private_key(material, algorithm, kid, use, certificate)


def private_key_from_pem(
    pem: bytes | str,
    *,
    algorithm: str,
    kid: str | None = None,
    use: Use = "sig",
    certificate_pem: bytes | str | None = None,
    trusted: bool = False,
) -> PrivateKey:
    """The key in `pem`: PKCS #8, PKCS #1 or SEC 1, in PEM or as the bare base64 DER that Keycloak's components hold.

    `trusted` skips RSA's arithmetic checks (they cost 36 ms): only for keys that keyturn made itself and kept sealed.
    `certificate_pem` may be bare base64, too. `kid` as for ``generate``.

    Raises:
        InvalidKey: not a key, an encrypted one, one that does not fit `algorithm`, or another key's certificate.
    """
    content = x509.der(pem)
    try:
        if content is None:
            encoded = pem.encode() if isinstance(pem, str) else pem
            loaded = serialization.load_pem_private_key(encoded, None, unsafe_skip_rsa_key_validation=trusted)
        else:
            loaded = serialization.load_der_private_key(content, None, unsafe_skip_rsa_key_validation=trusted)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidKey("not an unencrypted private key in PEM or base64 DER") from None
    if not isinstance(
        loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
    ):
        raise InvalidKey("not an RSA, EC, Ed25519 or Ed448 key")
    certificate = None
    if certificate_pem is not None:
        try:
            certificate = x509.certificate_der(certificate_pem)
            matches = x509.public_key_of(certificate) == _spki(loaded.public_key())
        except ValueError:
            raise InvalidKey("not a certificate in PEM or base64 DER") from None
        if not matches:
            raise InvalidKey("the certificate is another key's")
    return _private_key(loaded, algorithm, kid, use, certificate)


def symmetric_key(secret: bytes, *, algorithm: str, kid: str) -> PrivateKey:
    """A shared secret for HS256, HS384 or HS512; with `algorithm` ``AES`` one that is only kept, as Keycloak does.

    Does NOT demand the length of RFC 7518 §3.2: Keycloak's client secrets are used with every hash.

    Raises:
        InvalidKey: no secret, or `algorithm` takes a key pair.
    """
    if not secret:
        raise InvalidKey("an empty secret")
    row = SIGNATURE_ALGORITHMS.get(algorithm)
    if algorithm != "AES" and (row is None or row.family != "oct"):
        raise InvalidKey(f"{algorithm} takes no shared secret")
    return _private_key(secret, algorithm, kid, "sig" if row else "enc", None)


def public_key_from_jwk(jwk: Mapping[str, Any]) -> PublicKey:
    """The verification key that a JWK describes. Without ``kid`` it gets the one of ``generate``.

    Members about certificates are ignored: ``x5c`` and ``x5u`` give no trust. A key whose ``key_ops`` lack ``verify``
    counts as one for encryption.

    Raises:
        InvalidKey: unknown type or curve, a point off the curve, RSA under 2048 (RFC 7518 §3.3) or over 8192 bits, a
        private or
            shared key, members of wrong types.
    """
    if PRIVATE_MEMBERS & jwk.keys():
        raise InvalidKey("a private key where a public one belongs")
    algorithm, use, kid, operations = jwk.get("alg"), jwk.get("use"), jwk.get("kid"), jwk.get("key_ops")
    if not all(isinstance(value, str | None) for value in (algorithm, use, kid)):
        raise InvalidKey("alg, use and kid are texts")
    if isinstance(operations, list) and "verify" not in operations:
        use = "enc"
    material = public_material(jwk)
    return _public_key(material, algorithm, kid, cast("Use | None", use if use in (None, "sig") else "enc"), None)


def public_key_from_pem(pem: bytes | str, *, algorithm: str | None = None, kid: str | None = None) -> PublicKey:
    """The verification key in `pem`: a SubjectPublicKeyInfo in PEM, or as the bare base64 DER that Keycloak shows.

    Raises:
        InvalidKey: not such a key.
    """
    content = x509.der(pem)
    try:
        if content is None:
            loaded = serialization.load_pem_public_key(pem.encode() if isinstance(pem, str) else pem)
        else:
            loaded = serialization.load_der_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidKey("not a public key in PEM or base64 DER") from None
    return _public_key(_supported(loaded), algorithm, kid, "sig", None)


def public_key_from_certificate(
    certificate: bytes | str, *, algorithm: str | None = None, kid: str | None = None
) -> PublicKey:
    """The verification key that a certificate (PEM or base64 DER) holds. Does NOT check its signature, names or
    validity.

    Raises:
        InvalidKey: not a certificate, or not a key of a supported type.
    """
    try:
        content = x509.certificate_der(certificate)
        loaded = serialization.load_der_public_key(x509.public_key_of(content))
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidKey("not a certificate of a supported key in PEM or base64 DER") from None
    return _public_key(_supported(loaded), algorithm, kid, "sig", content)


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 JWK thumbprint (RFC 7638), for ``cnf.jkt`` (RFC 9449 §6.1).

    Raises:
        InvalidKey: the type is unknown, or a required member missing.
    """
    try:
        required = {name: jwk[name] for name in _THUMBPRINT_MEMBERS[jwk["kty"]]}
    except (KeyError, TypeError):
        raise InvalidKey("not a public key of a known type") from None
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return base64url.encode(hashlib.sha256(canonical.encode()).digest()).decode()


def _private_key(
    material: PrivateMaterial, algorithm: str, kid: str | None, use: Use, certificate: bytes | None
) -> PrivateKey:
    public = _public_key(
        material if isinstance(material, bytes) else material.public_key(), algorithm, kid, use, certificate
    )
    row = SIGNATURE_ALGORITHMS.get(algorithm)
    if row is not None and use == "sig":
        if row.family != public.family or row.curve not in (None, public.curve):
            raise InvalidKey(f"the key does not fit {algorithm}")
        return PrivateKey(public.kid, algorithm, use, public, signer(material, row), material)
    expected = row.family if row else "oct" if algorithm == "AES" else KEY_MANAGEMENT_ALGORITHMS.get(algorithm)
    if expected != public.family:
        raise InvalidKey(f"the key does not fit {algorithm}")
    if public.use != "enc":
        public = replace(public, use="enc")
    return PrivateKey(public.kid, algorithm, "enc", public, _refuse_to_sign, material)


def _refuse_to_sign(data: bytes) -> bytes:
    raise InvalidKey(f"a key for encryption does not sign ({len(data)} bytes)")


def _public_key(
    material: PublicMaterial, algorithm: str | None, kid: str | None, use: Use | None, certificate: bytes | None
) -> PublicKey:
    family: Family
    curve: str | None = None
    match material:
        case bytes():
            family = "oct"
        case rsa.RSAPublicKey():
            family = "RSA"
        case ec.EllipticCurvePublicKey():
            if material.curve.name not in CURVE_NAMES:
                raise InvalidKey(f"unknown curve {material.curve.name}")
            family, curve = "EC", CURVE_NAMES[material.curve.name]
        case _:
            family, curve = "OKP", "Ed448" if isinstance(material, ed448.Ed448PublicKey) else "Ed25519"
    if kid is None:
        kid = base64url.encode(hashlib.sha256(_spki(material)).digest()).decode()
    return PublicKey(kid, algorithm, use, family, curve, material, certificate)


def _spki(material: PublicMaterial) -> bytes:
    if isinstance(material, bytes):
        raise InvalidKey("a shared secret has no public form")
    return material.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _supported(loaded: object) -> PublicMaterial:
    if isinstance(
        loaded, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
    ):
        return loaded
    raise InvalidKey("not an RSA, EC, Ed25519 or Ed448 key")
