"""Regular expressions that a realm's administrators write, matched in bounded time and memory.

Keycloak's are Java's. Those of the package ``regex`` are nearest to them, and can be told to give up: one that would
take for ever (``(a+)+$``) must not keep the server from everybody else.
"""

import re
import time
from functools import lru_cache
from typing import Any, Final

__all__ = ["InvalidPattern", "Patterns", "UndecidedPattern", "check_pattern"]

LONGEST_PATTERN: Final = 1000
LONGEST_TEXT: Final = 10_000
"""Characters; what is longer is not looked at."""
SECONDS: Final = 0.1
"""For all texts of one request together."""
_NOT_JAVA: Final = re.compile(r"\(\?(?:R|[+-]?\d|&|P>)")
"""Expressions that call themselves: Java has none, and they take memory without end."""


class InvalidPattern(ValueError):
    """It is no regular expression; the text says why."""


class UndecidedPattern(ValueError):
    """Whether it matches cannot be found out in reasonable time; the text says why."""


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import regex  # most servers never need it

    if len(pattern) > LONGEST_PATTERN:
        raise InvalidPattern(f"it is longer than {LONGEST_PATTERN} characters")
    if _NOT_JAVA.search(pattern):
        raise InvalidPattern("it calls itself")
    try:
        return regex.compile(pattern, regex.VERSION1)
    except (regex.error, OverflowError, RecursionError) as error:
        raise InvalidPattern("it is nested too deeply" if isinstance(error, RecursionError) else str(error)) from None


def check_pattern(pattern: str) -> None:
    """Raises InvalidPattern for what is no regular expression."""
    _compiled(pattern)


class Patterns:
    """Matches the texts of one request, within one allowance of time."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._left = seconds

    def match(self, pattern: str, text: str) -> bool:
        """Whether `pattern` is all of `text`; one that is no regular expression is none.

        Raises:
            UndecidedPattern: that cannot be found out within what is left of the time, or the text is too long.
        """
        try:
            compiled = _compiled(pattern)
        except InvalidPattern:
            return False
        if len(text) > LONGEST_TEXT:
            raise UndecidedPattern(
                f"A text is longer than {LONGEST_TEXT} characters, which no regular expression is for"
            )
        begun = time.perf_counter()
        try:
            found = compiled.fullmatch(text, timeout=max(self._left, 0.001), concurrent=True)
        except TimeoutError:
            self._left = 0
            raise UndecidedPattern("The realm's regular expressions take too long for this text") from None
        self._left -= time.perf_counter() - begun
        return found is not None
