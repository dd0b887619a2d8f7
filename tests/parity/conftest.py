"""One keyturn server a worker, for all scenarios: each makes a realm of its own.

``PARITY_FLAGS="--workers 2"`` adds options to the server's; then each request has a connection of its own.
"""

import os
import shlex
from collections.abc import Iterator

import pytest

from parity.runner import Server
from parity.server_process import ADMINISTRATOR, PASSWORD, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    flags = shlex.split(os.environ.get("PARITY_FLAGS", ""))
    with (
        running_server(tmp_path_factory.mktemp("parity"), *flags) as url,
        Server(url, ADMINISTRATOR, PASSWORD, spread=bool(flags)) as server,
    ):
        yield server
