"""The migrations lead to the schema on PostgreSQL, too; SQLite's are in tests/unit/store."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic import op

from harness.postgresql import Cluster
from keyturn.store.backends import postgresql as backend
from keyturn.store.connections import Connection
from keyturn.store.migrations import migrate
from keyturn.store.opening import create_tables
from keyturn.store.psycopg_connection import connect
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Unavailable

pytestmark = pytest.mark.full

COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default, c.collation_name
FROM information_schema.columns c WHERE c.table_schema = current_schema() ORDER BY 1, 2
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1"

Make = Callable[[Connection], None]


def made_by(url: str, make: Make) -> tuple[str, list[object]]:
    """Names and definitions of everything in a database that `make` made, and the schema's version."""
    connection = connect(backend.parameters_of(url))
    make(connection)
    connection.commit()
    connection.close()
    with psycopg.connect(url) as seen:
        schema = str(seen.execute("SELECT current_schema()").fetchall()[0][0])
        version = seen.execute("SELECT version_num FROM schema_version").fetchall()[0][0]
        found = [*seen.execute(COLUMNS).fetchall(), *seen.execute(INDEXES).fetchall()]
    return version, [tuple(str(value).replace(f"{schema}.", "") for value in row) for row in found]


def newest(connection: Connection) -> None:
    migrate(connection, backend.DIALECT)


def at_once(connection: Connection) -> None:
    backend.DIALECT.begin_exclusive(connection)
    create_tables(connection, backend.DIALECT)


def test_migrating_an_empty_database_gives_the_schema(postgresql: Cluster) -> None:
    assert made_by(postgresql.new_schema(), newest) == made_by(postgresql.new_schema(), at_once)


def test_a_migration_that_fails_leaves_nothing(postgresql: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgresql.new_schema()
    monkeypatch.setattr(op, "add_column", None)
    connection = connect(backend.parameters_of(url))
    with pytest.raises(TypeError):
        migrate(connection, backend.DIALECT)
    connection.close()
    assert postgresql.run("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()", url=url) == 0


def test_says_in_one_line_why_there_is_no_connection(postgresql: Cluster, tmp_path: Path) -> None:
    for url, why in (
        (postgresql.url(port=1), "Connection refused"),
        (postgresql.url("absent"), 'database "absent" does not exist'),
        ("postgresql://u:canary@[", "none that PostgreSQL understands"),
    ):
        with pytest.raises(Unavailable) as caught:
            backend.open_store(url, SealKeys(tmp_path), lambda: 0)
        assert why in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "canary" not in str(caught.value)
