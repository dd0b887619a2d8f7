"""JSON Web Tokens in JWS compact form (RFC 7515 §7.1, RFC 7519): sign, read strictly, verify."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeAlias

from keyturn.jose import base64url
from keyturn.jose.jwk import PrivateKey, PublicKey

__all__ = [
    "MAXIMUM_LENGTH",
    "FindKey",
    "InvalidToken",
    "TokenExpired",
    "TokenNotYetValid",
    "Unverified",
    "VerifiedClaims",
    "check_times",
    "encode",
    "parse",
    "sign",
    "verify",
]

FindKey: TypeAlias = Callable[[str | None, str], PublicKey | None]
"""From the header's ``kid`` (if any) and ``alg`` to a key that the caller trusts for this."""

MAXIMUM_LENGTH: Final = 64 * 1024
"""Bytes of a token that ``parse`` reads by default; Keycloak's tokens with hundreds of roles stay under it."""

_FAR: Final = 2**63
"""Seconds since the epoch beyond which a time is none: NaN, infinity, an integer that no float can hold."""

_MADE_HERE: Final = object()
"""Whoever makes an ``Unverified`` or ``VerifiedClaims`` must show it, so that only this module can."""


class InvalidToken(Exception):
    """A token that is not accepted. `reason` is for people, safe to publish: it never holds a part of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenExpired(InvalidToken):
    """``exp`` has passed."""


class TokenNotYetValid(InvalidToken):
    """``nbf`` is ahead."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """A token's parts as it tells them; nothing of it is true yet. Made by ``parse`` only."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    made_here: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.made_here is not _MADE_HERE:
            raise TypeError("parse() makes it")

    @property
    def algorithm(self) -> str:
        """``alg``; empty where there is none, which is nobody's."""
        return self.header.get("alg") or ""

    @property
    def kid(self) -> str | None:
        """``kid``, None where absent."""
        return self.header.get("kid")


class VerifiedClaims(Mapping[str, Any]):
    """The claims of a token whose signature was verified, and its `header`. Made by ``verify`` only."""

    __slots__ = ("_claims", "header")

    def __init__(self, header: Mapping[str, Any], claims: Mapping[str, Any], made_here: object) -> None:
        if made_here is not _MADE_HERE:
            raise TypeError("verify() makes it")
        self.header = header
        self._claims = claims

    def __getitem__(self, name: str) -> Any:
        return self._claims[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._claims)

    def __len__(self) -> int:
        return len(self._claims)

    def __repr__(self) -> str:
        return f"VerifiedClaims({', '.join(self._claims)})"


def encode(header: bytes | Mapping[str, Any], claims: bytes, key: PrivateKey) -> bytes:
    """The signed token for `claims` (JSON). `header` is JSON, too, or a mapping to write as such.

    Does NOT check that ``alg`` and ``kid`` in the header are the key's.
    """
    encoded = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return sign(base64url.encode(encoded) + b"." + base64url.encode(claims), key)


def sign(signing_input: bytes, key: PrivateKey) -> bytes:
    """The token whose first two parts, already encoded and joined by a dot, are `signing_input`."""
    return signing_input + b"." + base64url.encode(key.sign(signing_input))


def parse(token: str | bytes, max_length: int = MAXIMUM_LENGTH) -> Unverified:
    """The parts of `token`, read but not verified.

    Strict: three parts of canonical base64url; header and claims are JSON objects in UTF-8 with no member twice at any
    depth, no NaN or infinity, and no text that is no Unicode; ``alg`` and ``kid`` are texts if present; ``crit`` is
    refused since nothing critical is understood here (RFC 7515 §4.1.11).

    Raises:
        InvalidToken: it is none of that, or longer than `max_length` bytes.
    """
    try:
        content = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError:
        raise InvalidToken("not a JWT") from None
    if len(content) > max_length:
        raise InvalidToken("too long")
    parts = content.split(b".", 3)
    if len(parts) != 3:
        raise InvalidToken("not a JWT")
    try:
        claims, signature = base64url.decode(parts[1]), base64url.decode(parts[2])
    except ValueError:
        raise InvalidToken("not a JWT") from None
    header = _known_header(parts[0]) if len(parts[0]) <= _LONGEST_KNOWN else _header(parts[0])
    signing_input = content[: -len(parts[2]) - 1]
    return Unverified(header, _json_object(claims, "claims"), signing_input, signature, _MADE_HERE)


def _header(encoded: bytes) -> Mapping[str, Any]:
    """The header, read strictly; the same for everybody who shows it. Raises InvalidToken."""
    try:
        content = base64url.decode(encoded)
    except ValueError:
        raise InvalidToken("not a JWT") from None
    members = _json_object(content, "header")
    if not isinstance(members.get("alg"), str | None) or not isinstance(members.get("kid", ""), str):
        raise InvalidToken("alg or kid is no text")
    if "crit" in members:
        raise InvalidToken("crit is not supported")
    return MappingProxyType(members)


_LONGEST_KNOWN: Final = 200
_known_header = lru_cache(maxsize=1024)(_header)
"""Of headers that are short: whoever signs shows the same one each time."""


def verify(token: str | bytes | Unverified, find_key: FindKey, algorithms: frozenset[str]) -> VerifiedClaims:
    """The claims of `token`, once its signature is verified with the key that `find_key` gives for it.

    `algorithms` are the ``alg`` values that the caller accepts. Keys come from `find_key` alone: the header's ``jwk``,
    ``jku``, ``x5c`` and ``x5u`` are never looked at. Does NOT check times (``check_times``), issuer, audience or
    ``typ``.

    Raises:
        InvalidToken: malformed, another algorithm, no key, a key that does not fit the algorithm, or a wrong signature.
    """
    unverified = token if isinstance(token, Unverified) else parse(token)
    algorithm = unverified.algorithm
    if algorithm not in algorithms:
        raise InvalidToken("algorithm not accepted")
    key = find_key(unverified.kid, algorithm)
    if key is None:
        raise InvalidToken("no key for it")
    if not key.verify(unverified.signing_input, unverified.signature, algorithm):
        raise InvalidToken("wrong signature")
    return VerifiedClaims(unverified.header, unverified.claims, _MADE_HERE)


def check_times(claims: Mapping[str, Any], now: float, leeway: float = 0, *, expiry_required: bool = True) -> None:
    """That `now` (seconds since the epoch) is before ``exp`` and not before ``nbf``, give or take `leeway` seconds.

    Does NOT look at ``iat``. Source: RFC 7519 §4.1.4, §4.1.5.

    Raises:
        TokenExpired, TokenNotYetValid: as they say.
        InvalidToken: ``exp`` is absent though `expiry_required`, or one of the two is no number.
    """
    expiry, not_before = _numeric_date(claims, "exp"), _numeric_date(claims, "nbf")
    if expiry is None and expiry_required:
        raise InvalidToken("exp is missing")
    if expiry is not None and now >= expiry + leeway:
        raise TokenExpired("expired")
    if not_before is not None and now < not_before - leeway:
        raise TokenNotYetValid("not valid yet")


def _numeric_date(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_FAR <= value <= _FAR:
        raise InvalidToken(f"{name} is no number")
    return value


def _json_object(content: bytes, part: str) -> dict[str, Any]:
    try:
        document = _DECODER.decode(content.decode())
        if b"\\u" in content:
            json.dumps(document, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):  # deep nesting exhausts the decoder's stack, not ours
        raise InvalidToken(f"the {part} is no JSON, or names a member twice") from None
    if not isinstance(document, dict):
        raise InvalidToken(f"the {part} is no JSON object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")  # RFC 7519 §4: reject, or each reader sees another token
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
