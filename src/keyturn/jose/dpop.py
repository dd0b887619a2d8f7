"""DPoP proofs (RFC 9449 §4): a client shows that it holds the key that its token is bound to. Made and read here."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from json import dumps, loads
from typing import Any, Final

from keyturn.jose import base64url, jwk, jwt
from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.jose.jwk import PrivateKey, PublicKey

__all__ = [
    "ALGORITHMS",
    "LIFETIME",
    "MAXIMUM_LENGTH",
    "SKEW",
    "InvalidProof",
    "Proof",
    "access_token_hash",
    "make",
    "read",
]

ALGORITHMS: Final = frozenset(name for name, row in SIGNATURE_ALGORITHMS.items() if row.family != "oct")
"""What a proof may be signed with: never with a secret (RFC 9449 §4.2)."""

LIFETIME: Final = 10
SKEW: Final = 15
"""Seconds for which a proof counts after its ``iat``, and by which clocks may differ (Keycloak ``DPoPUtil``)."""

MAXIMUM_LENGTH: Final = 16 * 1024
"""Bytes of a proof that is read: one with a key of RSA 8192 and room to spare."""

_TYPE: Final = "dpop+jwt"
_REFUSED_ALGORITHMS: Final = frozenset({"none", "Ed25519", *SIGNATURE_ALGORITHMS}) - ALGORITHMS
"""Algorithms that Keycloak knows, and takes for no proof."""

_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "RSA": ("kty", "n", "e"),
    "EC": ("kty", "crv", "x", "y"),
    "OKP": ("kty", "crv", "x"),
}
"""What makes up a key. Nothing else that ``jwk`` says of itself counts."""

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
_URL: Final = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):)?(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?:[?#].*)?"
)
_NO_URL: Final = re.compile(r'[\x00-\x20"<>\\^`{|}\x7f]|%(?![0-9A-Fa-f]{2})')
_DIGITS: Final = re.compile(r"-?[0-9]{1,18}")
_LONG: Final = 2**63
_UNREADABLE: Final = "DPoP header verification failure"
_WRONG_SIGNATURE: Final = (
    "DPoP verification failure: org.keycloak.exceptions.TokenSignatureInvalidException: Invalid token signature"
)
_NO_SIGNATURE: Final = "DPoP verification failure: org.keycloak.common.VerificationException: Signing failed"
"""As Keycloak writes them: the names of Java's classes are a part of the answer."""


class InvalidProof(Exception):
    """A proof that does not count. `reason` is Keycloak's text; of the proof it has ``typ`` or ``alg`` at most."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof whose signature and claims hold. Made by ``read`` alone.

    It counts once: until `until` (seconds since the epoch) nobody else may show one of the same `identity`. `nonce` is
    what it says of a nonce, which is NOT checked.
    """

    jkt: str
    """The thumbprint of its key (RFC 7638)."""
    identity: str
    until: int
    nonce: str | None


def access_token_hash(token: str) -> str:
    """``ath``: what a proof says of the access token it is shown with."""
    return urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()


def make(
    key: PrivateKey,
    method: str,
    url: str,
    *,
    now: float,
    jti: str,
    access_token: str | None = None,
    nonce: str | None = None,
) -> str:
    """A proof for a request of `method` to `url`, whose query and fragment are left out.

    Raises:
        InvalidKey: a shared secret, which proves nothing.
    """
    public = key.public.jwk()
    claims: dict[str, Any] = {"jti": jti, "htm": method, "htu": re.split(r"[?#]", url)[0], "iat": int(now)}
    if access_token is not None:
        claims["ath"] = access_token_hash(access_token)
    if nonce is not None:
        claims["nonce"] = nonce
    members = {name: public[name] for name in _MEMBERS[public["kty"]]}
    header = {"typ": _TYPE, "alg": key.algorithm, "jwk": members}
    return jwt.encode(header, dumps(claims).encode(), key).decode()


