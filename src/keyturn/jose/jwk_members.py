"""A public key's numbers as JWK members, and back (RFC 7518 §6, RFC 8037 §2)."""

from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from keyturn.jose import base64url
from keyturn.jose.signature import PublicMaterial

__all__ = ["CURVES", "CURVE_NAMES", "MAXIMUM_RSA_BITS", "InvalidKey", "members", "public_material"]

CURVES: Final[Mapping[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
CURVE_NAMES: Final = {curve.name: name for name, curve in CURVES.items()}
_OKP: Final[Mapping[str, type[ed25519.Ed25519PublicKey] | type[ed448.Ed448PublicKey]]] = {
    "Ed25519": ed25519.Ed25519PublicKey,
    "Ed448": ed448.Ed448PublicKey,
}
MINIMUM_RSA_BITS: Final = 2048  # RFC 7518 §3.3
MAXIMUM_RSA_BITS: Final = 8192  # verification grows with the square: a client's key must not be an attack


class InvalidKey(ValueError):
    """A key that is broken, too weak, of another type than its algorithm, or not what it was given as.

    The message never holds key material.
    """


def members(material: PublicMaterial) -> dict[str, str]:
    def text(value: bytes) -> str:
        return base64url.encode(value).decode()

    match material:
        case rsa.RSAPublicKey():
            numbers = material.public_numbers()
            return {
                name: text(i.to_bytes((i.bit_length() + 7) // 8, "big"))
                for name, i in (("n", numbers.n), ("e", numbers.e))
            }
        case ec.EllipticCurvePublicKey():
            point, size = material.public_numbers(), (material.key_size + 7) // 8
            x, y = text(point.x.to_bytes(size, "big")), text(point.y.to_bytes(size, "big"))
            return {"crv": CURVE_NAMES[material.curve.name], "x": x, "y": y}
        case bytes():
            raise InvalidKey("a shared secret has no public form")
        case _:
            curve = "Ed448" if isinstance(material, ed448.Ed448PublicKey) else "Ed25519"
            return {"crv": curve, "x": text(material.public_bytes_raw())}


def public_material(jwk: Mapping[str, Any]) -> PublicMaterial:
    def octets(name: str) -> bytes:
        value = jwk.get(name)
        if not isinstance(value, str):
            raise InvalidKey(f"{name} is missing")
        return base64url.decode(value)

    try:
        match jwk.get("kty"):
            case "RSA":
                n, e = int.from_bytes(octets("n"), "big"), int.from_bytes(octets("e"), "big")
                if not MINIMUM_RSA_BITS <= n.bit_length() <= MAXIMUM_RSA_BITS or e >= 1 << 32:
                    raise InvalidKey(f"an RSA key of {n.bit_length()} bits")
                return rsa.RSAPublicNumbers(e, n).public_key()
            case "EC":
                curve, x, y = CURVES[str(jwk.get("crv"))], octets("x"), octets("y")
                if len(x) != len(y) or len(x) != (curve.key_size + 7) // 8:
                    raise InvalidKey("coordinates of a wrong size")  # RFC 7518 §6.2.1.2
                return ec.EllipticCurvePublicNumbers(
                    int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve
                ).public_key()
            case "OKP":
                return _OKP[str(jwk.get("crv"))].from_public_bytes(octets("x"))
    except KeyError:
        raise InvalidKey("unknown curve") from None
    except InvalidKey:
        raise
    except ValueError:
        raise InvalidKey("broken key") from None
    raise InvalidKey("unknown key type")
