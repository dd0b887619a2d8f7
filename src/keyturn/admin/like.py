"""Patterns of SQL's LIKE: texts that match only themselves, and matching where keyturn has no column."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

__all__ = ["like", "literal", "part"]


def literal(text: str) -> str:
    """`text` as a pattern that only matches itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def part(text: str) -> str:
    """`text` as a pattern that matches whatever has it in it; ``*`` stands for anything."""
    return f"%{literal(text).replace('*', '%')}%"


@lru_cache(maxsize=64)
def like(pattern: str) -> Callable[[object], bool]:
    r"""Whether a text matches `pattern`: ``%`` any, ``_`` one character, ``\`` before one of them itself; no case.

    What it costs is bounded by the product of both lengths, whatever stands in the pattern: whoever may search must not
    stop the server.
    """
    first, *others = _segments(pattern)
    if not others:
        return lambda text: isinstance(text, str) and first.of.fullmatch(text.lower()) is not None
    *between, last = others

    def matches(text: object) -> bool:
        if not isinstance(text, str):
            return False
        text = text.lower()
        found = first.of.match(text)
        for segment in between:  # the nearest place leaves most to those that follow
            found = found and segment.of.search(text, found.end())
        at = len(text) - last.length
        return found is not None and at >= found.end() and last.of.fullmatch(text, at) is not None

    return matches


class _Segment(NamedTuple):
    """What stands between two ``%``: it matches texts of one length."""

    of: re.Pattern[str]
    length: int


def _segments(pattern: str) -> list[_Segment]:
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "%":
            parts.append([])
        elif character == "\\" and at + 1 < len(pattern):
            at += 1
            parts[-1].extend(map(re.escape, pattern[at].lower()))
        else:
            parts[-1].extend("." if character == "_" else map(re.escape, character.lower()))
        at += 1
    return [_Segment(re.compile("".join(part), re.DOTALL), len(part)) for part in parts]
