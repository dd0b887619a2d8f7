"""Which of several workers a connection has come to: as the kernel tells, since the server does not."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from harness.process import Answer, ServerProcess

_FORM = {"content-type": "application/x-www-form-urlencoded"}


def workers_of(server: ServerProcess) -> list[int]:
    """The processes that serve."""
    supervisor = server.process.pid
    return [int(each) for each in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()]


class Kept:
    """A connection that is kept open, and so stays with one worker."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=20)
        self._connection.connect()
        self.own_port: int = self._connection.sock.getsockname()[1]
        self._port = port

    def close(self) -> None:
        self._connection.close()

    def worker(self, workers: list[int]) -> int | None:
        """The one that has accepted it."""
        number = _inode(self._port, self.own_port)
        return next((process for process in workers if number in _sockets(process)), None)

    def request(
        self, method: str, path: str, *, form: Mapping[str, str] | None = None, token: str = "", document: Any = None
    ) -> Answer:
        """One request. Raises OSError where the connection has been ended."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = None
        if form is not None:
            body, headers = urlencode(form), headers | _FORM
        elif document is not None:
            body, headers = json.dumps(document), headers | {"content-type": "application/json"}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits for what another process will have done soon."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come about in time"
        time.sleep(0.02)


@contextlib.contextmanager
def one_to_each(server: ServerProcess) -> Iterator[dict[int, Kept]]:
    """A connection to every worker, by its process."""
    workers = workers_of(server)
    found: dict[int, Kept] = {}
    with contextlib.ExitStack() as others:
        for _ in range(500):
            kept = others.enter_context(contextlib.closing(Kept(server.http_port)))
            assert kept.request("GET", "/realms/master").status == 200
            worker = kept.worker(workers)
            assert worker is not None
            found.setdefault(worker, kept)
            if len(found) == len(workers):
                yield found
                return
    raise AssertionError(f"all connections came to {found} of {workers}")


def _inode(server_port: int, client_port: int) -> str | None:
    """The number of the server's end of a connection (``/proc/net/tcp``)."""
    local, remote = f":{server_port:04X}", f":{client_port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(local) and fields[2].endswith(remote):
            return fields[9]
    return None


def _sockets(process: int) -> set[str]:
    numbers = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):
            numbers.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return numbers
