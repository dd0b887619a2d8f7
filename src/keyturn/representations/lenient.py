"""The second reading of a document, token by token, with Jackson's coercions and the places of errors.

Source: Jackson's default coercions, found by asking Keycloak.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Final, Literal, NoReturn, TypeAlias, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, UnsetType

from keyturn.representations.base import ANY_LISTS, NULL_REMOVES
from keyturn.representations.reading import DEEPEST, UnreadableDocument, UnreadableKind, position

__all__ = ["read_leniently"]

_BLANK: Final = re.compile(rb"[ \t\r\n]*+")
_TEXT: Final = re.compile(rb'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"')
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][+-]?[0-9]++)?(?![0-9A-Za-z_.+-])")
_WORD: Final = re.compile(rb"(?:true|false|null)(?![0-9A-Za-z_$])")
_INTEGRAL_TEXT: Final = re.compile(r"[+-]?\d{1,40}")
_LONGEST_NUMBER: Final = 1000
_LONGEST_NAME: Final = 50_000
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class _Scanner:
    """A place in the text, with the document that is being read there."""

    __slots__ = ("at", "content", "depth", "document", "ignore_unknown")

    def __init__(self, content: bytes, at: int, document: str, *, ignore_unknown: bool) -> None:
        self.content, self.at, self.document, self.ignore_unknown = content, at, document, ignore_unknown
        self.depth = 0

    def fail(self, kind: UnreadableKind, field: str = "") -> NoReturn:
        raise UnreadableDocument(kind, self.document, field, **position(self.content, self.at))

    def peek(self) -> bytes:
        """The next character that is not blank, or nothing at the end."""
        self.at = _BLANK.match(self.content, self.at).end()  # type: ignore[union-attr]  # it matches nothing, too
        return self.content[self.at : self.at + 1]

    def take(self, character: bytes) -> None:
        if self.peek() != character:
            self.fail("broken_json")
        self.at += 1

    def scalar(self) -> bytes:
        """The number, ``true``, ``false`` or ``null`` here, which must be one; it is not yet passed."""
        self.peek()
        match = _WORD.match(self.content, self.at) or _NUMBER.match(self.content, self.at)
        if match is None:
            self.fail("broken_json")
        if len(match.group()) > _LONGEST_NUMBER:
            self.fail("malformed_value")
        return match.group()

    def check(self) -> None:
        """The value here must begin well. Jackson reports that apart from what is inside it."""
        if self.peek() not in {b'"', b"{", b"["}:
            self.scalar()

    def text(self) -> str:
        match = _TEXT.match(self.content, self.at)
        if match is None:
            self.fail("broken_json")
        try:
            text = msgspec.json.decode(match.group(), type=str)
            text.encode()  # half a surrogate pair is no text here
        except (msgspec.DecodeError, UnicodeError):
            self.fail("broken_json")
        self.at = match.end()
        return text

    def value_end(self) -> int:
        """Where Jackson stands after the value's first token: behind it, but for texts, which it reads later."""
        return self.at + (1 if self.peek() in {b'"', b"{", b"["} else len(self.scalar()))

    def enter(self) -> None:
        self.at += 1
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail("malformed_value")

    def leave(self) -> None:
        self.at += 1
        self.depth -= 1


_Reader: TypeAlias = Callable[[_Scanner], Any]


def read_leniently(content: bytes, document: Any, *, ignore_unknown: bool) -> Any:
    """The document in `content`. Raises ``UnreadableDocument``."""
    name = getattr(document, "__name__", "")
    if (encoding := json.detect_encoding(content)) not in {"utf-8", "utf-8-sig"}:
        try:
            content = content.decode(encoding).encode()
        except UnicodeError:
            raise UnreadableDocument("broken_json", name) from None
    start = len(_BYTE_ORDER_MARK) if content.startswith(_BYTE_ORDER_MARK) else 0
    scanner = _Scanner(content, start, name, ignore_unknown=ignore_unknown)
    if not scanner.peek():
        scanner.fail("empty")
    scanner.check()
    found = _reader(document)(scanner)
    if found is None:
        scanner.fail("empty")
    return found


