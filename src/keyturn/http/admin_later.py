"""The admin API, loaded when it is first asked for: half of a server's code, and no token needs it."""

import asyncio
import gc
from typing import TYPE_CHECKING

from anyio import to_thread

from keyturn.http.body import Receive, Scope, Send
from keyturn.http.services import Services

if TYPE_CHECKING:
    from keyturn.http.admin import AdminService


class AdminLater:
    """Stands for ``AdminService`` until there is one."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._service: AdminService | None = None
        self._loading = asyncio.Lock()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises Disconnected."""
        if self._service is None:
            async with self._loading:
                if self._service is None:
                    self._service = await to_thread.run_sync(_load, self._services)
        await self._service.handle(scope, receive, send)


def _load(services: Services) -> "AdminService":
    from keyturn.http.admin import AdminService

    gc.freeze()  # code stays, as what was there at the start does
    return AdminService(services)
