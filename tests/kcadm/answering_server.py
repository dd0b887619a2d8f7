"""A server that answers as it is told in the query, and remembers what it was asked.

``st`` is the status, ``ct`` the media type (``none`` for no such header), ``body`` the body, ``loc`` the Location.
Paths that were prepared answer that instead; token endpoints give out a token.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKENS = {"access_token": "AT", "expires_in": 60, "refresh_token": "RT", "refresh_expires_in": 1800}
TOLD = ("content-type", "accept", "authorization")


@dataclass
class AnsweringServer:
    """Where it is, what it was asked since last looked, and its prepared answers: path to status, type, document."""

    url: str
    requests: list[list[str]] = field(default_factory=list)
    prepared: dict[str, list[Any]] = field(default_factory=dict)

    def taken(self) -> list[list[str]]:
        """What it was asked since, and forgets it."""
        seen, self.requests = self.requests, []
        return seen

    def answer(self, path: str) -> tuple[int, str | None, bytes, str | None]:
        """Status, media type, body and Location for a request's path and query."""
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        if parts.path in self.prepared:
            status, kind, document = self.prepared[parts.path]
            content = document if isinstance(document, str) else json.dumps(document)
            return status, kind, content.encode(), "http://elsewhere/x" if status in (301, 302) else None
        if parts.path.endswith("/openid-connect/token"):
            return 200, "application/json", json.dumps(TOKENS).encode(), None
        kind = query.get("ct", "application/json")
        body = query.get("body", '{"a":1}').encode()
        return int(query.get("st", 200)), None if kind == "none" else kind, body, query.get("loc")


@contextmanager
def answering_server(port: int = 0) -> Iterator[AnsweringServer]:
    """A running server at 127.0.0.1."""
    server: AnsweringServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self._body()
            told = [f"{name}: {value}" for name in TOLD if (value := self.headers.get(name)) is not None]
            server.requests.append([f"{self.command} {self.path}", *told, body.decode("utf-8", "backslashreplace")])
            status, kind, content, location = server.answer(self.path)
            self.send_response_only(status)
            if kind is not None:
                self.send_header("Content-Type", kind)
            if location is not None:
                self.send_header("Location", location)
            if status in (204, 304):
                self.end_headers()
                return
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names are the standard library's

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as running:
        running.daemon_threads = True
        server = AnsweringServer(f"http://127.0.0.1:{running.server_port}")
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            running.shutdown()
            thread.join()
