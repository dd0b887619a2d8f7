"""Regular expressions that a realm's administrators write, for what administrators ask."""

from keyturn.admin.errors import InvalidRequest
from keyturn.model import patterns
from keyturn.model.patterns import LONGEST_PATTERN, LONGEST_TEXT, InvalidPattern, check_pattern

__all__ = ["LONGEST_PATTERN", "LONGEST_TEXT", "InvalidPattern", "Patterns", "check_pattern"]


class Patterns(patterns.Patterns):
    """Matches the texts of one request, within one allowance of time."""

    def match(self, pattern: str, text: str) -> bool:
        """As `keyturn.model.patterns`. Raises InvalidRequest where that cannot be found out."""
        try:
            return super().match(pattern, text)
        except patterns.UndecidedPattern as error:
            raise InvalidRequest(str(error)) from None
