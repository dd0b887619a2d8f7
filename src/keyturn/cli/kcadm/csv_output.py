"""Comma-separated values, as ``--format csv`` prints them: one line an item, what is nested in one row."""

from collections.abc import Iterator
from typing import Any

from keyturn.cli.kcadm.fields import Fields
from keyturn.cli.kcadm.json_document import compact

__all__ = ["csv_lines"]


def csv_lines(value: Any, fields: Fields | None, *, quoted: bool) -> list[str]:
    """The rows of `value`: one for each item of an array, else one. With `fields`, the columns are in their order, and
    an attribute that is absent leaves its column empty."""
    items = value if isinstance(value, list) else [value]
    return [",".join(_cells(item, fields, quoted=quoted)) for item in items]


def _cells(value: Any, fields: Fields | None, *, quoted: bool) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _cells(item, fields, quoted=quoted)
    elif isinstance(value, dict):
        names = value if fields is None else fields.entries
        for name in names:
            if name in value:
                yield from _cells(value[name], None if fields is None else fields.entries[name], quoted=quoted)
            else:
                yield ""
    elif isinstance(value, str) and not quoted:
        yield value
    else:
        yield compact(value)
