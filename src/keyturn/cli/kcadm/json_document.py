"""JSON as kcadm.sh reads and prints it: Jackson's pretty printing, Jackson's words for what is broken."""

import json
from typing import Any, Final, NoReturn

from keyturn.cli.kcadm.json_numbers import java_double

__all__ = ["MISSING", "BrokenJSON", "compact", "node_name", "parse", "parse_first", "pretty"]

_ASTRAL: Final = 0xFFFF
_INT: Final = range(-(2**31), 2**31)
_LONG: Final = range(-(2**63), 2**63)
_ESCAPES: Final = {code: f"\\u{code:04X}" for code in range(0x20)} | {
    ord('"'): '\\"',
    ord("\\"): "\\\\",
    0x08: "\\b",
    0x09: "\\t",
    0x0A: "\\n",
    0x0C: "\\f",
    0x0D: "\\r",
}


class _Missing:
    """The value of an attribute that was set to nothing: printed as null, but of a kind of its own."""

    __slots__ = ()


MISSING: Final = _Missing()


class BrokenJSON(ValueError):
    """The text is not JSON; the message says what and where, in Jackson's words."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def parse(text: str) -> Any:
    """The value of the whole of `text`.

    Raises:
        BrokenJSON: it is none, or something follows it.
    """
    try:
        value, end = _DECODER.raw_decode(text, _skip_space(text, 0))
    except (ValueError, RecursionError):
        raise _explain(text, whole=True) from None
    if _skip_space(text, end) != len(text):
        raise _explain(text, whole=True)
    return value


def parse_first(text: str) -> Any:
    """The first value in `text`; what follows it is not looked at.

    Raises:
        BrokenJSON: there is none.
    """
    try:
        return _DECODER.raw_decode(text, _skip_space(text, 0))[0]
    except (ValueError, RecursionError):
        raise _explain(text, whole=False) from None


def pretty(value: Any) -> str:
    """`value` as Jackson's default pretty printer writes it to a stream, without a line's end."""
    return "".join(_pretty(value, "\n"))


def compact(value: Any) -> str:
    """`value` on one line and without spaces."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_string(key)}:{compact(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return _scalar(value)


def node_name(value: Any) -> str:
    """Jackson's name for the kind of `value`, as its error messages give it."""
    match value:
        case dict():
            return "ObjectNode"
        case list():
            return "ArrayNode"
        case str():
            return "TextNode"
        case bool():
            return "BooleanNode"
        case None:
            return "NullNode"
        case float():
            return "DoubleNode"
        case int() if value in _INT:
            return "IntNode"
        case int() if value in _LONG:
            return "LongNode"
        case int():
            return "BigIntegerNode"
    return "MissingNode"


def _skip_space(text: str, start: int) -> int:
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    return start


def _explain(text: str, *, whole: bool) -> BrokenJSON:
    # Only where something is broken: the explanation walks the text again, by itself and slowly.
    from keyturn.cli.kcadm.json_faults import explain

    return BrokenJSON(explain(text, whole=whole))


def _pretty(value: Any, newline: str) -> list[str]:
    if isinstance(value, dict):
        if not value:
            return ["{ }"]
        inner = newline + "  "
        parts = ["{"]
        for key, item in value.items():
            parts += [inner, _ascii_beyond_plane_0(_string(key)), " : ", *_pretty(item, inner), ","]
        parts[-1] = newline
        return [*parts, "}"]
    if isinstance(value, list):
        if not value:
            return ["[ ]"]
        parts = ["[ "]
        for item in value:
            parts += [*_pretty(item, newline), ", "]
        parts[-1] = " ]"
        return parts
    return [_ascii_beyond_plane_0(_scalar(value))]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if value is None or value is MISSING:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return java_double(value) if isinstance(value, float) else str(value)


def _string(value: str) -> str:
    return f'"{value.translate(_ESCAPES)}"'


def _ascii_beyond_plane_0(text: str) -> str:
    # Jackson's writer to a stream escapes what Java holds as two characters; its writer to a string does not.
    if text.isascii() or all(ord(character) <= _ASTRAL for character in text):
        return text
    return "".join(
        character if ord(character) <= _ASTRAL else "".join(f"\\u{unit:04X}" for unit in _utf16(character))
        for character in text
    )


def _utf16(character: str) -> tuple[int, int]:
    high, low = divmod(ord(character) - 0x10000, 0x400)
    return 0xD800 + high, 0xDC00 + low
