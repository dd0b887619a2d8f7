"""SQLite: durable, the owner's alone, and clear about what ails it."""

import resource
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from keyturn.representations.role import RoleRepresentation
from keyturn.store.backends import sqlite
from keyturn.store.collections import ROLES
from keyturn.store.connections import Connections
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Busy, StoreError, Unavailable
from keyturn.store.sql import SqlStore


def role(name: str, size: int = 0) -> RoleRepresentation:
    return RoleRepresentation(id=name, name=name, container_id="r1", description="x" * size)


def opened(directory: Path) -> SqlStore:
    return sqlite.open_store(directory / "keyturn.db", SealKeys(directory), lambda: 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = opened(tmp_path)
    yield made
    made.close()


@contextmanager
def on_checkout(act: Callable[[sqlite3.Connection], object]) -> Iterator[None]:
    """Does something to each connection before the store uses it."""
    lend = Connections.connection

    @contextmanager
    def listened(self: Connections, begin: Callable[[Any], None] = lambda _: None) -> Iterator[Any]:
        def acted(connection: Any) -> None:
            act(connection)
            begin(connection)

        with lend(self, acted) as connection:
            yield connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connections, "connection", listened)
        yield


def test_every_connection_writes_ahead_and_waits_for_the_disk(store: SqlStore) -> None:
    seen: list[tuple[object, ...]] = []

    def look(connection: sqlite3.Connection) -> None:
        pragmas = ("journal_mode", "synchronous", "busy_timeout")
        seen.append(tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas))

    with on_checkout(look), store.read(), store.read(), store.read(), store.write():
        pass
    full = 2  # https://sqlite.org/pragma.html#pragma_synchronous
    assert seen == [("wal", full, 5000)] * 4


def test_its_files_are_the_owners_alone(tmp_path: Path) -> None:
    store = opened(tmp_path / "data")
    with store.write() as write:
        write.insert(ROLES, "r1", role("a"))
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes == dict.fromkeys(["keyturn.db", "keyturn.db-wal", "keyturn.db-shm", "seal.key"], 0o600)
    store.close()


def test_closing_leaves_everything_in_one_file(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with store.write() as write:
        write.insert(ROLES, "r1", role("a"))
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keyturn.db", "seal.key"]


def test_a_url_names_the_file_as_well(tmp_path: Path) -> None:
    sqlite.open_store(f"sqlite:///{tmp_path}/other.db", SealKeys(tmp_path), lambda: 0).close()
    assert (tmp_path / "other.db").exists()


def fails_then_recovers(store: SqlStore, break_it: Callable[[], Any], sentence: str) -> None:
    """A write during the trouble fails clearly, reading goes on, and writing does after it."""
    with store.write() as write:
        write.insert(ROLES, "r1", role("before"))
    with break_it():
        with pytest.raises(Unavailable, match=sentence), store.write() as write:
            write.insert_many(ROLES, "r1", [role(f"during-{number}", 100_000) for number in range(50)])
        with store.read() as read:
            assert [found.name for found in read.select(ROLES, "r1")] == ["before"]
    with store.write() as write:
        write.insert(ROLES, "r1", role("after", 1_000_000))
    with store.read() as read:
        assert [found.name for found in read.select(ROLES, "r1")] == ["before", "after"]


def test_a_full_disk_is_told_and_got_over(store: SqlStore) -> None:
    @contextmanager
    def full() -> Iterator[None]:
        def limit(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA max_page_count = 100")

        def lift(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA max_page_count = 1000000")

        with on_checkout(limit):
            yield
        with on_checkout(lift), store.read(), store.read():
            pass

    fails_then_recovers(store, full, "^the disk is full$")


def test_a_disk_that_fails_is_told_and_got_over(store: SqlStore) -> None:
    @contextmanager
    def limited() -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))  # a write beyond it fails with EFBIG
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    fails_then_recovers(store, limited, "^the disk cannot be read or written$")


def test_a_read_only_database_is_told_and_got_over(store: SqlStore) -> None:
    @contextmanager
    def read_only() -> Iterator[None]:
        with on_checkout(lambda connection: connection.execute("PRAGMA query_only = ON")):
            yield
        with on_checkout(lambda connection: connection.execute("PRAGMA query_only = OFF")), store.read(), store.read():
            pass

    fails_then_recovers(store, read_only, "^the database is read-only$")


def test_nothing_is_written_after_an_error_that_was_swallowed(store: SqlStore) -> None:
    def swallow() -> None:
        with store.write() as write:
            with pytest.raises(Unavailable):
                write.insert(ROLES, "r1", role("large", 1_000_000))
            with pytest.raises(Unavailable):
                write.insert(ROLES, "r1", role("small"))

    with on_checkout(lambda connection: connection.execute("PRAGMA max_page_count = 100")), pytest.raises(Unavailable):
        swallow()
    with store.read() as read:
        assert read.count(ROLES, "r1") == 0


def test_a_lock_of_another_process_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT", 0.05)
    store = opened(tmp_path)
    with closing(sqlite3.connect(tmp_path / "keyturn.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy, match="locked by another process"), store.write():
            pass
        with store.read() as read:
            assert read.revision == 0
        other.execute("ROLLBACK")
    with store.write() as write:
        write.insert(ROLES, "r1", role("a"))
    store.close()


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keyturn.db").write_bytes(content)
    with pytest.raises(Unavailable, match=r"^[^\n]+$"):
        opened(tmp_path)
    assert (tmp_path / "keyturn.db").read_bytes() == content


def test_a_path_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot be opened"):
        sqlite.open_store(tmp_path / "file" / "keyturn.db", SealKeys(tmp_path), lambda: 0)


def test_errors_never_quote_what_was_written(store: SqlStore) -> None:
    with (
        on_checkout(lambda connection: connection.execute("PRAGMA query_only = ON")),
        pytest.raises(StoreError) as caught,
        store.write() as write,
    ):
        write.insert(ROLES, "r1", role("canary"))
    error: BaseException | None = caught.value
    while error is not None:
        assert "canary" not in str(error)
        error = error.__context__
    with on_checkout(lambda connection: connection.execute("PRAGMA query_only = OFF")), store.read(), store.read():
        pass
