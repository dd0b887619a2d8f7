"""Whether who shows a token holds what it is bound to: a key (RFC 9449 §7) or a certificate (RFC 8705 §3)."""

import hmac
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn.jose import base64url, dpop
from keyturn.resource_server.access_token import AccessToken
from keyturn.resource_server.errors import InvalidDpopProof, TooManyProofs, UseDpopNonce

__all__ = ["DpopRequest", "Nonces", "UsedProofs", "check_possession", "is_certificate_of"]

_PERIOD: Final = dpop.LIFETIME + 2 * dpop.SKEW
"""Seconds for which a proof can count at most, from the moment that it is first shown."""

_NONCE_PERIOD: Final = 150
"""Seconds after which there is another nonce. It counts until the next but one."""

_SHORTEST_SECRET: Final = 16


@dataclass(frozen=True, slots=True)
class DpopRequest:
    """What a proof speaks of: the request's method and URL, as its caller has spelled them, and its ``DPoP`` headers.

    Do NOT take the URL's host from the ``Host`` header, which whoever has overheard a proof chooses: the proof would
    then be good for any service that says it is the one that it was made for.
    """

    method: str
    url: str
    proofs: Sequence[str] = field(repr=False)


class UsedProofs:
    """The proofs that were shown lately, at most `maximum` of them. For one process; any thread may call it.

    Does NOT know what other processes of the service have seen: within some seconds, a proof counts once in each.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._lock = threading.Lock()
        self._period = 0
        self._now: set[str] = set()
        self._before: set[str] = set()

    def check_first(self, proof: dpop.Proof, now: float) -> None:
        """Raises InvalidDpopProof where it was shown before, TooManyProofs where nobody could tell any more."""
        period = int(now // _PERIOD)
        with self._lock:
            if period not in (self._period, self._period - 1):  # clocks are set back, too
                self._before = self._now if period == self._period + 1 else set()
                self._now, self._period = set(), period
            if proof.identity in self._now or proof.identity in self._before:
                raise InvalidDpopProof("DPoP proof has already been used")
            if len(self._now) + len(self._before) >= self._maximum:
                raise TooManyProofs("Too many proofs at once")
            self._now.add(proof.identity)


class Nonces:
    """The nonces of a service: all its processes make the same ones, of one secret, and remember none."""

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError: a secret that can be guessed."""
        if len(secret) < _SHORTEST_SECRET:
            raise ValueError(f"a secret for nonces has at least {_SHORTEST_SECRET} bytes")
        self._secret = secret

    def next(self, shown: str | None, now: float) -> str | None:
        """The nonce for the next proof, where it is not the one that was `shown`. Raises UseDpopNonce."""
        period = int(now // _NONCE_PERIOD)
        newest, last = self._of(period), self._of(period - 1)
        if hmac.compare_digest((shown or "").encode(), newest.encode()):
            return None
        if hmac.compare_digest((shown or "").encode(), last.encode()):
            return newest
        raise UseDpopNonce(newest)

    def _of(self, period: int) -> str:
        digest = hmac.digest(self._secret, b"dpop nonce %d" % period, "sha256")
        return base64url.encode(digest[:18]).decode()


def check_possession(
    token: AccessToken,
    raw: str,
    shown: DpopRequest,
    used: UsedProofs,
    now: float,
    algorithms: frozenset[str],
    nonces: Nonces | None = None,
) -> str | None:
    """That the request shows the key that `token`, `raw` on the wire, is bound to; the nonce for the next one, if it is
    another.

    Raises:
        UseDpopNonce: there are `nonces`, and the proof has none that counts.
        InvalidDpopProof: the proof is missing, or one of something else, or was shown before; or the token is bound to
            no key.
        TooManyProofs: as it says.
    """
    if len(shown.proofs) != 1:
        raise InvalidDpopProof("There must be one DPoP header")
    thumbprint = confirmed_key(token.claims.get("cnf"))
    if thumbprint is None:
        raise InvalidDpopProof("Token is bound to no key")
    try:
        proof = dpop.read(shown.proofs[0], shown.method, shown.url, now=now, access_token=raw, algorithms=algorithms)
    except dpop.InvalidProof as error:
        raise InvalidDpopProof(error.reason) from None
    if proof.jkt != thumbprint:
        raise InvalidDpopProof("Token is bound to another key")
    following = None if nonces is None else nonces.next(proof.nonce, now)
    used.check_first(proof, now)
    return following


def is_certificate_of(confirmation: Any, thumbprint: str | None) -> bool:
    """Whether ``cnf`` names the certificate of this thumbprint, and nothing else, of which nothing would be known."""
    if thumbprint is None or not isinstance(confirmation, dict) or confirmation.keys() != {"x5t#S256"}:
        return False
    return hmac.compare_digest(str(confirmation["x5t#S256"]).encode(), thumbprint.encode())


def confirmed_key(confirmation: Any) -> str | None:
    """The thumbprint in ``cnf``; None where there is none, or more than that, of which nothing is known here."""
    if not isinstance(confirmation, dict) or not confirmation.keys() <= {"jkt", "kc-jkt-type"}:
        return None
    thumbprint = confirmation.get("jkt")
    return thumbprint if isinstance(thumbprint, str) and thumbprint else None
