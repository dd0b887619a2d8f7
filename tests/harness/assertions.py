"""Client assertions as a client makes them, right unless a test says otherwise."""

import json
import uuid
from functools import cache
from typing import Any

from keyturn.jose import jwk, jwt
from keyturn.jose.jwk import PrivateKey

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NOW = 1_800_000_000


def key(algorithm: str = "ES256", number: int = 0) -> PrivateKey:
    """A key of a client; another one for each `number`."""
    return _key(algorithm, number)


@cache
def _key(algorithm: str, number: int) -> PrivateKey:
    return jwk.generate(algorithm, kid=f"{algorithm}-{number}", now=NOW)


def jwks(*keys: PrivateKey, **members: Any) -> str:
    """The JWK Set of `keys`, each with `members`."""
    return json.dumps({"keys": [each.public.jwk() | {"use": "sig"} | members for each in keys]})


def with_keys(*keys: PrivateKey, **attributes: str) -> dict[str, Any]:
    """The fields of a client that signs with one of `keys`."""
    return {
        "client_authenticator_type": "client-jwt",
        "service_accounts_enabled": True,
        "attributes": {"use.jwks.string": "true", "jwks.string": jwks(*keys)} | attributes,
    }


def assertion(
    client_id: str,
    issuer: str,
    now: float,
    signer: PrivateKey | None = None,
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """An assertion of `client_id` for `issuer`, good for a minute; a claim that is None is left out."""
    signer = signer or key()
    good = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "jti": str(uuid.uuid4()),
        "iat": int(now),
        "exp": int(now) + 60,
    }
    shown = {name: value for name, value in (good | claims).items() if value is not None}
    head = {"alg": signer.algorithm, "kid": signer.kid} | (header or {})
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, json.dumps(shown).encode(), signer).decode()


def form(text: str, **more: str) -> dict[str, str]:
    """The form of a token request with this assertion."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": text,
    } | more
