"""What the server holds: under 100 MB, whatever it has been asked for."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.process import ServerProcess, running

pytestmark = pytest.mark.slow

LOGIN = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}


def resident_megabytes(server: ServerProcess) -> float:
    metrics = server.request("GET", "/metrics", management=True).body.decode()
    match = re.search(r"^process_resident_memory_bytes (\S+)$", metrics, re.MULTILINE)
    assert match is not None
    return float(match[1]) / 2**20


def test_passwords_checked_at_once_do_not_stay_in_memory(tmp_path: Path) -> None:
    with running(tmp_path) as server:

        def login(_: int) -> int:
            return server.request("POST", "/realms/master/protocol/openid-connect/token", form=LOGIN).status

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(login, range(40))) == {200}
        assert resident_megabytes(server) < 100
