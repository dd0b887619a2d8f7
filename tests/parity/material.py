"""Key material and signed messages that the scenarios' clients make."""

import base64
import datetime as dt
import hashlib
import json
import secrets
import time
import warnings
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, KeyParameters, OctKey, OKPKey, RSAKey

ALGORITHMS = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "EdDSA", "Ed25519",
]  # fmt: skip
warnings.filterwarnings("ignore", message="EdDSA is deprecated")
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class ClientKey:
    """A key pair made for one run of a scenario, to be used with JWS algorithm `algorithm`."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        parameters: KeyParameters = {"use": "sig", "kid": secrets.token_urlsafe(12)}
        self.key: Key
        if algorithm in _CURVES:
            self.key = ECKey.generate_key(_CURVES[algorithm], parameters)
        elif algorithm in ("EdDSA", "Ed25519"):
            self.key = OKPKey.generate_key("Ed25519", parameters)
        else:
            self.key = RSAKey.generate_key(2048, parameters)

    def names(self, prefix: str) -> dict[str, Any]:
        """What scenarios can say of the key: jwk, jwks (text), kid, jkt, cert (Base64 DER) and pem of it, and private.

        ``private`` is the whole key in PEM (PKCS #8).
        """
        public = self.key.as_dict(private=False)
        certificate = self._certificate()
        assert isinstance(self.key, RSAKey | ECKey | OKPKey)
        private = self.key.as_pem(private=True)
        return {
            f"{prefix}.jwk": public,
            f"{prefix}.jwks": json.dumps({"keys": [public]}),
            f"{prefix}.kid": self.key.kid,
            f"{prefix}.jkt": self.key.thumbprint(),
            f"{prefix}.cert": base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode(),
            f"{prefix}.pem": certificate.public_bytes(serialization.Encoding.PEM).decode(),
            f"{prefix}.private": private.decode(),
        }

    def _certificate(self) -> x509.Certificate:
        private: Any = self.key.private_key
        assert isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "parity-client")])
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - dt.timedelta(days=1))
        builder = builder.not_valid_after(now + dt.timedelta(days=30))
        return builder.sign(private, None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def sign(claims: dict[str, Any], header: dict[str, Any], key: Key) -> str:
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=ALGORITHMS)


def client_assertion(options: dict[str, Any], keys: dict[str, ClientKey], issuer: str) -> str:
    """A JWT to authenticate a client with (RFC 7523).

    `options`: client; key (a name in `keys`) or hmac (a secret); alg, kid, aud, iss, sub, jti; exp, iat, nbf in
    seconds from now; omit, the names of claims to leave out.
    """
    now = int(time.time())
    client = options["client"]
    claims = {
        "iss": options.get("iss", client),
        "sub": options.get("sub", client),
        "aud": options.get("aud", issuer),
        "jti": options.get("jti", secrets.token_hex(16)),
        "iat": now + options.get("iat", 0),
        "exp": now + options.get("exp", 60),
    }
    if "nbf" in options:
        claims["nbf"] = now + options["nbf"]
    for omitted in options.get("omit", []):
        claims.pop(omitted, None)
    if "hmac" in options:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # Keycloak takes short secrets, too
            secret = OctKey.import_key(options["hmac"])
        return sign(claims, {"alg": options.get("alg", "HS256")}, secret)
    key = keys[options["key"]]
    header = {"alg": options.get("alg", key.algorithm), "typ": "JWT", "kid": options.get("kid", key.key.kid)}
    if options.get("kid") == "":
        del header["kid"]
    return sign(claims, header, key.key)


def dpop_proof(options: dict[str, Any], keys: dict[str, ClientKey], method: str, url: str) -> str:
    """A DPoP proof (RFC 9449). `options`: key; htm, htu, jti, typ, alg; iat in seconds from now; ath, the token."""
    key = keys[options["key"]]
    claims: dict[str, Any] = {
        "htm": options.get("htm", method),
        "htu": options.get("htu", url),
        "iat": int(time.time()) + options.get("iat", 0),
        "jti": options.get("jti", secrets.token_hex(16)),
    }
    if "ath" in options:
        digest = hashlib.sha256(options["ath"].encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    for omitted in options.get("omit", []):
        claims.pop(omitted, None)
    public = {name: value for name, value in key.key.as_dict(private=False).items() if name not in ("use", "kid")}
    header = {"alg": key.algorithm, "typ": options.get("typ", "dpop+jwt"), "jwk": public}
    return sign(claims, header, key.key)
