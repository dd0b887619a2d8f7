"""An authorization server on a socket that hands out numbered tokens, and a resource server that accepts some."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from keyturn.client import ClientSecretBasic, TokenSource


@dataclass
class Server:
    """Answers ``/realms/r`` as an authorization server, and ``/service`` to whoever holds an accepted token."""

    url: str
    now: float = 1000
    expires_in: Any = 300
    answer: tuple[int, Any] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    discoveries: int = 0
    forms: list[dict[str, list[str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    calls: list[tuple[str, bytes]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    open: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/r"

    def source(self, **options: Any) -> TokenSource:
        settings: dict[str, Any] = {"issuer": self.issuer, "clock": lambda: self.now, "jitter": lambda: 0.5}
        return TokenSource(ClientSecretBasic("backend-service", "s3cret-canary"), **(settings | options))

    def respond(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if path == "/service":
            token = headers.get("authorization", "").removeprefix("Bearer ")
            self.calls.append((token, body))
            return (401 if token in self.refused or "all" in self.refused else 200), {"got": len(body)}
        if path.endswith("/.well-known/openid-configuration"):
            self.discoveries += 1
            return 200, {"issuer": self.issuer, "token_endpoint": f"{self.issuer}/token"} | self.discovery
        self.forms.append(parse_qs(body.decode(), keep_blank_values=True))
        self.headers.append(headers)
        number = len(self.forms)
        self.arrived.release()
        assert self.open.wait(30)
        if self.answer is not None:
            return self.answer
        return 200, {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": self.expires_in}


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, document = state.respond(self.path, headers, self.rfile.read(size))
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{http.server_port}")
    state.open.set()
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.open.set()
    http.shutdown()
    http.server_close()
    thread.join()
