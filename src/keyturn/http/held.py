"""When a client that has not proved who it is gets its answer, in realms that say no more to anybody (``one_error``).

What it takes to find out differs: a name that nobody has used is looked up, the signature of a client that there is
gets verified. Whoever measures that knows which clients there are; so the answer leaves a fixed time after the request
came.
"""

import asyncio
from typing import Final

from keyturn.oauth2.errors import NotAuthenticated, OAuth2Error

HELD: Final = 0.025
"""Seconds: many times what anything takes but keys that are read from a URL."""


def moment() -> float:
    """When a request came, for ``hold``."""
    return asyncio.get_running_loop().time()


async def hold(error: OAuth2Error, came: float) -> None:
    """Returns when the answer that tells of `error` may leave."""
    if isinstance(error, NotAuthenticated):
        await asyncio.sleep(came + HELD - moment())
