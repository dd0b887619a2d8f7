"""Every backend, one after the other, each test with a database of its own."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.postgresql import Cluster, cluster_or_skip
from keyturn.store.backends import BACKENDS, open_store
from keyturn.store.revisions import Revisions
from keyturn.store.schema import ALL
from keyturn.store.seal_key import SealKeys
from keyturn.store.sql import SqlStore

NOW = 1_700_000_000

Open = Callable[..., SqlStore]

NAMES = [
    pytest.param(name, marks=[] if name == "sqlite" else [pytest.mark.full])
    for name in sorted(set(BACKENDS.values()), reverse=True)
]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    with cluster_or_skip() as made:
        yield made


@pytest.fixture(params=NAMES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/keyturn.db"
    url: str = request.getfixturevalue("postgresql").new_schema()
    return url


@pytest.fixture
def open_again(database: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the test's database, each time as a new server would."""
    opened: list[SqlStore] = []

    def opens(revisions: Revisions | None = None) -> SqlStore:
        opened.append(open_store(database, SealKeys(tmp_path), lambda: NOW, revisions))
        return opened[-1]

    yield opens
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: Open) -> SqlStore:
    return open_again()


@pytest.fixture
def run_sql(request: pytest.FixtureRequest, database: str) -> Callable[..., object]:
    """Runs a statement behind the store's back, and gives the first value that it returns."""

    def run(statement: str, *values: str) -> object:
        if database.startswith("postgresql:"):
            cluster: Any = request.getfixturevalue("postgresql")
            return cluster.run(statement.replace("?", "%s"), *values, url=database)
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection, connection:
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


@pytest.fixture
def everything(database: str, run_sql: Callable[..., object], tmp_path: Path) -> Callable[[], str]:
    """All that is stored: what is in SQLite's files, or every row of PostgreSQL's tables."""

    def read() -> str:
        if database.startswith("postgresql:"):
            rows = "SELECT string_agg(each::text, ' ') FROM {} each"
            return " ".join(str(run_sql(rows.format(f'"{table.name}"'))) for table in ALL)
        return " ".join(path.read_bytes().decode("latin-1") for path in (tmp_path / "data").iterdir())

    return read
