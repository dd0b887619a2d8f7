"""Refuses each transaction once, as engines do that see afterwards what was in the way (SQLSTATE 40001).

A plugin for the other tests, ``pytest -p chaos.conflicts``: with it they must say what they say without it.
Transactions of tests' own are let alone; those of keyturn must all be ones that are begun anew.
"""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

import keyturn
from keyturn.store.connections import Connection
from keyturn.store.retrying import retried
from keyturn.store.spi import Conflict
from keyturn.store.sql import SqlStore

_SOURCE = str(Path(keyturn.__file__).parent)
_STORE = str(Path(_SOURCE) / "store" / "sql.py")
_COMMIT = SqlStore._commit
_REFUSED = threading.local()


def _callers() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _refuse(store: SqlStore, connection: Connection) -> None:
    frames = list(_callers())
    if any(frame.f_code is retried.__code__ for frame in frames):
        _REFUSED.last = not getattr(_REFUSED, "last", False)
        if _REFUSED.last:
            raise Conflict("another transaction was in the way")
    else:
        own = (frame.f_code.co_filename for frame in frames if "contextlib" not in frame.f_code.co_filename)
        writer = next(name for name in own if name != _STORE)
        assert not writer.startswith(_SOURCE), f"{writer} writes what is not begun anew"
    _COMMIT(store, connection)


@pytest.fixture(autouse=True)
def each_transaction_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqlStore, "_commit", _refuse)
