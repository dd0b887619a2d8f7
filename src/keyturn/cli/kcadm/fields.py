"""The filter of ``--fields``: ``id,config(a,b)``, ``*(*)``, ``*,-id``."""

from dataclasses import dataclass
from typing import Any, Final, NoReturn

from keyturn.cli.kcadm.errors import KcadmError, UsageError

__all__ = ["Fields", "parse_fields"]

_ALL: Final = "*"


@dataclass(frozen=True, slots=True)
class Fields:
    """Which attributes of an object are shown: by name, in the order given, each with the filter of its own object."""

    entries: dict[str, "Fields"]

    def apply(self, value: Any) -> Any:
        """`value` with the attributes that are asked for; of an array, each item so; anything else as it is."""
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        if not isinstance(value, dict):
            return value
        shown = ((name, self._of(name), item) for name, item in value.items())
        return {name: fields.apply(item) for name, fields, item in shown if fields is not None}

    def _of(self, name: str) -> "Fields | None":
        if f"-{name}" in self.entries:
            return None
        own, every = self.entries.get(name), self.entries.get(_ALL)
        return every if own is None or (every is not None and not own.entries) else own


def parse_fields(text: str) -> Fields:
    """The filter that `text` describes.

    Raises:
        UsageError: it is blank.
        KcadmError: it cannot be read; the message says where.
    """
    if not text.strip():
        raise UsageError("Fields spec is null or empty!")
    fields, end = _parse_level(text, 0, nested=False)
    if end != len(text):
        _refuse(text, end)
    return fields


def _parse_level(text: str, start: int, *, nested: bool) -> tuple[Fields, int]:
    entries: dict[str, Fields] = {}
    at = start
    while True:
        end = _name_end(text, at)
        name = text[at:end]
        if not name:
            _refuse(text, end)
        entries[name] = Fields({})
        if text[end : end + 1] == "(":
            entries[name], end = _parse_level(text, end + 1, nested=True)
            end = _after_brackets(text, end + 1, entries)
        if end == len(text) and nested:
            _refuse(text, end)
        if text[end : end + 1] != ",":
            return Fields(entries), end
        at = end + 1


def _after_brackets(text: str, start: int, entries: dict[str, Fields]) -> int:
    # Only a comma or the end belongs behind a closing bracket. kcadm.sh takes other text there: at the very end as one
    # more name, elsewhere it forgets it.
    end = _name_end(text, start)
    if end > start and end == len(text):
        entries[text[start:end]] = Fields({})
    if text[end : end + 1] == "(":
        _refuse(text, end)
    return end


def _name_end(text: str, start: int) -> int:
    end = start
    while end < len(text) and text[end] not in ",()":
        end += 1
    return end


def _refuse(text: str, position: int) -> NoReturn:
    raise KcadmError(f"Invalid fields specification at position {position}: {text}")
