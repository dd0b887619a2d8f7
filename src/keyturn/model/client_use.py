"""How much a client has been used, as attributes of its document: the admin API shows them, and nobody sets them."""

from collections.abc import Mapping
from typing import Final

LAST_USED: Final = "keyturn.lastUsed"
"""When the client got a token last, in epoch seconds."""
TOKENS_ISSUED: Final = "keyturn.tokensIssued"
"""How many times it got one."""

_SHOWN: Final = frozenset({LAST_USED, TOKENS_ISSUED})


def use_attributes(tokens: int, last: int) -> dict[str, str]:
    """What is shown of a client that got so many tokens, the last one at `last` (epoch seconds)."""
    return {LAST_USED: str(last), TOKENS_ISSUED: str(tokens)}


def settable(attributes: Mapping[str, str]) -> dict[str, str]:
    """`attributes` without those that are only shown: tools send back what they have read."""
    return {name: value for name, value in attributes.items() if name not in _SHOWN}
