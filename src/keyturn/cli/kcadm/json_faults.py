"""What is wrong with a text that is not JSON, and where, in the words of Jackson, Keycloak's JSON library."""

from typing import Final, NoReturn

__all__ = ["explain"]

_SOURCE: Final = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: "
_A_VALUE: Final = "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_TOKENS: Final = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_COMMENT: Final = (
    "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)"
)
_PLUS: Final = (
    "JSON spec does not allow numbers to have plus signs: enable "
    "`JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow"
)
_KINDS: Final = {"{": "START_OBJECT", "[": "START_ARRAY", '"': "VALUE_STRING"}
_WORDS: Final = {"true": "VALUE_TRUE", "false": "VALUE_FALSE", "null": "VALUE_NULL"}
_NOT_NUMBERS: Final = frozenset({"NaN", "INF", "Infinity"})
_DEEPEST: Final = 400
_ONE_OCTET: Final = 0xFF


class _Fault(Exception):
    """The first fault of the text: `args` are the message and the index where it shows."""


def explain(text: str, *, whole: bool) -> str:
    """The first fault of `text`; with `whole`, a second value after the first one is a fault."""
    if not text.strip(" \t\r\n"):
        return f"No content to map due to end-of-input\n at {_SOURCE}1]"
    walk = _Walk(text)
    try:
        walk.value(0)
        if whole:
            walk.end()
    except _Fault as fault:
        message, index = fault.args
        return f"{message}\n at {walk.location(index)}"
    return f"Not a valid JSON document\n at {walk.location(0)}"


