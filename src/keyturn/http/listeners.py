"""Listening sockets and the servers on them: several ports, one process, one event loop."""

import asyncio
import contextlib
import errno
import resource
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import uvicorn

from keyturn.config import SettingsError
from keyturn.http.body import Receive, Scope, Send
from keyturn.http.protocol import SLOW_AFTER, BoundedProtocol, close_slow

App = Callable[[Scope, Receive, Send], Awaitable[None]]

_BACKLOG: Final = 2048
_UNAVAILABLE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_KEEP_ALIVE: Final = 65
"""Seconds that an idle connection stays open: longer than what clients and proxies commonly wait themselves."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One port: its sockets, bound but not yet listening."""

    flag: str
    port: int
    sockets: tuple[socket.socket, ...]


def bind(flag: str, host: str, port: int) -> Listener:
    """Binds every address of `host`, so that a port that is taken is known before anything starts.

    Raises:
        SettingsError: in use, not permitted, or no address of this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise SettingsError(f"--host: {host!r} is no address of this machine") from None
    sockets: list[socket.socket] = []
    unavailable: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            sockets.append(_bound(family, kind, protocol, address, both_families=host == "::"))
        except OSError as error:
            if error.errno in _UNAVAILABLE:  # localhost may name ::1 where there is no IPv6
                unavailable = error
                continue
            for opened in sockets:
                opened.close()
            raise _refused(flag, host, port, error) from None
    if unavailable is not None and not sockets:
        raise _refused(flag, host, port, unavailable)
    return Listener(flag, port, tuple(sockets))


def _bound(family: int, kind: int, protocol: int, address: Any, *, both_families: bool) -> socket.socket:
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not both_families))
        bound.setblocking(False)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def raise_descriptor_limit() -> int:
    """As many connections as the system lets this process have; how many files it may open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # macOS has a hard limit that is none
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class PortServer:
    """Serves one application on one listener.

    Args:
        grace: seconds that requests in flight get when it stops.
        slow_after: seconds within which a request has to arrive.
    """

    def __init__(
        self,
        listener: Listener,
        app: App,
        *,
        grace: int,
        context: ssl.SSLContext | None = None,
        protocol: Callable[..., BoundedProtocol] = BoundedProtocol,
        slow_after: float = SLOW_AFTER,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=cast("type[BoundedProtocol]", protocol),  # uvicorn only calls it
            ws="none",
            loop="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=grace,
        )
        config.load()
        config.ssl = context
        self._listener = listener
        self._slow_after = slow_after
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._slow: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to accept connections. Raises SettingsError where another process took the port a moment ago."""
        try:
            await self._server.startup(sockets=list(self._listener.sockets))
        except OSError as error:
            raise _refused(self._listener.flag, "this address", self._listener.port, error) from None
        self._slow = asyncio.create_task(close_slow(self._server.server_state.connections, after=self._slow_after))

    async def stop(self) -> None:
        """Stops accepting, waits for what is in flight within the grace period, then cancels it."""
        if self._slow is not None:
            self._slow.cancel()
        await self._server.shutdown(sockets=list(self._listener.sockets))

    def give(self, grace: int) -> None:
        """From now on, requests in flight get `grace` seconds when it stops."""
        self._server.config.timeout_graceful_shutdown = grace

    def hurry(self) -> None:
        """Ends the waiting of ``stop``."""
        self._server.force_exit = True


def close_all(listeners: Sequence[Listener]) -> None:
    """Gives the ports back."""
    for listener in listeners:
        for bound in listener.sockets:
            bound.close()


def _refused(flag: str, host: str, port: int, error: OSError) -> SettingsError:
    return SettingsError(f"{flag}: cannot listen on port {port} of {host}: {(error.strerror or str(error)).lower()}")
