"""What a server does now and then, whoever calls."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from anyio import to_thread

from keyturn.store.recording import tidy
from keyturn.store.spi import Store, StoreError

_LOGGER: Final = logging.getLogger("keyturn.housekeeping")

_FIRST: Final = 60.0
"""Seconds after the start, when everybody has come back."""
_EVERY: Final = 900.0
"""Seconds (Keycloak ``scheduled-interval``)."""


async def keep_tidy(store: Store, clock: Callable[[], float]) -> None:
    """Forgets what has expired, again and again, until it is cancelled."""
    wait = _FIRST
    while True:
        await asyncio.sleep(wait)
        try:
            await to_thread.run_sync(tidy, store, clock())
        except StoreError as error:
            _LOGGER.warning("what has expired cannot be removed now: %s", error)
        wait = _EVERY
