"""Reads what clients send, as leniently and as strictly as Keycloak does, and says exactly what cannot be read."""

import re
from array import array
from itertools import accumulate
from typing import Any, Final, Literal, TypeVar, cast

import msgspec

from keyturn.representations.base import decode

__all__ = ["DEEPEST", "UnreadableDocument", "UnreadableKind", "read"]

T = TypeVar("T")

UnreadableKind = Literal["empty", "broken_json", "malformed_value", "wrong_type", "unrecognized_field"]
"""What is wrong; Keycloak answers each in its own way.

===================  ======  ==========================================================================================
``empty``            500     no document: nothing, blanks or ``null`` (a 400 is better)
``broken_json``      400     ``invalid_request``, "Cannot parse the JSON": the outermost object's own syntax
``malformed_value``  400     ``HTTP 400 Bad Request``, "Cannot parse the JSON": syntax or encoding inside a value, or a
                             number out of range
``wrong_type``       400     ``unknown_error``, "Cannot parse the JSON"
``unrecognized_field`` 400   ``{"error": str(the exception)}``
===================  ======  ==========================================================================================
"""

DEEPEST: Final = 200
"""How deep lists and objects may nest. Keycloak takes 1000 of them, and no document needs twenty."""

_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[{]}"))
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One down for each bracket that opens, and one up for each that closes."""


class UnreadableDocument(Exception):
    """A document that cannot be read.

    Attributes:
        kind: what is wrong.
        document: Keycloak's name of the innermost document around the place, ``ClientRepresentation``.
        field: the field that is not known, for ``unrecognized_field``.
        line: counted from 1.
        column: the byte after what was read, counted from 1, as Jackson counts.
    """

    def __init__(self, kind: UnreadableKind, document: str, field: str = "", *, line: int = 1, column: int = 1) -> None:
        self.kind: UnreadableKind = kind
        self.document, self.field, self.line, self.column = document, field, line, column
        super().__init__(kind, document, field, line, column)

    def __str__(self) -> str:
        if self.kind == "unrecognized_field":
            return (
                f"Invalid json representation for {self.document}. "
                f'Unrecognized field "{self.field}" at line {self.line} column {self.column}.'
            )
        return "Cannot parse the JSON"


def read(content: bytes, document: type[T], *, ignore_unknown: bool = False) -> T:
    """The document in `content`, a Representation or a list of them, with the coercions that Keycloak (Jackson) makes.

    Texts are taken for numbers and booleans and the other way round, numbers lose their fraction, ``null`` in a list
    or mapping is dropped, what follows the document is ignored.

    Args:
        content: UTF-8; UTF-16 and UTF-32 are recognised.
        document: its type.
        ignore_unknown: skip fields of the outermost document that are not known, as Keycloak's partial import does.

    Raises:
        UnreadableDocument: it cannot be read.
    """
    try:
        found = decode(content, document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # read again with leave for what Jackson forgives, and knowing the place of what it does not
    else:
        if not _deeper_than(content, DEEPEST):
            return found
        raise UnreadableDocument("malformed_value", getattr(document, "__name__", ""))
    from keyturn.representations.lenient import read_leniently  # most requests never need it

    return cast(T, read_leniently(content, document, ignore_unknown=ignore_unknown))


def _deeper_than(content: bytes, limit: int) -> bool:
    if content.count(b"[") + content.count(b"{") <= limit:
        return False
    # All in C: the document may be large, and nobody else is served meanwhile.
    steps = array("b", _STRING.sub(b"", content).translate(_STEPS, _NO_BRACKETS))
    return max(accumulate(steps)) > limit


def position(content: bytes, offset: int) -> dict[str, Any]:
    """Line and column of the byte at `offset`, as Jackson counts: from 1, and a lone carriage return ends a line."""
    lines = re.split(rb"\r\n|\r|\n", content[:offset])
    return {"line": len(lines), "column": len(lines[-1]) + 1}
