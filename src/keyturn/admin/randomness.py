"""Fresh ids and secrets, as Keycloak shapes them."""

import secrets
import string
import uuid
from typing import Final

__all__ = ["random_id", "random_secret"]

_ALPHABET: Final = string.digits + string.ascii_letters
_SECRET_LENGTH: Final = 86
"""Characters for 512 bits (Keycloak ``SecretGenerator``)."""


def random_id() -> str:
    """A UUID."""
    return str(uuid.uuid4())


def random_secret() -> str:
    """A client secret: letters and digits worth 512 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
