"""Patterns of SQL's LIKE: texts that match only themselves, and matching where keyturn has no column."""

import re
from collections.abc import Callable
from functools import lru_cache

__all__ = ["like", "literal"]


def literal(text: str) -> str:
    """`text` as a pattern that only matches itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


@lru_cache(maxsize=64)
def like(pattern: str) -> Callable[[object], bool]:
    r"""Whether a text matches `pattern`: ``%`` any, ``_`` one character, ``\`` before one of them itself; no case."""
    parts, at = [], 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\" and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at].lower()))
        else:
            parts.append({"%": ".*", "_": "."}.get(character, re.escape(character.lower())))
        at += 1
    matching = re.compile("".join(parts), re.DOTALL).fullmatch
    return lambda text: isinstance(text, str) and matching(text.lower()) is not None
