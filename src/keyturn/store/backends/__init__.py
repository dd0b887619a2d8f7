"""Owns what differs between databases, one module each.

Refuses SQL that all of them speak: that is in ``keyturn.store.sql``.
"""

from typing import Final

from keyturn.store.backends import sqlite

BACKENDS: Final = (sqlite,)
"""Every backend: a module with a ``name`` and ``open_store(url, seal, clock)``."""
