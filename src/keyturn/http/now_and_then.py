"""What each of several workers does now and then, whoever calls."""

import asyncio
import logging
from typing import Final

from anyio import to_thread

from keyturn.http.shared_metrics import SharedMetrics
from keyturn.store.spi import Store, StoreError

_LOGGER: Final = logging.getLogger("keyturn.store")

_LOOKING: Final = 0.5
"""Seconds between two looks into the change log."""
_SHOWING: Final = 2.0
"""Seconds between two times that a worker shows its metrics to the others."""


async def keep_up(store: Store, every: float = _LOOKING) -> None:
    """Reads what others have written though they have not told of it: one may be killed in between."""
    failing = False
    while True:
        await asyncio.sleep(every)
        try:
            await to_thread.run_sync(store.catch_up)
        except StoreError as error:
            if not failing:
                _LOGGER.error("what other processes write cannot be read now: %s", error)
            failing = True
        except Exception:  # nobody else does this: it must not end with one failure
            if not failing:
                _LOGGER.exception("what other processes write cannot be followed now")
            failing = True
        else:
            if failing:
                _LOGGER.warning("what other processes write is read again")
            failing = False


async def show(metrics: SharedMetrics, every: float = _SHOWING) -> None:
    """Shows the others what this worker has counted."""
    while True:
        metrics.show()
        await asyncio.sleep(every)
