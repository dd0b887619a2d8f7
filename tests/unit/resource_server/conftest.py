"""An issuer on a socket, with a clock that tests turn."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from keyturn.jose import jwt
from keyturn.jose.jwk import PrivateKey, generate
from keyturn.resource_server import ResourceServer

KEY = generate("ES256", now=time.time())


@dataclass
class Issuer:
    """Serves its discovery document and keys, counts who asks, and can be down or slow."""

    url: str
    keys: list[PrivateKey] = field(default_factory=lambda: [KEY])
    now: float = 1_000_000
    status: int = 200
    discovery: dict[str, Any] = field(default_factory=dict)
    jwks: bytes | None = None
    cache_control: str = "no-cache"
    asked: list[str] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        self.arrived.release()
        assert self.open.wait(30)
        if path.endswith("/.well-known/openid-configuration"):
            document: Any = {"issuer": self.url, "jwks_uri": f"{self.url}/certs"} | self.discovery
        else:
            document = {"keys": [key.public.jwk() for key in self.keys]}
            if self.jwks is not None:
                return self.status, self.jwks
        return self.status, json.dumps(document).encode()

    @property
    def readings(self) -> int:
        """How often the keys were asked for."""
        return sum(path.endswith("/certs") for path in self.asked)

    def token(self, key: PrivateKey = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """An access token like Keycloak's; None takes a claim away."""
        document = {
            "exp": self.now + 300,
            "iat": self.now,
            "iss": self.url,
            "aud": "service",
            "sub": "b1b3",
            "typ": "Bearer",
            "azp": "backend-service",
            "realm_access": {"roles": ["backend-access"]},
            "resource_access": {"account": {"roles": ["view-profile"]}},
            "scope": "profile email",
        } | claims
        content = json.dumps({name: value for name, value in document.items() if value is not None})
        return jwt.encode(
            {"alg": key.algorithm, "typ": "JWT", "kid": key.kid} | (header or {}), content.encode(), key
        ).decode()

    def resource_server(self, **options: Any) -> ResourceServer:
        """One that trusts this issuer and lives by its clock."""
        settings: dict[str, Any] = {
            "audience": "service",
            "leeway": 0,
            "clock": lambda: self.now,
            "monotonic_clock": lambda: self.now,
        }
        return ResourceServer(self.url, **(settings | options))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = state.answer(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("cache-control", state.cache_control)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Issuer(f"http://127.0.0.1:{server.server_port}/realms/r")
    state.open.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.open.set()
    server.shutdown()
    server.server_close()
    thread.join()
