"""One keyturn server a worker, for all scenarios: each makes a realm of its own.

``PARITY_FLAGS="--workers 2"`` adds options to the server's; then each request has a connection of its own.
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from harness.postgresql import cluster_or_skip
from parity.certificates import Authority
from parity.runner import Server
from parity.server_process import ADMINISTRATOR, PASSWORD, running_server


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    flags = shlex.split(os.environ.get("PARITY_FLAGS", ""))
    spread = bool(flags)
    with ExitStack() as stack:
        if request.param == "postgresql":
            flags += ["--database", stack.enter_context(cluster_or_skip()).new_database()]
        authority = Authority.new()
        url = stack.enter_context(running_server(tmp_path_factory.mktemp("parity"), authority, *flags))
        yield stack.enter_context(Server(url, ADMINISTRATOR, PASSWORD, spread=spread, authority=authority))
