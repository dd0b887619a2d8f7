"""A plain round robin before several nodes: each connection goes to the next one, and nothing is looked into."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import Final

_PART: Final = 65536


class _RoundRobin:
    def __init__(self, ports: Sequence[int]) -> None:
        self._turn = cycle(ports)
        self._served: set[asyncio.Task[None]] = set()  # the loop alone would not keep them alive
        self._stop = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.port = 0

    async def serve(self, port: int, begun: threading.Event) -> None:
        async with await asyncio.start_server(self._connected, "127.0.0.1", port) as server:
            self.port = server.sockets[0].getsockname()[1]
            begun.set()
            await self._stop.wait()
        for each in self._served:
            each.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._lead_on(reader, writer))
        self._served.add(task)
        task.add_done_callback(self._served.discard)

    async def _lead_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", next(self._turn))
            try:
                await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
            finally:
                await _close(back)
        except OSError:
            pass  # who asked finds its connection closed
        finally:
            await _close(writer)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Whatever comes, until one side has ended; then the other one ends, too."""
    while part := await reader.read(_PART):
        writer.write(part)
        await writer.drain()
    writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@contextmanager
def round_robin(ports: Sequence[int], port: int = 0) -> Iterator[int]:
    """Its port on 127.0.0.1, any that is free unless `port` is another, before the servers on these `ports`."""
    begun, made = threading.Event(), list[_RoundRobin]()

    async def run() -> None:
        made.append(_RoundRobin(ports))
        await made[0].serve(port, begun)

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="round-robin")
    thread.start()
    try:
        assert begun.wait(10)
        yield made[0].port
    finally:
        made[0].stop()
        thread.join()
