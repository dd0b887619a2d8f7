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


async def keep_tidy(store: Store, clock: Callable[[], float], every: float) -> None:
    """Forgets what has expired, `every` so many seconds, until it is cancelled; 0 is never.

    Source: Keycloak's ``scheduled-interval``.
    """
    wait = min(_FIRST, every)
    while every:
        await asyncio.sleep(wait)
        try:
            await to_thread.run_sync(tidy, store, clock())
        except StoreError as error:
            _LOGGER.warning("what has expired cannot be removed now: %s", error)
        except Exception:  # nobody else does this: it must not end with one failure
            _LOGGER.exception("what has expired could not be removed")
        wait = every
