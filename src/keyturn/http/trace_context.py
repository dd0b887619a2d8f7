"""Who traces a request: the ``traceparent`` of W3C Trace Context, and nothing else of it."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_HEADER: Final = b"traceparent"
_VERSION: Final = rb"(?:00(?=.{53}\Z)|(?!00|ff)[0-9a-f]{2})"
"""Version 00 ends with its flags, later ones may go on; there is no version ff."""
_PARENT: Final = re.compile(_VERSION + rb"-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


class Parent(NamedTuple):
    """The span of whoever sent a request: ids in hexadecimal digits."""

    trace: str
    span: str
    sampled: bool


def parent_of(headers: Iterable[tuple[bytes, bytes]]) -> Parent | None:
    """What ``traceparent`` says; None where there is none, or none that can be read (W3C Trace Context §3.2)."""
    values = [value for name, value in headers if name == _HEADER]
    found = _PARENT.fullmatch(values[0]) if len(values) == 1 else None
    if found is None or found[1] == b"0" * 32 or found[2] == b"0" * 16:
        return None
    return Parent(found[1].decode(), found[2].decode(), bool(int(found[3], 16) & 1))
