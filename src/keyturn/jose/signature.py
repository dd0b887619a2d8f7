"""Raw JWS signatures (RFC 7518 §3, RFC 8037 §3.1) over OpenSSL's keys."""

import hmac
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from keyturn.jose.algorithms import SignatureAlgorithm

__all__ = ["PrivateMaterial", "PublicMaterial", "Sign", "signer", "verify"]

PrivateMaterial: TypeAlias = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey | bytes
)
PublicMaterial: TypeAlias = (
    rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey | bytes
)
Sign: TypeAlias = Callable[[bytes], bytes]

_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ECDSA: Final = {name: ec.ECDSA(algorithm) for name, algorithm in _HASHES.items()}
_PKCS1: Final = padding.PKCS1v15()
_PSS: Final = {name: padding.PSS(padding.MGF1(algorithm), algorithm.digest_size) for name, algorithm in _HASHES.items()}


def signer(material: PrivateMaterial, algorithm: SignatureAlgorithm) -> Sign:
    """A function that signs octets with `material`; padding and hash are looked up once, here, not at each signature.

    Raises:
        ValueError: the key is not of the algorithm's family.
    """
    name = algorithm.hash or ""
    match material:
        case rsa.RSAPrivateKey() if algorithm.family == "RSA":
            rsa_sign, pad, digest = material.sign, _PSS[name] if algorithm.probabilistic else _PKCS1, _HASHES[name]
            return lambda data: rsa_sign(data, pad, digest)
        case ec.EllipticCurvePrivateKey() if algorithm.family == "EC":
            return _ecdsa_signer(material, algorithm)
        case ed25519.Ed25519PrivateKey() | ed448.Ed448PrivateKey() if algorithm.family == "OKP":
            return material.sign
        case bytes() if algorithm.family == "oct":
            return lambda data: hmac.digest(material, data, name)
    raise ValueError(f"the key does not fit {algorithm.name}")


def _ecdsa_signer(material: ec.EllipticCurvePrivateKey, algorithm: SignatureAlgorithm) -> Sign:
    ecdsa_sign, mode = material.sign, _ECDSA[algorithm.hash or ""]
    half = (algorithm.signature_size or 0) // 2

    def sign(data: bytes) -> bytes:
        # OpenSSL answers in DER, SEQUENCE { INTEGER r, INTEGER s }; JWS wants both at full length, side by side.
        # Slicing takes a quarter of the time that a DER reader and two big integers take.
        der = ecdsa_sign(data, mode)
        start = 5 if der[1] & 0x80 else 4
        end = start + der[start - 1]
        return der[start:end].lstrip(b"\0").rjust(half, b"\0") + der[end + 2 :].lstrip(b"\0").rjust(half, b"\0")

    return sign


def verify(material: PublicMaterial, algorithm: SignatureAlgorithm, data: bytes, signature: bytes) -> bool:
    """Whether `signature` is `material`'s on `data`. False, too, where the key's family or the signature's size is
    another.
    """
    if algorithm.signature_size is not None and len(signature) != algorithm.signature_size:
        return False
    name = algorithm.hash or ""
    try:
        # By the algorithm first: to ask which of the abstract classes a key is of takes a while.
        match algorithm.family:
            case "EC" if isinstance(material, ec.EllipticCurvePublicKey):
                half = len(signature) // 2
                r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
                material.verify(encode_dss_signature(r, s), data, _ECDSA[name])
            case "RSA" if isinstance(material, rsa.RSAPublicKey):
                if len(signature) != (material.key_size + 7) // 8:
                    return False
                material.verify(signature, data, _PSS[name] if algorithm.probabilistic else _PKCS1, _HASHES[name])
            case "OKP" if isinstance(material, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
                material.verify(signature, data)
            case "oct" if isinstance(material, bytes):
                return hmac.compare_digest(hmac.digest(material, data, name), signature)
            case _:
                return False
    except InvalidSignature:
        return False
    return True
