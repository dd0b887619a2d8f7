"""Owns the way from an older schema to the newest, in Alembic revisions numbered ``0001``, ``0002`` and so on.

Refuses an empty database: that is made from ``keyturn.store.schema`` at once. Imports Alembic; imported only when due.
"""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import StaticPool, Text, create_engine
from sqlalchemy.ext.compiler import compiles

from keyturn.store.connections import Connection
from keyturn.store.sql_reader import Dialect


@compiles(Text, "postgresql")
def _text(*_: Any, **__: Any) -> str:
    """The type of all text in every migration: ordered, and told apart, by its bytes."""
    return 'TEXT COLLATE "C"'


def migrate(connection: Connection, dialect: Dialect, to: str = "head") -> None:
    """Brings the schema to the version `to`, in one transaction for which every other connection waits."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = create_engine(dialect.alembic_url, creator=lambda: dialect.driver(connection), poolclass=StaticPool)
    with engine.connect() as connected:
        dialect.begin_exclusive(connection)  # only now: SQLAlchemy rolls back what was begun before it came
        config.attributes["connection"] = connected
        command.upgrade(config, to)
        connected.commit()
