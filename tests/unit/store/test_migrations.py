"""The migrations and the schema that they lead to."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic import op

from keyturn.representations.event import EventRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.store import schema
from keyturn.store.backends.sqlite import DIALECT, open_store
from keyturn.store.collections import ROLES
from keyturn.store.logs import EVENTS
from keyturn.store.migrations import migrate
from keyturn.store.opening import NewerSchema, create_tables
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import ClientUse, Entries, Relation


@contextmanager
def connected(database: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        yield connection


def made_by(make: Callable[[sqlite3.Connection], None]) -> list[tuple[str, str]]:
    """Names and definitions of everything in a database that `make` made, and the schema's version."""
    with connected(":memory:") as connection:
        make(connection)
        versions = [("version", row[0]) for row in connection.execute("SELECT version_num FROM schema_version")]
        made = connection.execute("SELECT name, sql FROM sqlite_master")
        return sorted((str(row[0]), _plain(str(row[1]))) for row in made) + versions


def _plain(statement: str) -> str:
    """`statement` without what has no meaning in it: quotes about names, line breaks, and the order of columns."""
    plain = re.sub(r"\s*([(),])\s*", r"\1", " ".join(statement.replace('"', "").split()))
    table = re.fullmatch(r"CREATE TABLE (\w+)\((.*)\)", plain)
    return plain if table is None else f"{table[1]}: {sorted(re.split(r',(?![^()]*[)])', table[2]))}"


def newest(connection: sqlite3.Connection) -> None:
    migrate(connection, DIALECT)


def at_once(connection: sqlite3.Connection) -> None:
    create_tables(connection, DIALECT)


def test_migrating_an_empty_database_gives_the_schema() -> None:
    assert made_by(newest) == made_by(at_once)


def test_migrating_twice_changes_nothing() -> None:
    def twice(connection: sqlite3.Connection) -> None:
        newest(connection)
        newest(connection)

    assert made_by(twice) == made_by(at_once)


def test_a_newer_schema_is_refused_in_one_line(tmp_path: Path) -> None:
    open_store(tmp_path / "keyturn.db", SealKeys(tmp_path), lambda: 0).close()
    with closing(sqlite3.connect(tmp_path / "keyturn.db")) as connection, connection:
        connection.execute("UPDATE schema_version SET version_num = '9999'")
        connection.execute("UPDATE meta SET value = '9999' WHERE name = 'schema_serves'")
    with pytest.raises(NewerSchema, match=r"^[^\n]*9999[^\n]*newer[^\n]*$"):
        open_store(tmp_path / "keyturn.db", SealKeys(tmp_path), lambda: 0)


def test_a_newer_schema_that_only_added_serves_the_older_keyturn_beside_the_newer(tmp_path: Path) -> None:
    open_store(tmp_path / "keyturn.db", SealKeys(tmp_path), lambda: 0).close()
    with closing(sqlite3.connect(tmp_path / "keyturn.db")) as connection, connection:
        connection.execute("UPDATE schema_version SET version_num = '9999'")
        connection.execute("ALTER TABLE role ADD COLUMN added TEXT")
        assert connection.execute("SELECT value FROM meta WHERE name = 'schema_serves'").fetchone() == (schema.SERVES,)
    with closing(open_store(tmp_path / "keyturn.db", SealKeys(tmp_path), lambda: 0)) as store:
        with store.write() as write:
            write.insert(ROLES, "r1", RoleRepresentation(id="a", name="a", container_id="r1"))
        with store.read() as read:
            assert read.count(ROLES, "r1") == 1


Place = tuple[str, str, bool, int]


def places(database: Path, version: str) -> dict[str, set[Place]]:
    """By table, what a keyturn of that schema knows of each column: name, type, whether it must be given, and key."""
    with connected(str(database)) as connection:
        migrate(connection, DIALECT, to=version)
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: {(*row[1:4], row[5]) for row in connection.execute(f"PRAGMA table_info('{name}')")} for name in names
        }


