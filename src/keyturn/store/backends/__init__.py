"""Owns what differs between databases, one module each.

Refuses SQL that all of them speak: that is in ``keyturn.store.sql``.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from keyturn.store.connections import Connections
from keyturn.store.dialect import Dialect
from keyturn.store.revisions import Revisions
from keyturn.store.seal_key import SealKeys
from keyturn.store.sql import Clock, SqlStore

BACKENDS: Final = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}
"""Every backend by the scheme of its URLs: a module of this package that has an ``open_store``, too."""


def open_store(database: str | Path, seal: SealKeys, clock: Clock, revisions: Revisions | None = None) -> SqlStore:
    """Opens the database at a path, which is SQLite's, or of a URL. Only its own driver is imported.

    Raises StoreError; ModuleNotFoundError where the driver is not installed.
    """
    store: SqlStore = _backend(database).open_store(database, seal, clock, revisions)
    return store


def connected(database: str | Path) -> tuple[Connections, Dialect]:
    """Connections to a database as it is, and what is its own. Raises as ``open_store``."""
    found: tuple[Connections, Dialect] = _backend(database).connected(database)
    return found


def _backend(database: str | Path) -> Any:
    scheme = database.partition(":")[0] if isinstance(database, str) else "sqlite"
    return import_module(f"{__name__}.{BACKENDS[scheme]}")
