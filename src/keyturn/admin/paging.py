"""Pages of lists that are in memory or must be looked through, and patterns of searches."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

__all__ = ["containing", "page_of_those", "slice_of"]

T = TypeVar("T")

_LEAST_READ: Final = 100
_MOST_READ: Final = 5_000
"""Items that are read at a time while a page is looked for."""


def slice_of(items: Sequence[T], first: int | None, maximum: int | None) -> list[T]:
    """`maximum` items from `first` on; a negative number counts as absent."""
    start = max(first or 0, 0)
    end = None if maximum is None or maximum < 0 else start + maximum
    return list(items[start:end])


def page_of_those(
    pass_test: Callable[[T], bool],
    read: Callable[[int, int], Sequence[T]],
    first: int | None,
    maximum: int | None,
) -> list[T]:
    """The page, as of ``slice_of``, of those that `pass_test`. `read` gives so many items from a place on; it is asked
    for no more than it takes to fill the page.
    """
    skipped, place, at_a_time = max(first or 0, 0), 0, _LEAST_READ
    page: list[T] = []
    while maximum is None or maximum < 0 or len(page) < maximum:
        items = read(place, at_a_time)
        found = [item for item in items if pass_test(item)]
        page += found[skipped:]
        skipped = max(skipped - len(found), 0)
        if len(items) < at_a_time:
            break
        place, at_a_time = place + at_a_time, min(2 * at_a_time, _MOST_READ)
    return slice_of(page, 0, maximum)


def containing(part: str) -> str:
    """The SQL pattern of texts that contain `part`, for ``Reader.select(like=…)``.

    ``%`` and ``_`` in it stand for any text and any character, as in Keycloak.
    """
    escaped = part.replace("\\", "\\\\")
    return f"%{escaped}%"
