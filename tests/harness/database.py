"""What the tests' servers keep their data in: SQLite; with TESTS_DATABASE=postgresql a PostgreSQL of the run's own."""

import atexit
import os
import shutil
from contextlib import ExitStack
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyturn.store.backends import open_store
from keyturn.store.seal_key import SealKeys

if TYPE_CHECKING:
    from harness.postgresql import Cluster

ON_POSTGRESQL: Final = os.environ.get("TESTS_DATABASE") == "postgresql"

_made: Final[dict[Path, str]] = {}
_numbers: Final = count(1)


def database_in(directory: Path, copied: Path | None = None, *, empty: bool = False) -> str | Path:
    """The database of what is kept in `directory`, the same each time. It begins as that of `copied`, if given.

    An `empty` one has no tables yet, for a seal key that the test has.
    """
    if not ON_POSTGRESQL:
        return directory / "keyturn.db"
    if directory not in _made:
        database, with_tables = _with_tables()
        source = with_tables if copied is None else copied
        _made[directory] = name = f"test{next(_numbers)}"
        if empty:
            database.run(f"CREATE DATABASE {name} TEMPLATE template0")
            return database.url(name)
        database.run(f"CREATE DATABASE {name} TEMPLATE {_made[source]} STRATEGY file_copy")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (directory / "seal.key").exists():
            shutil.copy(source / "seal.key", directory)
    return _with_tables()[0].url(_made[directory])


def forget(below: Path) -> None:
    """Removes the databases of what was kept below a directory."""
    for directory in [each for each in _made if each.is_relative_to(below)]:
        _with_tables()[0].run(f"DROP DATABASE {_made.pop(directory)} WITH (FORCE)")


@cache
def _with_tables() -> "tuple[Cluster, Path]":
    """A server, and where the key is of an empty database: making one anew takes longer than copying it."""
    from harness.postgresql import cluster  # its driver is needed by few

    stack = ExitStack()
    atexit.register(stack.close)
    database = stack.enter_context(cluster(max_connections="200"))
    directory = database.data.parent / "empty"
    directory.mkdir(mode=0o700)
    url = database.new_database()
    open_store(url, SealKeys(directory), lambda: 0).close()
    _made[directory] = url.rpartition("/")[2]
    return database, directory
