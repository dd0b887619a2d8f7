"""What is done anew where another transaction was in the way (SQLSTATE 40001)."""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from keyturn.store.spi import Conflict

_T = TypeVar("_T")

_ATTEMPTS: Final = 10
_PAUSE: Final = 0.005
_LONGEST_PAUSE: Final = 0.1
"""Seconds before the second attempt, and before a late one; up to so many, lest those in each other's way stay so."""


def retried(work: Callable[[], _T]) -> _T:
    """What `work` gives, which is called again where others were in its way: it may write one transaction at most.

    Raises Conflict where they are all the time, and whatever else `work` raises. Blocks: for worker threads.
    """
    pause = _PAUSE
    for _ in range(_ATTEMPTS - 1):
        try:
            return work()
        except Conflict:
            time.sleep(random.uniform(0, pause))  # noqa: S311 - nobody has to guess it
            pause = min(2 * pause, _LONGEST_PAUSE)
    return work()
