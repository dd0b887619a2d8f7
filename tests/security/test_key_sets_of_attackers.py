"""A client's ``jwks.url`` is its owner's to choose, and makes this server a client of others (RFC 7523 §3, RFC 9700).

Private addresses are allowed here where the attacker's own server is on one: all else is as it is served.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest

from harness.assertions import assertion, form, jwks, key
from harness.deployment import BASE_URL, Deployment
from keyturn.http import outbound
from keyturn.http.outbound import Outbound

ISSUER = f"{BASE_URL}/realms/demo"
FAILED = "Client authentication with signed JWT failed: Error when loading public keys"
KEYS = jwks(key()).encode()


class Attacker(ThreadingHTTPServer):
    """Answers each path in a way of its own, and keeps what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up on an attacker is right."""


class _Answers(BaseHTTPRequestHandler):
    server: Attacker

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.headers.append(dict(self.headers))
        match self.path:
            case "/keys":
                self._answer(KEYS)
            case "/redirect":
                self.send_response(302)
                self.send_header("Location", f"{self.server.url}/keys")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "/large":
                self._answer(KEYS[:-1] + b" " * (outbound.MAXIMUM_SIZE + 1) + b"}")
            case "/deep":
                self._answer(b"[" * 100_000)
            case "/many":
                self._answer(b'{"keys":[' + b"{}," * 40_000 + b"{}]}")
            case "/compressed":
                self.send_response(200)
                self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"\x1f\x8b\x08\x00")
            case "/slow":
                self.send_response(200)
                self.end_headers()
                while not self.server.stopping.wait(0.02):
                    self.wfile.write(b" ")

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""


@pytest.fixture(scope="module")
def attacker() -> Iterator[Attacker]:
    made = Attacker()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.stopping.set()
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Deployment, Deployment]]:
    """One that may connect to this machine, and one as it comes, on the same database."""
    directory = tmp_path_factory.mktemp("fetching")
    careful = Deployment.new(directory)
    open_to_it = Deployment.on(directory, outbound=Outbound([ip_network("127.0.0.0/8")]))
    yield open_to_it, careful
    open_to_it.close()
    careful.close()


def answer(server: Deployment, name: str, url: str) -> tuple[int, str]:
    """What a client gets whose keys are at `url`."""
    if server.admin("GET", f"/demo/clients?clientId={name}").json() == []:
        attributes = {"use.jwks.url": "true", "jwks.url": url}
        server.client(name, "secret", clientAuthenticatorType="client-jwt", attributes=attributes)
    response = server.protocol("token", form(assertion(name, ISSUER, server.clock())))
    return response.status_code, response.json().get("error_description", "")


def test_its_keys_are_read_where_that_is_allowed(servers: tuple[Deployment, Deployment], attacker: Attacker) -> None:
    """Else the tests below would hold for nothing."""
    assert answer(servers[0], "good", f"{attacker.url}/keys") == (200, "")
    shown = {name.lower() for name in attacker.headers[-1]}
    assert not shown & {"authorization", "cookie"}


def test_a_private_address_is_not_even_connected_to(servers: tuple[Deployment, Deployment], attacker: Attacker) -> None:
    before = len(attacker.asked)
    assert answer(servers[1], "private", f"{attacker.url}/keys") == (400, FAILED)
    assert len(attacker.asked) == before


@pytest.mark.parametrize("path", ["redirect", "large", "deep", "many", "compressed"])
def test_an_answer_that_leads_on_or_swells_counts_for_nothing(
    servers: tuple[Deployment, Deployment], attacker: Attacker, path: str
) -> None:
    expected = "Unable to load public key" if path == "many" else FAILED
    assert answer(servers[0], path, f"{attacker.url}/{path}") == (400, expected)
    assert attacker.asked[-1] == f"/{path}"  # a redirect is not followed


def test_an_answer_that_never_ends_is_not_waited_for(
    servers: tuple[Deployment, Deployment], attacker: Attacker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "DEADLINE", 0.1)
    begun = time.monotonic()
    assert answer(servers[0], "slow", f"{attacker.url}/slow") == (400, FAILED)
    assert time.monotonic() - begun < 3


def test_a_name_that_points_elsewhere_a_moment_later_leads_nowhere(
    servers: tuple[Deployment, Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the address that was checked is the one that is connected to."""
    looked_up, connected = [], []

    async def look_up(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        looked_up.append(host)
        address = "93.184.215.14" if len(looked_up) == 1 else "127.0.0.1"
        return [(2, 1, 6, "", (address, port))]

    async def connect(host: str, port: int, **_: Any) -> None:
        connected.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
    monkeypatch.setattr(asyncio, "open_connection", connect)
    assert answer(servers[1], "rebinding", "http://rebinding.example/keys") == (400, FAILED)
    assert (looked_up, connected) == (["rebinding.example"], ["93.184.215.14"])


def test_whoever_asks_often_makes_this_server_ask_once(
    servers: tuple[Deployment, Deployment], attacker: Attacker
) -> None:
    before = attacker.asked.count("/redirect")
    for _ in range(5):
        assert answer(servers[0], "redirect", f"{attacker.url}/redirect")[0] == 400
    assert attacker.asked.count("/redirect") <= max(before, 1)
