"""Owns the way from an older schema to the newest, in Alembic revisions numbered ``0001``, ``0002`` and so on.

Refuses an empty database: that is made from ``keyturn.store.schema`` at once. Imports Alembic; imported only when due.
"""

from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import StaticPool, Text, create_engine
from sqlalchemy.ext.compiler import compiles

from keyturn.store.connections import Connection
from keyturn.store.dialect import Dialect
from keyturn.store.schema import SERVES, SERVES_KEY


@compiles(Text, "postgresql")
def _text(*_: Any, **__: Any) -> str:
    """The type of all text in every migration: ordered, and told apart, by its bytes."""
    return 'TEXT COLLATE "C"'


_NEWEST: Final = "head"

_SERVES: Final = (
    'INSERT INTO "meta" ("name", "value") VALUES (?, ?) ON CONFLICT ("name") DO UPDATE SET "value" = excluded."value"'
)


def pending(version: str) -> list[tuple[str, str]]:
    """The migrations after `version` in their order: number, and what each does in a sentence."""
    steps = ScriptDirectory.from_config(_config()).walk_revisions()
    return [(step.revision, step.doc) for step in reversed(list(steps)) if step.revision > version]


def migrate(connection: Connection, dialect: Dialect, to: str = _NEWEST, *, keep: bool = True) -> None:
    """Brings the schema to the version `to`, in one transaction for which every other connection waits.

    Without `keep` it is taken back at the end: whether it goes well, and how long it takes, is known then.
    """
    config = _config()
    engine = create_engine(dialect.alembic_url, creator=lambda: dialect.driver(connection), poolclass=StaticPool)
    with engine.connect() as connected:
        dialect.begin_exclusive(connection)  # only now: SQLAlchemy rolls back what was begun before it came
        config.attributes["connection"] = connected
        command.upgrade(config, to)
        if to == _NEWEST:
            connection.execute(_SERVES, (SERVES_KEY, SERVES))
        if keep:
            connected.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
