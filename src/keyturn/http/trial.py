"""A server in this process, to see what a database makes of requests: no port, no events, the same code."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

from keyturn.events.event import Event
from keyturn.http.app import create_app
from keyturn.http.health import HealthService
from keyturn.http.oauth2 import TokenService
from keyturn.http.origin import Forwarding
from keyturn.http.services import Services
from keyturn.oauth2.bearer import TokenRejected, read_token
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import Registry
from keyturn.representations import decode, given
from keyturn.store.collections import CLIENTS, REALMS
from keyturn.store.spi import Store

_HOST: Final = "keyturn.invalid"
_BASE_URL: Final = f"https://{_HOST}"
_HEADERS: Final = [(b"host", _HOST.encode()), (b"content-type", b"application/x-www-form-urlencoded")]
_PAGE: Final = 500


class _Nobody:
    def record(self, event: Event) -> None:
        """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What the token endpoint answered: ``outcome`` is what does not differ from one time to the next."""

    outcome: tuple[int, object]
    token: str | None


class Trial:
    """Asks a store's realms for tokens, and whether they are good. To be entered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._registry = Registry(store)
        services = Services(
            store=store,
            registry=self._registry,
            facts=FactFinder(store, self._registry, time.time, os.urandom),
            forwarding=Forwarding(),
            events=_Nobody(),
            clock=time.time,
            random=os.urandom,
        )
        self._app = create_app(services, HealthService(lambda: None), TokenService(services))
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    def clients(self) -> Iterator[tuple[str, str, str]]:
        """Realm, client id and secret ("" where there is none) of every client."""
        with self._store.read() as reader:
            for realm in reader.select(REALMS, None):
                first = 0
                while page := reader.select(CLIENTS, given(realm.id, ""), first=first, limit=_PAGE):
                    for client in page:
                        yield given(realm.realm, ""), given(client.client_id, ""), given(client.secret, "") or ""
                    first += _PAGE

    def token(self, realm: str, client_id: str, secret: str) -> Tried:
        """Asks for a token by the client's secret."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        status, document = self._post(realm, "token", form)
        if status != 200:
            return Tried((status, document), None)
        return Tried((status, sorted(document)), str(document["access_token"]))

    def verifies(self, realm: str, token: str) -> bool:
        """Whether a token, which may be of another database, is one of this realm's by its keys here."""
        entry = self._registry.load_realm(realm)
        try:
            return entry is not None and bool(
                read_token(token, entry.realm, f"{_BASE_URL}/realms/{realm}", time.time())
            )
        except TokenRejected:
            return False

    def _post(self, realm: str, endpoint: str, form: dict[str, str]) -> tuple[int, Any]:
        path = f"/realms/{realm}/protocol/openid-connect/{endpoint}"
        return self._runner.run(self._ask(path, urlencode(form).encode()))

    async def _ask(self, path: str, body: bytes) -> tuple[int, Any]:
        answer: dict[str, Any] = {"body": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            answer["status"] = message.get("status", answer.get("status"))
            answer["body"] += message.get("body", b"")

        scope = {
            "type": "http",
            "method": "POST",
            "scheme": "https",
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": b"",
            "headers": [*_HEADERS, (b"content-length", b"%d" % len(body))],
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 443),
        }
        await self._app(scope, receive, send)
        return answer["status"], decode(answer["body"], dict[str, Any]) if answer["body"] else {}
