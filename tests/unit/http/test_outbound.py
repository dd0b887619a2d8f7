"""What the server fetches by itself: from where, how much, and for how long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import pytest

from keyturn.http import outbound
from keyturn.http.outbound import Outbound, Unreachable

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))
Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server on a port of its own, and the heads of the requests that it got."""
    heads: list[bytes] = []
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(answer, bytes):
                writer.write(answer)
                writer.write_eof()
                await reader.read()
            else:
                await answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
            served.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads
        if heads:
            await served.wait()


def get(answer: Answer, client: Outbound | None = None, host: str = "127.0.0.1", path: str = "/jwks") -> bytes:
    async def fetch() -> bytes:
        async with answering(answer) as (port, _):
            return await (client or Outbound(LOOPBACK)).get(f"http://{host}:{port}{path}")

    return asyncio.run(fetch())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
    ],
)
def test_reads_an_answer_however_it_ends(answer: bytes) -> None:
    assert get(answer) == b"hello"


def test_asks_for_what_the_url_says() -> None:
    async def fetch() -> bytes:
        async with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") as (port, heads):
            await Outbound(LOOPBACK).get(f"http://localhost:{port}/a/b?c=d#fragment")
            return heads[0].replace(str(port).encode(), b"PORT")

    assert asyncio.run(fetch()).startswith(b"GET /a/b?c=d HTTP/1.1\r\nHost: localhost:PORT\r\n")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n", "redirects"),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", "too early"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n", "too early"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello", "compressed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP"),
        (b"", "too early"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (outbound.MAXIMUM_SIZE + 1), "too large"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * (outbound.MAXIMUM_SIZE + 1), "large"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_refuses_what_is_no_plain_answer(answer: bytes, reason: str) -> None:
    with pytest.raises(Unreachable, match=reason):
        get(answer)


def test_waits_no_longer_than_its_deadline_whatever_trickles_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "DEADLINE", 0.2)

    async def trickle(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    with pytest.raises(Unreachable, match=r"in time|not HTTP"):
        get(trickle)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b:1::a00:1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_a_private_address_is_not_connected_to(address: str) -> None:
    assert not Outbound().permits(address, 443)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_a_public_address_is(address: str) -> None:
    assert Outbound().permits(address, 443)


def test_a_private_address_is_connected_to_where_a_setting_allows_it() -> None:
    client = Outbound([ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")])
    assert client.permits("10.1.2.3", 443)
    assert client.permits("::ffff:10.1.2.3", 443)
    assert client.permits("fd00:1::5", 443)
    assert not client.permits("10.2.0.1", 443)


def test_the_servers_own_ports_are_connected_to_and_no_others_of_the_machine() -> None:
    client = Outbound(own_ports=[8080])
    assert client.permits("127.0.0.1", 8080)
    assert client.permits("::1", 8080)
    assert not client.permits("127.0.0.1", 9000)
    assert not client.permits("10.0.0.1", 8080)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1"])
def test_however_loopback_is_spelled_it_is_refused(host: str) -> None:
    with pytest.raises(Unreachable, match=r"private|connection"):
        get(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Outbound(), host)


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the second answer would be another address."""
    looked_up: list[Any] = []
    connected: list[Any] = []

    async def fetch() -> None:
        loop = asyncio.get_running_loop()

        async def answer(host: str, port: int, **_: Any) -> list[Any]:
            looked_up.append(host)
            public = "93.184.215.14" if len(looked_up) == 1 else "127.0.0.1"
            return [(2, 1, 6, "", (public, port))]

        async def connect(host: str, port: int, **_: Any) -> None:
            connected.append(host)
            raise ConnectionRefusedError

        monkeypatch.setattr(loop, "getaddrinfo", answer)
        monkeypatch.setattr(asyncio, "open_connection", connect)
        await Outbound().get("http://rebinding.example/jwks")

    with pytest.raises(Unreachable):
        asyncio.run(fetch())
    assert looked_up == ["rebinding.example"]
    assert connected == ["93.184.215.14"]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "https:///jwks",
        "https://user:password@example.com/",
        "https://example.com:99999/",
        "http://example.com/\r\nX-Injected: 1",
        "http://example.com/ x",
        "http://exämple.com/",
        "http://[::1/",
        "http://example.com/" + "a" * 3000,
    ],
    ids=lambda url: url[:30],
)
def test_a_url_that_is_none_of_ours_is_not_fetched(url: str) -> None:
    with pytest.raises(Unreachable, match="URL"):
        asyncio.run(Outbound(LOOPBACK).get(url))
