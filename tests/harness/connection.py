"""A connection to the public port, in this process: bytes in, bytes out, all else as it is served."""

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from uvicorn.config import Config
from uvicorn.server import ServerState

from harness.realm import RealmUnderTest
from harness.realm_server import Recorded
from harness.tokens import Answer
from keyturn.http.app import create_app
from keyturn.http.at_once import from_memory
from keyturn.http.health import HealthService
from keyturn.http.oauth2 import TokenService
from keyturn.http.origin import Forwarding
from keyturn.http.realms import RealmService
from keyturn.http.repeated import RepeatedRequests
from keyturn.http.services import Services
from keyturn.http.token_protocol import TokenProtocol, Trace


class _Transport(asyncio.Transport):
    """Keeps what is written until it is taken."""

    def __init__(self, address: str, *, secure: bool) -> None:
        super().__init__({"peername": (address, 40000), "sockname": ("192.0.2.1", 8443)})
        self.secure = secure
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.secure or None if name == "sslcontext" else super().get_extra_info(name, default)

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self.written = self.written, b""
        return taken

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Port:
    """The public port of a server with one realm. Its loop runs only while an answer is waited for."""

    def __init__(self, realm: RealmUnderTest) -> None:
        self.realm = realm
        self.sink = Recorded()
        self.counted: list[tuple[str, int]] = []
        """Endpoint and status of the answers that met no application."""
        self.repeated = RepeatedRequests(os.urandom(32))
        self._loop = asyncio.new_event_loop()
        services = Services(
            store=realm.store,
            registry=realm.registry,
            facts=realm.facts,
            forwarding=Forwarding(),
            events=self.sink,
            clock=realm.clock,
            random=os.urandom,
        )
        self._tokens, self._realms = TokenService(services), RealmService(services)
        self._config = Config(create_app(services, HealthService(lambda: None), self._tokens), log_config=None)
        self._config.load()

    def connect(self, address: str = "192.0.2.7", *, secure: bool = True, trace: Trace | None = None) -> "Connection":
        """A new connection from `address`."""
        transport = _Transport(address, secure=secure)
        protocol = TokenProtocol(
            config=self._config,
            server_state=ServerState(),
            app_state={},
            _loop=self._loop,
            at_once=from_memory(self._tokens, self._realms),
            count=lambda endpoint, _method, status, _seconds: self.counted.append((endpoint, status)),
            repeated=self.repeated,
            trace=trace,
        )
        protocol.connection_made(transport)
        return Connection(self._loop, protocol, transport)

    def close(self) -> None:
        """Ends the loop."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


class Connection:
    """One connection; made by ``Port.connect``."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: TokenProtocol, transport: _Transport) -> None:
        self._loop = loop
        self._protocol = protocol
        self._transport = transport

    def receive(self, data: bytes) -> bytes:
        """What is answered to `data` at once, before anything is waited for."""
        self._protocol.data_received(data)
        return self._transport.take()

    def exchange(self, request: bytes) -> bytes:
        """The answer to a whole request, whatever must be waited for."""
        return self.receive(request) or self._loop.run_until_complete(self._awaited())

    async def _awaited(self) -> bytes:
        while not self._protocol.cycle.response_complete:
            await asyncio.sleep(0.001)
        return self._transport.take()

    def token(self, realm: str, form: Mapping[str, str], basic: tuple[str, str] | None = None) -> Answer:
        """What the token endpoint of `realm` answers."""
        status, body = parsed(self.exchange(token_request(realm, form, basic)))
        return Answer(status, body)

    def close(self) -> None:
        """Ends the connection."""
        self._protocol.connection_lost(None)


def token_request(realm: str, form: Mapping[str, str], basic: tuple[str, str] | None = None) -> bytes:
    """The bytes of a request for a token."""
    return protocol_request(realm, "token", form, basic)


def protocol_request(realm: str, endpoint: str, form: Mapping[str, str], basic: tuple[str, str] | None = None) -> bytes:
    """The bytes of a request to an endpoint of OpenID Connect."""
    body = urlencode(form).encode()
    head = [
        f"POST /realms/{quote(realm)}/protocol/openid-connect/{endpoint} HTTP/1.1",
        "host: keyturn.test:8443",
        "content-type: application/x-www-form-urlencoded",
        f"content-length: {len(body)}",
    ]
    if basic is not None:
        head.append("authorization: Basic " + b64encode(":".join(basic).encode()).decode())
    return "\r\n".join([*head, "", ""]).encode() + body


def parsed(answer: bytes) -> tuple[int, dict[str, Any]]:
    """Status and document of one answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)
