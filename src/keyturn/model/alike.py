"""What many clients of a realm have alike is kept once."""

from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

_MAXIMUM: Final = 1_000
"""Different values that are kept, of all kinds. What is rarer than that saves nothing."""

Made = TypeVar("Made")


class Alike:
    """Values that never change, each kept once."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Hashable], Any] = {}

    def one(self, kind: str, what: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, which follows from `kind` and `what`: the one that was made before, if there is one."""
        key = kind, what
        if key in self._kept:
            kept: Made = self._kept[key]
            return kept
        made = make()
        if len(self._kept) < _MAXIMUM:
            self._kept[key] = made
        return made
