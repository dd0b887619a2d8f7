"""Client assertions (RFC 7523 §2.2) signed with a key from a Java keystore, as kcadm.sh signs in with them."""

import time
import uuid
from pathlib import Path
from typing import Final

from keyturn.cli.kcadm.errors import KcadmError
from keyturn.cli.kcadm.json_document import compact
from keyturn.cli.kcadm.login import SigningToken
from keyturn.jose import jwt
from keyturn.jose.keystore import KeystoreError, read_private_key

__all__ = ["sign_assertion"]

_LIFESPAN_S: Final = 600


def sign_assertion(
    keystore: str, alias: str, *, store_password: str, key_password: str, client_id: str, audience: str
) -> SigningToken:
    """An assertion of `client_id` for `audience`, good for ten minutes.

    Raises:
        KcadmError: the key cannot be read.
    """
    try:
        key = read_private_key(
            Path(keystore).read_bytes(),
            alias,
            store_password=store_password,
            key_password=key_password,
            algorithm="RS256",
        )
    except (KeystoreError, OSError) as error:
        raise KcadmError(f"Failed to load private key: {error}") from None
    now = int(time.time())
    claims = {
        "exp": now + _LIFESPAN_S,
        "nbf": now,
        "iat": now,
        "jti": str(uuid.uuid4()),
        "iss": client_id,
        "aud": audience,
        "sub": client_id,
    }
    token = jwt.encode(b'{"alg":"RS256"}', compact(claims).encode(), key)
    return SigningToken(token.decode(), (now + _LIFESPAN_S) * 1000)
