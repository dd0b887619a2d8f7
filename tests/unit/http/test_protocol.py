"""Slow callers: hung up on, while those that are being answered are not."""

import asyncio
from typing import Any

from keyturn.http.listeners import PortServer, bind

HEAD = b"GET /slow HTTP/1.1\r\nHost: a\r\n"


async def app(scope: Any, _receive: Any, send: Any) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _told(sent: bytes) -> bytes:
    """What comes back for `sent` from a server that waits a tenth of a second for a request."""
    listener = bind("--http-port", "127.0.0.1", 0)
    server = PortServer(listener, app, grace=1, slow_after=0.1)
    await server.start()
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()
        await server.stop()


def test_a_caller_that_says_nothing_is_hung_up_on() -> None:
    assert asyncio.run(_told(b"")) == b""


def test_a_caller_that_does_not_finish_its_head_is_hung_up_on() -> None:
    assert asyncio.run(_told(HEAD)) == b""


def test_a_caller_that_does_not_finish_its_body_is_hung_up_on() -> None:
    assert asyncio.run(_told(HEAD.replace(b"GET", b"POST") + b"Content-Length: 9\r\n\r\n123")) == b""


def test_a_caller_whose_answer_takes_long_gets_it() -> None:
    assert asyncio.run(_told(HEAD + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
