"""What the server takes: time to its first token, and memory. On a quiet machine; `make test-full` runs it."""

import http.client
import re
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from harness.process import ServerProcess, running

pytestmark = [pytest.mark.full, pytest.mark.slow]

FORM = {"grant_type": "client_credentials", "client_id": "svc", "client_secret": "s"}


def resident(server: ServerProcess) -> float:
    text = server.request("GET", "/metrics", management=True).body.decode()
    found = re.search(r"^process_resident_memory_bytes (\d+)$", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1e6


def test_the_first_token_comes_within_a_second(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.make_client("r", "svc", "s")
        server.stop()
        ports = (server.http_port, server.https_port, server.management_port)
    taken = []
    for _ in range(3):  # the best of three counts: something else may run
        begun = time.perf_counter()
        with running(tmp_path, ports=ports) as server:
            assert server.token("r", **FORM).status == 200
            taken.append(time.perf_counter() - begun)
            server.stop()
    assert min(taken) < 1


def test_takes_less_than_100_megabytes_after_10_000_tokens(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.make_client("r", "svc", "s")
        connection = http.client.HTTPConnection("127.0.0.1", server.http_port)
        body, headers = urlencode(FORM), {"content-type": "application/x-www-form-urlencoded"}
        for _ in range(10_000):
            connection.request("POST", "/realms/r/protocol/openid-connect/token", body, headers)
            answer = connection.getresponse()
            assert answer.read()
            assert answer.status == 200
        connection.close()
        assert resident(server) < 100