@cache
def _reader(hint: Any) -> _Reader:
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _struct_reader(hint)
    if origin is Annotated:
        if arguments[0] is int:
            return _integer_reader(next(meta for meta in arguments[1:] if isinstance(meta, Meta)))
        if NULL_REMOVES in arguments[1:]:
            return _mapping_reader(str, null="")
        if ANY_LISTS in arguments[1:]:
            return _read_any_lists
        return _reader(arguments[0])
    if origin in {list, dict}:
        return _list_reader(arguments[0]) if origin is list else _mapping_reader(arguments[1], null=None)
    if origin is Literal:
        return _choice_reader(frozenset(arguments))
    if origin is not None:  # a union with absent and null
        return _reader(next(each for each in arguments if each not in {UnsetType, type(None)}))
    return {str: _read_text, bool: _read_boolean}.get(hint, _read_anything)


def _inside(scanner: _Scanner, reader: _Reader) -> Any:
    """A value inside another: Jackson reports broken syntax there as a malformed value."""
    try:
        return reader(scanner)
    except UnreadableDocument as unreadable:
        if unreadable.kind == "broken_json":
            unreadable.kind = "malformed_value"
        raise


def _scalar_or_text(scanner: _Scanner) -> str | bytes | None:
    """A text, or the bytes of a number or boolean, or None; fails on lists and objects."""
    first = scanner.peek()
    if first in {b"[", b"{"}:
        scanner.fail("wrong_type")
    if first == b'"':
        return scanner.text()
    scalar = scanner.scalar()
    scanner.at += len(scalar)
    return None if scalar == b"null" else scalar


def _read_text(scanner: _Scanner) -> str | None:
    value = _scalar_or_text(scanner)
    return value.decode("ascii") if isinstance(value, bytes) else value


def _read_boolean(scanner: _Scanner) -> bool | None:
    value = _scalar_or_text(scanner)
    if isinstance(value, str):
        value = value.strip()
        if value in {"", "null"}:
            return None
        if value not in _BOOLEANS:
            scanner.fail("wrong_type")
        return _BOOLEANS[value]
    if value in {b"true", b"false", None}:
        return None if value is None else value == b"true"
    if not value.lstrip(b"-").isdigit():
        scanner.fail("wrong_type")
    return int(value) != 0


def _integer_reader(bounds: Meta) -> _Reader:
    least, most = int(bounds.ge or 0), int(bounds.le or 0)

    def read_integer(scanner: _Scanner) -> int | None:
        value = _scalar_or_text(scanner)
        if value is None:
            return None
        if isinstance(value, str):
            value = value.strip()
            if value in {"", "null"}:
                return None
            if not _INTEGRAL_TEXT.fullmatch(value) or not least <= int(value) <= most:
                scanner.fail("wrong_type")
            return int(value)
        if value in {b"true", b"false"}:
            scanner.fail("wrong_type")
        number = int(value) if value.lstrip(b"-").isdigit() else float(value)
        if not least <= number <= most:
            scanner.fail("malformed_value")
        return int(number)

    return read_integer


def _choice_reader(choices: frozenset[str]) -> _Reader:
    def read_choice(scanner: _Scanner) -> str | None:
        value = _scalar_or_text(scanner)
        if value is None:
            return None
        if value not in choices:
            scanner.fail("wrong_type")
        return str(value)

    return read_choice


def _read_anything(scanner: _Scanner) -> Any:
    """A value of any type, read strictly."""
    start = scanner.at
    _skip(scanner)
    try:
        return msgspec.json.decode(scanner.content[start : scanner.at])
    except (msgspec.DecodeError, UnicodeDecodeError):
        scanner.fail("broken_json")


