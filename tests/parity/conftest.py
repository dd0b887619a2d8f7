"""One deployment of keyturn a worker of the tests, for all scenarios: each makes a realm of its own.

It is one server on SQLite; and, where everything is run, two nodes of two workers on PostgreSQL behind a round robin.
``PARITY_FLAGS="--workers 2"`` adds options to the servers'. Where several processes answer, each request has a
connection of its own.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from harness.nodes import behind_a_round_robin
from harness.postgresql import cluster_or_skip
from parity.certificates import Authority
from parity.runner import Server
from parity.server_process import ADMINISTRATOR, PASSWORD, believing, free_pair, running_server

_BALANCED = ("--outbound-allowed-addresses", "127.0.0.1")
"""What a node that fetches its own key sets has to be allowed: the balancer before it."""


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    flags = shlex.split(os.environ.get("PARITY_FLAGS", ""))
    several = request.param == "postgresql"
    directory, authority = tmp_path_factory.mktemp("parity"), Authority.new()
    with ExitStack() as stack:
        if several:
            database = stack.enter_context(cluster_or_skip()).new_database()
            flags += [*_BALANCED, *believing(authority, directory)]
            url = stack.enter_context(behind_a_round_robin(directory, database, free_pair(), *flags))
        else:
            url = stack.enter_context(running_server(directory, authority, *flags))
        spread = several or bool(flags)
        yield stack.enter_context(Server(url, ADMINISTRATOR, PASSWORD, spread=spread, authority=authority))
