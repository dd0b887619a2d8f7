"""Tokens that are signed together: each answer goes to who asked, in order, and nobody waits for company."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.multi_buffer import Arithmetic
from keyturn.http.gathered_signing import GatheredSigning, open_signer
from keyturn.http.listeners import PortServer, bind
from keyturn.http.repeated import RepeatedRequests
from keyturn.http.token_protocol import TokenProtocol
from keyturn.jose import jwk
from keyturn.jose.batch import LARGEST, WORTHWHILE, BatchSigner
from keyturn.oauth2.access_token import Prepared, Unsigned
from keyturn.oauth2.http_message import Response

KEY = jwk.generate("RS256", now=time.time())
PREPARED = Prepared(header=b"aGVhZA.", claims=b"Y2xhaW1z", key=KEY, answer_end=b'"}', lifespan=60, gathered=True)


class Gathered:
    """A signer, how many it signed at a time, and the gathering before it."""

    def __init__(self) -> None:
        library = Arithmetic()
        self.signer = BatchSigner(library, lambda: None)
        self.signer.takes(KEY)
        library.sizes.clear()
        self.sizes = library.sizes
        self.signing = GatheredSigning(self.signer)
        self.answers: list[tuple[str, Response]] = []

    def ask(self, name: str) -> Any:
        """Asks for a token."""
        return self.signing.add(PREPARED.begin(1, name), lambda answer: self.answers.append((name, answer)))

    @property
    def answered(self) -> list[str]:
        """Who has got an answer so far; each is the right one."""
        for name, answer in self.answers:
            assert answer.body == PREPARED.issue(1, name).body
        return [name for name, _ in self.answers]


def in_a_loop(test: Callable[[Gathered], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test(Gathered()))


async def turn() -> None:
    await asyncio.sleep(0)


def test_who_is_alone_is_answered_at_once_by_openssl() -> None:
    async def test(gathered: Gathered) -> None:
        gathered.ask("a")
        await turn()
        assert gathered.answered == ["a"]
        assert gathered.sizes == []

    in_a_loop(test)


@pytest.mark.parametrize("count", [WORTHWHILE, LARGEST])
def test_those_of_one_turn_are_signed_together(count: int) -> None:
    async def test(gathered: Gathered) -> None:
        names = [f"n{number}" for number in range(count)]
        for name in names:
            gathered.ask(name)
        await turn()
        assert gathered.answered == names
        assert gathered.sizes == [count]

    in_a_loop(test)


def test_the_loop_has_a_turn_between_one_batch_and_the_next() -> None:
    async def test(gathered: Gathered) -> None:
        for number in range(2 * LARGEST):
            gathered.ask(f"n{number}")
        await turn()
        assert len(gathered.answered) == LARGEST
        await turn()
        assert gathered.answered == [f"n{number}" for number in range(2 * LARGEST)]
        assert gathered.sizes == [LARGEST, LARGEST]

    in_a_loop(test)


def test_what_is_left_of_a_batch_is_joined_by_what_came_meanwhile() -> None:
    async def test(gathered: Gathered) -> None:
        for number in range(LARGEST + 1):
            gathered.ask(f"first{number}")
        await turn()
        for number in range(WORTHWHILE - 1):
            gathered.ask(f"second{number}")
        await turn()
        assert gathered.sizes == [LARGEST, WORTHWHILE]
        assert gathered.answered[LARGEST] == f"first{LARGEST}"

    in_a_loop(test)


def test_a_few_are_answered_one_a_turn_and_the_oldest_first() -> None:
    async def test(gathered: Gathered) -> None:
        for name in "abc":
            gathered.ask(name)
        for number in range(1, 4):
            await turn()
            assert gathered.answered == list("abc")[:number]
        assert gathered.sizes == []

    in_a_loop(test)


def test_nothing_is_signed_for_who_has_gone() -> None:
    async def test(gathered: Gathered) -> None:
        waiting = [gathered.ask(f"n{number}") for number in range(LARGEST)]
        for one in waiting[: LARGEST - WORTHWHILE + 1]:
            one.cancel()
        await turn()
        assert gathered.sizes == []
        assert gathered.answered == [f"n{LARGEST - WORTHWHILE + 1}"]

    in_a_loop(test)


def test_an_answer_that_is_wanted_now_comes_once() -> None:
    async def test(gathered: Gathered) -> None:
        gathered.ask("a").sign()
        assert gathered.answered == ["a"]
        await turn()
        await turn()
        assert gathered.answered == ["a"]

    in_a_loop(test)


def test_a_library_that_is_none_is_told_and_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert open_signer(tmp_path / "missing.so") is None
    assert caplog.records == []
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"no library")
    with caplog.at_level(logging.WARNING):
        assert open_signer(broken) is None


# On connections


def answering(_scope: Any, _realm: str, _below: str, body: bytes) -> tuple[Unsigned, None]:
    return PREPARED.begin(1, body.decode()), None


@asynccontextmanager
async def serving(kind: type[TokenProtocol] = TokenProtocol) -> AsyncIterator[Any]:
    """The address of a server whose connections are of this `kind`."""
    signing = Gathered().signing
    protocol = partial(
        kind,
        at_once=answering,
        count=lambda *_: None,
        repeated=RepeatedRequests(bytes(32)),
        signing=signing,
    )
    listener = bind("--http-port", "127.0.0.1", 0)
    server = PortServer(listener, _application, grace=1, protocol=protocol)
    await server.start()
    try:
        yield listener.sockets[0].getsockname()
    finally:
        await server.stop()


async def _application(scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": b""})


def request(name: str) -> bytes:
    head = f"POST /realms/a/protocol/openid-connect/token HTTP/1.1\r\nHost: a\r\nContent-Length: {len(name)}\r\n\r\n"
    return head.encode() + name.encode()


def token(name: str) -> bytes:
    return PREPARED.issue(1, name).body


OTHER = b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n"


async def _told(
    sent: bytes, *, until: bytes = b"", half_close: bool = False, kind: type[TokenProtocol] = TokenProtocol
) -> bytes:
    async with serving(kind) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(sent)
        if half_close:
            writer.write_eof()
        answer = await asyncio.wait_for(reader.readuntil(until) if until else reader.read(), 10)
        writer.close()
        return answer


def test_a_request_does_not_overtake_the_one_before_it() -> None:
    told = asyncio.run(_told(request("one") + OTHER, until=b"/other"))
    assert told.index(token("one")) < told.index(b"x-path: /other")
    told = asyncio.run(_told(request("one") + request("two"), until=token("two")))
    assert told.index(token("one")) < told.index(token("two"))


def test_who_has_said_all_and_only_listens_gets_the_answer() -> None:
    assert token("one") in asyncio.run(_told(request("one"), half_close=True))


def test_what_cannot_be_read_does_not_overtake_the_answer_before_it() -> None:
    told = asyncio.run(_told(request("one") + b"no request\r\n\r\n"))
    assert told.index(token("one")) < told.index(b"HTTP/1.1 400 ")


class Stopping(TokenProtocol):
    """A connection whose server stops as soon as a request has arrived."""

    def end_request(self) -> None:
        super().end_request()
        self.shutdown()


def test_a_server_that_stops_answers_first() -> None:
    assert token("one") in asyncio.run(_told(request("one"), kind=Stopping))


def test_callers_at_the_same_time_get_their_own_answers_even_if_some_hang_up() -> None:
    async def one(address: Any, name: str, stays: bool) -> bytes:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(request(name))
        if not stays:
            writer.transport.abort()
            return b""
        answer = await asyncio.wait_for(reader.readuntil(b'"}'), 10)
        writer.close()
        return answer

    async def test() -> list[bytes]:
        async with serving() as address:
            return await asyncio.gather(*(one(address, f"n{number}", number % 4 != 3) for number in range(24)))

    for number, answer in enumerate(asyncio.run(test())):
        assert answer.endswith(token(f"n{number}")) == (number % 4 != 3)