def _read_any_lists(scanner: _Scanner) -> dict[str, list[str]] | None:
    """Lists of texts by name; what cannot be one is an empty text (Keycloak ``StringListMapDeserializer``)."""
    found = _read_anything(scanner)
    if found is None:
        return None
    entries = found.items() if isinstance(found, dict) else ()
    return {
        name: [_as_text(each) for each in (value if isinstance(value, list) else [value]) if each is not None]
        for name, value in entries
    }


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if isinstance(value, list | dict) else msgspec.json.encode(value).decode()


def _skip(scanner: _Scanner) -> None:
    """Pass a value without recursion, only as far as its extent needs."""
    depth = 0
    while True:
        first = scanner.peek()
        if first == b'"':
            scanner.text()
        elif first in {b"[", b"{", b"]", b"}", b",", b":"} and (depth or first in {b"[", b"{"}):
            depth += (first in {b"[", b"{"}) - (first in {b"]", b"}"})
            scanner.at += 1
            if depth + scanner.depth > DEEPEST:
                scanner.fail("malformed_value")
        else:
            scanner.at += len(scanner.scalar())
        if depth == 0:
            return


def _opened(scanner: _Scanner, bracket: bytes) -> bool:
    """Whether the list or object that must be here was entered; it was not if it is ``null``."""
    first = scanner.peek()
    if first == bracket:
        scanner.enter()
        return True
    if first in {b'"', b"[", b"{"} or scanner.scalar() != b"null":
        scanner.fail("wrong_type")
    scanner.at += len(b"null")
    return False


def _list_reader(item: Any) -> _Reader:
    def read_list(scanner: _Scanner) -> list[Any] | None:
        if not _opened(scanner, b"["):
            return None
        reader = _reader(item)
        found: list[Any] = []
        while not (scanner.peek() == b"]" and not found):
            scanner.check()
            found.append(_inside(scanner, reader))
            if scanner.peek() == b"]":
                break
            scanner.take(b",")
        scanner.leave()
        return [each for each in found if each is not None]

    return read_list


def _mapping_reader(item: Any, *, null: str | None) -> _Reader:
    def read_mapping(scanner: _Scanner) -> dict[str, Any] | None:
        if not _opened(scanner, b"{"):
            return None
        reader = _reader(item)
        found: dict[str, Any] = {}

        def entry(name: str) -> None:
            value = _inside(scanner, reader)
            found[name] = null if value is None else value

        _entries(scanner, entry)
        return {name: value for name, value in found.items() if value is not None}

    return read_mapping


def _entries(scanner: _Scanner, entry: Callable[[str], None]) -> None:
    """The entries of the object that was just entered, each of whose values `entry` reads."""
    first = True
    while not (scanner.peek() == b"}" and first):
        if scanner.peek() != b'"':
            scanner.fail("broken_json")
        name = scanner.text()
        if len(name) > _LONGEST_NAME:
            scanner.fail("malformed_value")
        scanner.take(b":")
        scanner.check()
        entry(name)
        first = False
        if scanner.peek() == b"}":
            break
        scanner.take(b",")
    scanner.leave()


def _struct_reader(document: type[msgspec.Struct]) -> _Reader:
    hints = get_type_hints(document, include_extras=True)
    wire = dict(zip(document.__struct_encode_fields__, document.__struct_fields__, strict=True))

    def read_struct(scanner: _Scanner) -> msgspec.Struct | None:
        outer, scanner.document = scanner.document, document.__name__
        if not _opened(scanner, b"{"):
            scanner.document = outer
            return None
        found: dict[str, Any] = {}

        def entry(name: str) -> None:
            if name in wire:
                found[wire[name]] = _inside(scanner, _reader(hints[wire[name]]))
            elif scanner.ignore_unknown and scanner.depth == 1:
                _inside(scanner, _read_anything)
            else:
                scanner.at = scanner.value_end()
                scanner.fail("unrecognized_field", name)

        _entries(scanner, entry)
        scanner.document = outer
        return document(**found)

    return read_struct
