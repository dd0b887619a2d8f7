"""Every backend, one after the other, each test with a database of its own."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from keyturn.store.backends import BACKENDS
from keyturn.store.revisions import Revisions
from keyturn.store.seal_key import SealKeys
from keyturn.store.sql import SqlStore

NOW = 1_700_000_000

Open = Callable[..., SqlStore]


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.name)
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the test's database, each time as a new server would."""
    opened: list[SqlStore] = []

    def opens(revisions: Revisions | None = None) -> SqlStore:
        path = tmp_path / "data" / "keyturn.db"
        opened.append(request.param.open_store(path, SealKeys(tmp_path), lambda: NOW, revisions))
        return opened[-1]

    yield opens
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: Open) -> SqlStore:
    return open_again()


@pytest.fixture
def run_sql(tmp_path: Path) -> Callable[..., object]:
    """Runs a statement behind the store's back, and gives the first value that it returns."""

    def run(statement: str, *values: str) -> object:
        with closing(sqlite3.connect(tmp_path / "data" / "keyturn.db")) as connection, connection:
            row = connection.execute(statement, values).fetchone()
            return row and row[0]

    return run


@pytest.fixture
def stored_text(run_sql: Callable[..., object]) -> Callable[[str, str], str]:
    """The document of a table's row as it is in the database."""
    return lambda table, id_: str(run_sql(f'SELECT document FROM "{table}" WHERE id = ?', id_))


@pytest.fixture
def alter(run_sql: Callable[..., object]) -> Callable[[str, str, str], None]:
    """Puts another text into a row."""

    def put(table: str, id_: str, text: str) -> None:
        run_sql(f'UPDATE "{table}" SET document = ? WHERE id = ?', text, id_)

    return put
