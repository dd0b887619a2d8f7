"""How long a text may be: what a column of Keycloak's database holds."""

from typing import Final

from keyturn.admin.errors import InvalidRequest
from keyturn.representations import Maybe, given

__all__ = ["LONGEST", "LONGEST_ID", "check_lengths"]

LONGEST: Final = 255
"""Characters of a text."""
LONGEST_ID: Final = 36
"""Characters of an id."""


def check_lengths(*texts: Maybe[str], ids: tuple[Maybe[str], ...] = ()) -> None:
    """Raises InvalidRequest for a text, or one of `ids`, that Keycloak's database would not hold."""
    for longest, those in ((LONGEST, texts), (LONGEST_ID, ids)):
        if any(len(given(text, "")) > longest for text in those):
            raise InvalidRequest(f"A text is longer than {longest} characters")
