"""Whether the server lives, has started and can serve, in the words of MicroProfile Health, as Keycloak answers."""

from collections.abc import Callable
from typing import Final

from anyio import to_thread

from keyturn.http.body import Receive, Scope, Send
from keyturn.http.headers import complete
from keyturn.representations import encode

_JSON: Final = (b"content-type", b"application/json; charset=UTF-8")
_STORE_CHECK: Final = "Keycloak database connections async health check"
"""Keycloak's name for it, which dashboards know."""
_SHUTDOWN_CHECK: Final = "Graceful Shutdown"
_PATHS: Final = frozenset({"/health", "/health/live", "/health/ready", "/health/started"})


class HealthService:
    """Answers ``/health`` and what is below it.

    Args:
        check: raises whatever it likes where the store cannot be read; called in a worker thread.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check: Final = check
        self._draining = False

    def drain(self) -> None:
        """From now on the server is not ready: it is about to stop."""
        self._draining = True

    async def handle(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """One request; 404 where the path is none of health's, 405 for anything but GET and HEAD."""
        path: str = scope["path"].rstrip("/")
        if path not in _PATHS:
            status, body = 404, b""
        elif scope["method"] not in {"GET", "HEAD"}:
            status, body = 405, b""
        else:
            status, body = await self._status(path)
        headers = complete([_JSON] if body else [], len(body))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _status(self, path: str) -> tuple[int, bytes]:
        checks: list[dict[str, str]] = []
        if path in {"/health", "/health/ready"}:
            checks.append({"name": _STORE_CHECK, "status": "UP" if await self._store_is_up() else "DOWN"})
            if self._draining:
                checks.append({"name": _SHUTDOWN_CHECK, "status": "DOWN"})
        up = all(check["status"] == "UP" for check in checks)
        return (200 if up else 503), encode({"status": "UP" if up else "DOWN", "checks": checks})

    async def _store_is_up(self) -> bool:
        try:
            await to_thread.run_sync(self._check)
        except Exception:  # whatever it is, the answer is that the store is down
            return False
        return True
