"""PostgreSQL made to look like engines on its wire that lack NOTIFY and advisory locks, and refuse commits (40001).

It stands between a server and PostgreSQL, reads what the one says, and says something else to the other.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from random import Random
from typing import Final

_BEFORE_START: Final = frozenset({80877103, 80877104})
"""What is asked before a session starts: encryption, of two kinds."""
_RAISE: Final = b"DO $$ BEGIN RAISE EXCEPTION 'told so' USING ERRCODE = '%s'; END $$"
_MISSING: Final = (b"LISTEN", b"pg_notify", b"advisory")
_QUERIES: Final = b"Q"
_PARSE: Final = b"P"


class Engine:
    """A port of 127.0.0.1 that leads to PostgreSQL.

    Args:
        refuses: the share of commits that are refused, of those that the engine chooses by chance.
    """

    def __init__(self, target: int, *, refuses: float, seed: int = 1) -> None:
        self._target = target
        self._refuses = refuses
        self._random = Random(seed)
        self.refused = 0
        self.commits = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: Final[int] = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for each in (near, far):  # what is said in pieces arrives in pieces, without a pause
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for job in ((self._speak, near, far), (_pass_on, far, near)):
                threading.Thread(target=_until_it_ends, args=job, daemon=True).start()

    def _speak(self, near: socket.socket, far: socket.socket) -> None:
        """Passes on what the server says, in other words."""
        started = False
        while True:
            kind = _exactly(near, 1) if started else b""
            head = _exactly(near, 4)
            (length,) = struct.unpack("!i", head)
            body = _exactly(near, length - 4)
            if not started:
                started = struct.unpack("!i", body[:4])[0] not in _BEFORE_START
                far.sendall(head + body)
                continue
            if kind == _QUERIES:
                body = self._said(body[:-1]) + b"\0"
            elif kind == _PARSE:
                name, query, rest = body.split(b"\0", 2)
                body = b"\0".join((name, self._said(query), rest))
            far.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def _said(self, query: bytes) -> bytes:
        if any(word in query for word in _MISSING):
            return _RAISE % b"0A000"
        if query == b"COMMIT":
            self.commits += 1
            if self._random.random() < self._refuses:
                self.refused += 1
                return _RAISE % b"40001"
        return query.replace(b"ISOLATION LEVEL READ COMMITTED", b"ISOLATION LEVEL SERIALIZABLE")


def _until_it_ends(
    job: Callable[[socket.socket, socket.socket], None], source: socket.socket, target: socket.socket
) -> None:
    with contextlib.suppress(OSError):
        job(source, target)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        source.close()  # each of the two jobs of a connection reads from one end


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    while piece := source.recv(65536):
        target.sendall(piece)


def _exactly(source: socket.socket, length: int) -> bytes:
    read = b""
    while len(read) < length:
        piece = source.recv(length - len(read))
        if not piece:
            raise OSError("the end")
        read += piece
    return read
