"""Stands between a node and its database, to be slow, to cut, or to swallow everything."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from typing import Final

_PIECE: Final = 65536


class Proxy:
    """A port of 127.0.0.1 that leads to another one."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: Final[int] = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._state = threading.Lock()
        self._passes = threading.Event()
        self._passes.set()
        self._delay = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    @contextlib.contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Each piece takes so long on its way."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing comes through, and nobody is told, as when a network has gone."""
        self._passes.clear()
        try:
            yield
        finally:
            self._passes.set()

    def lead_to(self, port: int) -> None:
        """To another port, from the next connection on."""
        self._target = port

    def cut_one(self) -> None:
        """Ends a connection, whichever."""
        with self._state:
            victims = list(self._open)
        if victims:
            _end(random.choice(victims))

    def close(self) -> None:
        """Ends all."""
        _end(self._listener)
        for each in list(self._open):
            _end(each)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        self._passes.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        with self._state:
            self._open.add(near)
        back = threading.Thread(target=self._pass_on, args=(far, near), daemon=True)
        back.start()
        self._pass_on(near, far)
        back.join()
        with self._state:
            self._open.discard(near)
        near.close()
        far.close()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                self._passes.wait()
                if self._delay:
                    time.sleep(self._delay)
                target.sendall(piece)
        for each in (source, target):
            _end(each)


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    if each.fileno() < 0:
        return
