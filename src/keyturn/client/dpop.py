"""A client's key, that its tokens are bound to (RFC 9449): whoever takes a token without the key has nothing."""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from keyturn.jose import dpop
from keyturn.jose.jwk import PrivateKey, generate, private_key_from_pem, thumbprint

__all__ = ["DpopKey"]

_MAXIMUM_NONCES: Final = 1000


class DpopKey:
    """Makes proofs. For threads and event loops alike; make one and keep it as long as its tokens.

    Remembers for each server the nonce that it has asked for last (RFC 9449 §8, §9).
    """

    def __init__(self, key: PrivateKey, *, clock: Callable[[], float] = time.time) -> None:
        """Takes a key as ``keyturn.jose`` has it; see ``generate`` and ``from_pem``. `clock` tells epoch seconds.

        Raises:
            ValueError: a key that proves nothing, as a shared secret.
        """
        if key.algorithm not in dpop.ALGORITHMS or key.use != "sig":
            raise ValueError("a DPoP key is a key pair that signs")
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._nonces: dict[str, str] = {}
        self.thumbprint: Final = thumbprint(key.public.jwk())
        """``cnf.jkt`` of the tokens that are bound to it."""

    @classmethod
    def generate(cls, algorithm: str = "ES256", *, clock: Callable[[], float] = time.time) -> "DpopKey":
        """A new key, that dies with this process, and the tokens with it."""
        return cls(generate(algorithm, now=clock()), clock=clock)

    @classmethod
    def from_pem(
        cls, pem: bytes | str, algorithm: str = "ES256", *, clock: Callable[[], float] = time.time
    ) -> "DpopKey":
        """The private key in `pem` (PKCS #8, PKCS #1 or SEC 1, not encrypted). Raises ValueError."""
        return cls(private_key_from_pem(pem, algorithm=algorithm), clock=clock)

    def __repr__(self) -> str:
        return f"DpopKey({self.thumbprint})"

    def proof(self, method: str, url: str, access_token: str | None = None) -> str:
        """The ``DPoP`` header of a request of `method` to `url`, that shows `access_token` if there is one.

        For one request: a proof counts once, and for some seconds.
        """
        nonce = self._nonces.get(_origin(url))
        jti = secrets.token_urlsafe(16)
        return dpop.make(self._key, method, url, now=self._clock(), jti=jti, access_token=access_token, nonce=nonce)

    def learn(self, url: str, nonce: str | None) -> bool:
        """Takes the ``DPoP-Nonce`` of an answer from `url`; whether it is a new one, so that asking again may help."""
        if not nonce:
            return False
        origin = _origin(url)
        with self._lock:
            if self._nonces.get(origin) == nonce:
                return False
            if len(self._nonces) >= _MAXIMUM_NONCES:
                self._nonces.pop(next(iter(self._nonces)))
            self._nonces[origin] = nonce
        return True


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