@pytest.mark.parametrize(("version", "serves"), [(schema.SERVES, True), (f"{int(schema.SERVES) - 1:04}", False)])
def test_the_oldest_keyturn_that_may_serve_finds_each_table_as_it_knows_it(
    tmp_path: Path, version: str, *, serves: bool
) -> None:
    then, now = places(tmp_path / "then.db", version), places(tmp_path / "now.db", schema.VERSION)
    kept = all(columns <= now.get(table, set()) for table, columns in then.items())
    keys = all({each for each in now.get(table, set()) if each[3]} <= columns for table, columns in then.items())
    assert (kept and keys) is serves


def tables(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@pytest.fixture
def first_schema(tmp_path: Path) -> Path:
    """A database of the first schema with a role in it, sealed with a key in `tmp_path`."""
    open_store(tmp_path / "new.db", SealKeys(tmp_path), lambda: 0).close()
    database = tmp_path / "keyturn.db"
    with connected(str(database)) as connection:
        migrate(connection, DIALECT, to="0001")
        connection.execute("INSERT INTO revision VALUES (1)")
        connection.execute(
            "INSERT INTO role (realm_id, id, name, container_id, document)"
            """ VALUES ('r1', 'a', 'a', 'r1', '{"id":"a","name":"a","containerId":"r1"}')"""
        )
        connection.execute(f"ATTACH '{tmp_path / 'new.db'}' AS new")
        connection.execute("INSERT INTO meta SELECT * FROM new.meta")
    return database


def test_a_database_of_the_first_schema_is_migrated_at_the_start_and_keeps_its_documents(first_schema: Path) -> None:
    assert not {"event", "admin_event", "client_use"} & tables(first_schema)
    store = open_store(first_schema, SealKeys(first_schema.parent), lambda: 0)
    with store.read() as read:
        assert read.count(ROLES, "r1") == 1
    with store.write() as write:
        write.append(EVENTS, [("r1", EventRepresentation(id="e", time=1))])
    with store.read() as read:
        assert [entry.id for entry in read.entries(EVENTS, "r1", Entries())] == ["e"]
    store.close()


def test_what_is_known_of_the_use_of_a_client_becomes_that_of_its_first_credential(first_schema: Path) -> None:
    with connected(str(first_schema)) as connection:
        migrate(connection, DIALECT, "0005")
        connection.execute("INSERT INTO client_use VALUES ('r1', 'c1', 3, 100)")
    store = open_store(first_schema, SealKeys(first_schema.parent), lambda: 0)
    with store.read() as read:
        assert read.uses("r1", ["c1"]) == [ClientUse("r1", "c1", 3, 100)]
    store.close()


def test_a_migration_that_fails_leaves_the_older_schema(first_schema: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tables(first_schema)
    with monkeypatch.context() as failing:
        failing.setattr(op, "create_index", None)
        with pytest.raises(TypeError):
            open_store(first_schema, SealKeys(first_schema.parent), lambda: 0)
    assert tables(first_schema) == before
    open_store(first_schema, SealKeys(first_schema.parent), lambda: 0).close()
    assert "client_use" in tables(first_schema)


def test_every_relation_has_two_ends() -> None:
    assert set(schema.ENDS) == set(Relation)
    assert {end for ends in schema.ENDS.values() for end in ends} <= set(schema.TABLES)


@pytest.mark.slow
def test_opening_a_database_imports_only_its_driver(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from keyturn.store.backends.sqlite import open_store\n"
        "from keyturn.store.seal_key import SealKeys\n"
        f"data = pathlib.Path({str(tmp_path)!r})\n"
        "for _ in range(2):\n"
        "    open_store(data / 'keyturn.db', SealKeys(data), lambda: 0).close()\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'alembic', 'argon2', 'mako', 'sqlalchemy'}))"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert run.stdout == "[]\n"
