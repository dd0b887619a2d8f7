"""A client that signs instead of sending a secret (RFC 7523 §2.2; OpenID Connect Core §9)."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keyturn.jose import jwt
from keyturn.jose.jwk import PrivateKey, private_key_from_pem, symmetric_key

__all__ = ["ClientSecretJwt", "PrivateKeyJwt"]

_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFESPAN: Final = 60
"""Seconds: what Keycloak takes at most unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class PrivateKeyJwt:
    """An assertion signed with the client's own key; a new one for each request, since none counts twice.

    `audience` is the realm's issuer. `kid` is what the server knows the key by: None where that is a certificate.
    """

    client_id: str
    key: PrivateKey = field(repr=False)
    audience: str
    kid: str | None = None
    clock: Callable[[], float] = field(default=time.time, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.key.public.family == "oct" or self.key.use != "sig":
            raise ValueError("private_key_jwt takes a key pair that signs")

    @classmethod
    def from_pem(
        cls, client_id: str, pem: bytes | str | Path, audience: str, *, algorithm: str = "ES256", kid: str | None = None
    ) -> "PrivateKeyJwt":
        """With the private key in `pem`, or in the file of that path (PKCS #8, PKCS #1 or SEC 1, not encrypted).

        Raises:
            ValueError: no such key, or one that does not fit `algorithm`.
            OSError: the file cannot be read.
        """
        content = pem.read_bytes() if isinstance(pem, Path) else pem
        return cls(client_id, private_key_from_pem(content, algorithm=algorithm, kid=kid), audience, kid)

    def headers(self) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def parameters(self) -> Mapping[str, str]:
        """A fresh ``client_assertion`` and its type."""
        return _parameters(self.client_id, self.key, self.audience, self.kid, self.clock())


@dataclass(frozen=True, slots=True)
class ClientSecretJwt:
    """An assertion whose signature is a MAC keyed with the secret, which itself is not sent. `audience` as above."""

    client_id: str
    client_secret: str = field(repr=False)
    audience: str
    algorithm: str = "HS256"
    clock: Callable[[], float] = field(default=time.time, repr=False, compare=False)

    def headers(self) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def parameters(self) -> Mapping[str, str]:
        """A fresh ``client_assertion`` and its type. Raises ValueError: no secret, or an algorithm that takes none."""
        key = symmetric_key(self.client_secret.encode(), algorithm=self.algorithm, kid="")
        return _parameters(self.client_id, key, self.audience, None, self.clock())


def _parameters(client_id: str, key: PrivateKey, audience: str, kid: str | None, now: float) -> Mapping[str, str]:
    header = {"alg": key.algorithm, "typ": "JWT"} | ({} if kid is None else {"kid": kid})
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": int(now),
        "exp": int(now) + _LIFESPAN,
    }
    assertion = jwt.encode(header, json.dumps(claims).encode(), key).decode()
    return {"client_assertion_type": _TYPE, "client_assertion": assertion}