def read(
    proof: str,
    method: str,
    url: str,
    *,
    now: float,
    access_token: str | None = None,
    algorithms: frozenset[str] = ALGORITHMS,
    lifetime: int = LIFETIME,
    skew: int = SKEW,
) -> Proof:
    """The proof that was shown with a request of `method` to `url`; with an `access_token`, the proof is for that one.

    Does NOT see to it that it is shown once, nor look at its nonce.

    Raises:
        InvalidProof: it is none, or one of something else.

    Source: RFC 9449 §4.3; Keycloak ``DPoPUtil``, in the order of its checks.
    """
    token = _parsed(proof)
    public, jkt = _key(token, algorithms)
    if not public.verify(token.signing_input, token.signature, token.algorithm):
        raise InvalidProof(_WRONG_SIGNATURE if _fits(public, token) else _NO_SIGNATURE)
    claims = token.claims
    jti, htm, htu = (_text(claims.get(name)) for name in ("jti", "htm", "htu"))
    ath, nonce, issued = _text(claims.get("ath")), _text(claims.get("nonce")), _whole(claims.get("iat"))
    _whole(claims.get("exp"))
    _whole(claims.get("nbf"))
    if not jti or not htm or not htu or issued is None:
        raise InvalidProof("DPoP mandatory claims are missing")
    if _NO_URL.search(htu):
        raise InvalidProof("Malformed HTTP URL in DPoP proof")
    if _normal(htu) != _normal(url):
        raise InvalidProof("DPoP HTTP URL mismatch")
    if htm != method:
        raise InvalidProof("DPoP HTTP method mismatch")
    if not now - lifetime - skew < issued <= now + skew:
        raise InvalidProof("DPoP proof is not active")
    if access_token is not None and ath != access_token_hash(access_token):
        raise InvalidProof(
            "DPoP proof access token hash is missing" if ath is None else "DPoP proof access token hash mismatch"
        )
    return Proof(jkt, _identity(jti, htu), issued + lifetime + skew, nonce)


def _parsed(proof: str) -> jwt.Unverified:
    if not proof:
        raise InvalidProof("DPoP proof is missing")
    try:
        token = jwt.parse(proof, MAXIMUM_LENGTH)
    except jwt.InvalidToken:
        raise InvalidProof(_UNREADABLE) from None
    kind = _text(token.header.get("typ"))
    if kind != _TYPE:
        shown = "null" if kind is None else kind
        raise InvalidProof(f"Invalid or missing type in DPoP header: {shown[:64]}")
    if token.header.get("alg") is None:
        raise InvalidProof("No alg in DPoP header")
    return token


def _key(token: jwt.Unverified, algorithms: frozenset[str]) -> tuple[PublicKey, str]:
    """The key that the proof shows, and its thumbprint."""
    return _shown_key(token.signing_input.partition(b".")[0], algorithms)


@lru_cache(maxsize=1024)
def _shown_key(encoded_header: bytes, algorithms: frozenset[str]) -> tuple[PublicKey, str]:
    """As ``_key``, from a header that was parsed before: a machine sends the same one with each proof."""
    header = loads(base64url.decode(encoded_header))
    algorithm = header["alg"]
    if algorithm not in algorithms:
        known = algorithm in _REFUSED_ALGORITHMS or algorithm in ALGORITHMS
        raise InvalidProof(f"Unsupported DPoP algorithm: {algorithm}" if known else _UNREADABLE)
    shown = header.get("jwk")
    if shown is None:
        raise InvalidProof("No JWK in DPoP header")
    if not isinstance(shown, dict):
        raise InvalidProof(_UNREADABLE)
    if _PRIVATE & shown.keys():
        raise InvalidProof("Private key material must not be present in DPoP JWK")
    kind = shown.get("kty")
    members = _MEMBERS.get(kind) if isinstance(kind, str) else None
    if members is None:
        raise InvalidProof("Unsupported key type in DPoP header")
    if SIGNATURE_ALGORITHMS[algorithm].family != kind:
        raise InvalidProof(
            f"Key with algorithm {algorithm} and type {kind} is incorrect for provider algorithm {algorithm}"
        )
    try:
        key = {name: shown[name] for name in members}
        return jwk.public_key_from_jwk(key), jwk.thumbprint(key)
    except (jwk.InvalidKey, KeyError):
        raise InvalidProof("Invalid key in DPoP header") from None


def _fits(key: PublicKey, token: jwt.Unverified) -> bool:
    """Whether the signature is at least one that the key could have made."""
    row = SIGNATURE_ALGORITHMS[token.algorithm]
    size = len(token.signature)
    if key.family == "OKP":
        return size == (114 if key.curve == "Ed448" else 64)
    return row.curve == key.curve and size == row.signature_size if row.curve else size >= 256


def _text(value: Any) -> str | None:
    """A claim that is a text, read as Keycloak's parser does: numbers and truth values are texts, too."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    raise InvalidProof(_UNREADABLE)


def _whole(value: Any) -> int | None:
    """A time, in whole seconds; as a text, too."""
    if value is None:
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LONG < value < _LONG:
        raise InvalidProof(_UNREADABLE)
    return int(value)


def _normal(url: str) -> tuple[str, str, str]:
    """What has to be the same: scheme and authority in any case, the path letter for letter."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return "", "", url
    return (parts["scheme"] or "").lower(), (parts["authority"] or "").lower(), parts["path"]


def _identity(jti: str, htu: str) -> str:
    """Of a fixed size: ``jti`` is the caller's."""
    return urlsafe_b64encode(sha256(f"{len(jti)} {jti} {htu}".encode()).digest()).rstrip(b"=").decode()
