"""Searches by attributes: ``name:value name:"a value"``. Source: Keycloak ``SearchQueryUtils``."""

import re
from typing import Final

__all__ = ["fields_of"]

_FIELD: Final = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|([^\s:"]*)):(?:"((?:[^"\\]|\\.)*)"|(\S*))')
_ESCAPE: Final = re.compile(r"\\(.)")


def fields_of(q: str) -> dict[str, str]:
    """The values by name; either may be in quotes, in which a backslash escapes. The last of a name counts."""
    return {
        _unescaped(match[1]) if match[1] is not None else match[2]: _unescaped(match[3])
        if match[3] is not None
        else match[4]
        for match in _FIELD.finditer(q)
    }


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)
