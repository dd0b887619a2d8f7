"""What a server does now and then, whoever calls."""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any, Final

from anyio import to_thread

from keyturn.registry.key_rotation import rotate_keys
from keyturn.store.recording import tidy
from keyturn.store.spi import Store, StoreError

_LOGGER: Final = logging.getLogger("keyturn.housekeeping")

_FIRST: Final = 60.0
"""Seconds after the start, when everybody has come back."""


async def keep_tidy(
    store: Store, clock: Callable[[], float], every: float, random: Callable[[int], bytes] = os.urandom
) -> None:
    """Forgets what has expired and rotates keys, `every` so many seconds, until it is cancelled; 0 is never.

    Source: Keycloak's ``scheduled-interval``.
    """
    wait = min(_FIRST, every)
    while every:
        await asyncio.sleep(wait)
        await _done("what has expired is not removed", tidy, store, clock())
        await _done("keys are not rotated", rotate_keys, store, clock(), random)
        wait = every


async def _done(failure: str, what: Callable[..., None], *arguments: Any) -> None:
    try:
        await to_thread.run_sync(what, *arguments)
    except StoreError as error:
        _LOGGER.warning("%s now: %s", failure, error)
    except Exception:  # nobody else does this: it must not end with one failure
        _LOGGER.exception("%s", failure)
