"""Names that stand in paths. Source: Keycloak ``ReservedCharValidator``."""

import unicodedata
from typing import Final

from keyturn.admin.errors import BadRequest

__all__ = ["check_characters"]

_RESERVED: Final = "!#$&()*+,/:;=?@[\\]"
"""Characters that would not stand in a path."""


def check_characters(name: str) -> None:
    """Raises BadRequest, which names the first character that cannot stand in a name."""
    for character in name:
        # Keycloak takes control characters, and then fails wherever the name stands in a header.
        if character in _RESERVED or unicodedata.category(character) == "Cc":
            raise BadRequest(f"Character '{character}' not allowed.")
