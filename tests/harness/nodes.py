"""Nodes as a deployment has them: they share the database and the seal key, and stand behind a round robin."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.process import ServerProcess, running
from harness.round_robin import round_robin


@contextmanager
def two_nodes(directory: Path, database: str, *flags: str) -> Iterator[list[ServerProcess]]:
    """Two of them on `database`, with these further options."""
    first, second = directory / "one", directory / "two"
    common = ("--database", database, *flags)
    with ExitStack() as stack:
        one = stack.enter_context(running(first, *common))
        (second / "data").mkdir(parents=True, mode=0o700)
        shutil.copy(one.data / "seal.key", second / "data" / "seal.key")
        yield [one, stack.enter_context(running(second, *common))]


@contextmanager
def behind_a_round_robin(directory: Path, database: str, port: int, *flags: str) -> Iterator[str]:
    """The address at which two nodes of two workers answer, each connection another one than the last.

    It is at `port`, HTTPS one above.
    """
    with (
        two_nodes(directory, database, "--workers", "2", *flags) as nodes,
        round_robin([node.http_port for node in nodes], port),
        round_robin([node.https_port for node in nodes], port + 1),
    ):
        yield f"http://127.0.0.1:{port}"
