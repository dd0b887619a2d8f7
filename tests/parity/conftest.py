"""One keyturn server a worker, for all scenarios: each makes a realm of its own."""

from collections.abc import Iterator

import pytest

from parity.runner import Server
from parity.server_process import ADMINISTRATOR, PASSWORD, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with (
        running_server(tmp_path_factory.mktemp("parity")) as url,
        Server(url, ADMINISTRATOR, PASSWORD) as server,
    ):
        yield server
