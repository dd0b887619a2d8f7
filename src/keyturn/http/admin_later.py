"""The admin API, loaded when it is first asked for: half of a server's code, and no token needs it."""

import gc
from threading import Lock
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
        self._loading = Lock()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises Disconnected."""
        service = self._service
        if service is None:
            service = await to_thread.run_sync(self._load)
        await service.handle(scope, receive, send)

    def _load(self) -> "AdminService":
        """The service, made by the first who comes; a thread's lock serves callers of every event loop."""
        with self._loading:
            if self._service is None:
                from keyturn.http.admin import AdminService

                gc.freeze()  # code stays, as what was there at the start does
                self._service = AdminService(self._services)
            return self._service
