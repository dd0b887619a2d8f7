"""Pages of lists that are in memory, and patterns of searches."""

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["containing", "slice_of"]

T = TypeVar("T")


def slice_of(items: Sequence[T], first: int | None, maximum: int | None) -> list[T]:
    """`maximum` items from `first` on; a negative number counts as absent."""
    start = max(first or 0, 0)
    end = None if maximum is None or maximum < 0 else start + maximum
    return list(items[start:end])


def containing(part: str) -> str:
    """The SQL pattern of texts that contain `part`, for ``Reader.select(like=…)``.

    ``%`` and ``_`` in it stand for any text and any character, as in Keycloak.
    """
    escaped = part.replace("\\", "\\\\")
    return f"%{escaped}%"
