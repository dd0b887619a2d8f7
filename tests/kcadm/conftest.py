"""Runs kcadm in this process, with a home of its own."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kcadm.answering_server import AnsweringServer, answering_server
from keyturn.cli.kcadm.main import run


@dataclass(frozen=True)
class Printed:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str


Kcadm = Callable[..., Printed]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home and working directory; nothing of the environment is about kcadm."""
    for name in [name for name in os.environ if name.startswith(("KC_", "KEYTURN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def kcadm(home: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Kcadm:
    """Runs one command; `typed` is its standard input."""

    def call(*arguments: str, typed: str = "") -> Printed:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        status = run(arguments)
        printed = capfdbinary.readouterr()
        return Printed(status, printed.out.decode(), printed.err.decode())

    return call


@pytest.fixture(scope="session")
def shared_answering_server() -> Iterator[AnsweringServer]:
    with answering_server() as server:
        yield server


@pytest.fixture
def server(shared_answering_server: AnsweringServer) -> Iterator[AnsweringServer]:
    """A server that answers as it is told and has nothing prepared."""
    shared_answering_server.prepared = {}
    shared_answering_server.taken()
    yield shared_answering_server
    shared_answering_server.prepared = {}