class _Walk:
    """A walk through a text, value by value, that ends at its first fault."""

    __slots__ = ("_at", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def location(self, index: int) -> str:
        line_start = self._text.rfind("\n", 0, index) + 1
        return f"{_SOURCE}{self._text.count(chr(10), 0, index) + 1}, column: {index - line_start + 1}]"

    def end(self) -> None:
        """Nothing but space may follow."""
        character = self._next()
        if not character:
            return
        start = self._at
        self.value(0)
        token = self._text[start]
        kind = _KINDS.get(token) or next((kind for word, kind in _WORDS.items() if word[0] == token), None)
        number = "VALUE_NUMBER_FLOAT" if set(self._text[start : self._at]) & set(".eE") else "VALUE_NUMBER_INT"
        raise _Fault(
            f"Trailing token (of type {kind or number}) found after value (bound as "
            "`com.fasterxml.jackson.databind.JsonNode`): not allowed as per "
            "`DeserializationFeature.FAIL_ON_TRAILING_TOKENS`",
            start,
        )

    def value(self, depth: int, end: str = "Object") -> None:
        character = self._next()
        if not character:
            raise _Fault(f"Unexpected end-of-input within/between {end} entries", len(self._text))
        if depth > _DEEPEST:
            raise _Fault(f"Document nesting depth ({depth}) exceeds the maximum allowed", self._at)
        if character == "{":
            self._members(depth)
        elif character == "[":
            self._items(depth)
        elif character == '"':
            self._string("was expecting closing quote for a string value", ": ")
        elif character == "-" or character.isdigit():
            self._number()
        elif character == "+":
            raise _Fault(f"Unexpected character ('+' (code 43)) in numeric value: {_PLUS}", self._at + 1)
        elif character.isalpha() or character in "_$":
            self._word()
        elif character in "]}" and not depth:
            kind = "Object" if character == "}" else "Array"
            raise _Fault(f"Unexpected close marker '{character}': no open {kind} to close", self._at)
        else:
            self._unexpected(_COMMENT if character == "/" else _A_VALUE)

    def _members(self, depth: int) -> None:
        start = self._at
        self._at += 1
        first = True
        while True:
            character = self._next()
            if not character:
                self._cut_off("Object", start, after_comma=not first)
            if character == "}" and first:
                break
            if character != '"':
                self._unexpected("was expecting double-quote to start field name")
            self._string("in field name", " ")
            if not (character := self._next()):
                raise _Fault("Unexpected end-of-input within/between Object entries", len(self._text))
            if character != ":":
                self._unexpected("was expecting a colon to separate field name and value")
            self._at += 1
            self.value(depth + 1)
            if self._closes("}", "Object", start):
                break
            first = False
        self._at += 1

    def _items(self, depth: int) -> None:
        start = self._at
        self._at += 1
        first = True
        while True:
            character = self._next()
            if not character:
                self._cut_off("Array", start, after_comma=not first)
            if character == "]" and first:
                break
            if character in "]}":
                self._unexpected(_A_VALUE)
            self.value(depth + 1, "Array")
            if self._closes("]", "Array", start):
                break
            first = False
        self._at += 1

    def _closes(self, close: str, kind: str, start: int) -> bool:
        character = self._next()
        if not character:
            self._cut_off(kind, start, after_comma=False)
        if character == close:
            return True
        if character in "]}":
            raise _Fault(
                f"Unexpected close marker '{character}': expected '{close}' (for {kind} starting at "
                f"{self.location(start)})",
                self._at,
            )
        if character != ",":
            self._unexpected(f"was expecting comma to separate {kind} entries")
        self._at += 1
        return False

    def _cut_off(self, kind: str, start: int, *, after_comma: bool) -> NoReturn:
        if after_comma:
            raise _Fault(f"Unexpected end-of-input within/between {kind} entries", len(self._text))
        raise _Fault(
            f"Unexpected end-of-input: expected close marker for {kind} (start marker at {self.location(start)})",
            len(self._text),
        )

    def _string(self, unclosed: str, separator: str) -> None:
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == '"':
                return
            if character < " ":
                raise _Fault(
                    f"Illegal unquoted character ((CTRL-CHAR, code {ord(character)})): has to be escaped using "
                    "backslash to be included in string value",
                    self._at - 1,
                )
            if character == "\\":
                self._escape()
        raise _Fault(f"Unexpected end-of-input{separator}{unclosed}", len(self._text))

    def _escape(self) -> None:
        character = self._text[self._at : self._at + 1]
        if character == "u":
            for _ in range(4):
                self._at += 1
                digit = self._text[self._at : self._at + 1]
                if digit and digit not in "0123456789abcdefABCDEF":
                    self._unexpected("expected a hex-digit for character escape sequence")
        elif character and character not in '"\\/bfnrt':
            raise _Fault(f"Unrecognized character escape {_named(character)}", self._at)
        self._at += 1

    def _number(self) -> None:
        text = self._text
        if text[self._at] == "-":
            self._at += 1
            if not text[self._at : self._at + 1].isdigit():
                self._bad_number("expected digit (0-9) to follow minus sign, for valid numeric value", self._at)
        if text[self._at] == "0" and text[self._at + 1 : self._at + 2].isdigit():
            raise _Fault("Invalid numeric value: Leading zeroes not allowed", self._at + 1)
        self._digits()
        if text[self._at : self._at + 1] == ".":
            self._at += 1
            if not text[self._at : self._at + 1].isdigit():
                self._bad_number("Decimal point not followed by a digit", self._at - 1)
            self._digits()
        if text[self._at : self._at + 1] in ("e", "E"):
            self._at += 1
            if text[self._at : self._at + 1] in ("+", "-"):
                self._at += 1
            if not text[self._at : self._at + 1].isdigit():
                self._bad_number("Exponent indicator not followed by a digit", self._at - 1)
            self._digits()

    def _digits(self) -> None:
        while self._text[self._at : self._at + 1].isdigit():
            self._at += 1

    def _bad_number(self, reason: str, index: int) -> NoReturn:
        character = self._text[self._at : self._at + 1]
        if not character:
            raise _Fault("Unexpected end-of-input in a Number value", len(self._text))
        raise _Fault(f"Unexpected character ({_named(character)}) in numeric value: {reason}", index)

    def _word(self) -> None:
        start = self._at
        while self._at < len(self._text) and (self._text[self._at].isalnum() or self._text[self._at] in "_$"):
            self._at += 1
        word = self._text[start : self._at]
        if word in _NOT_NUMBERS:
            feature = "enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
            raise _Fault(f"Non-standard token '{word}': {feature}", self._at)
        if word not in _WORDS:
            raise _Fault(f"Unrecognized token '{word}': {_TOKENS}", start)

    def _next(self) -> str:
        while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _unexpected(self, reason: str) -> NoReturn:
        raise _Fault(f"Unexpected character ({_named(self._text[self._at])}): {reason}", self._at)


def _named(character: str) -> str:
    code = ord(character)
    return f"'{character}' (code {code})" if code <= _ONE_OCTET else f"'{character}' (code {code} / 0x{code:x})"
