"""Owns the way from an older schema to the newest, in Alembic revisions numbered ``0001``, ``0002`` and so on.

Refuses an empty database: that is made from ``keyturn.store.schema`` at once. Imports Alembic; imported only when due.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Brings the schema to the newest version, in the open transaction of `connection`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
