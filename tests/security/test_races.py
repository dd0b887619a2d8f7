"""Two at the same moment: what may happen once happens once, and what has ended stays ended."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from harness.deployment import Deployment
from keyturn.store.collections import SESSIONS

T = TypeVar("T")
AT_ONCE = 6


def together(call: Callable[[], T]) -> list[T]:
    """What `call` gives to each of several threads that begin as one."""
    start = threading.Barrier(AT_ONCE)

    def run() -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(AT_ONCE)]]


def test_a_refresh_token_that_serves_once_serves_one(server: Deployment) -> None:
    server.admin("PUT", "/demo", {"revokeRefreshToken": True})
    server.person("ada", "password")
    refresh = server.login("ada", "password")["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": refresh}
    statuses = together(lambda: int(server.protocol("token", form).status_code))
    assert sorted(statuses) == [200, *[400] * (AT_ONCE - 1)]


def test_no_refresh_brings_a_session_back(server: Deployment) -> None:
    server.person("ada", "password")
    tokens = server.login("ada", "password")
    refresh = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": tokens["refresh_token"]}
    logout = {"client_id": "admin-cli", "refresh_token": tokens["refresh_token"]}
    turns = iter(range(AT_ONCE))
    lock = threading.Lock()

    def call() -> int:
        with lock:
            ends = next(turns) == AT_ONCE // 2
        return int(server.protocol("logout" if ends else "token", logout if ends else refresh).status_code)

    statuses = together(call)
    assert statuses.count(204) == 1
    assert set(statuses) <= {200, 204, 400}
    assert server.protocol("token", refresh).json()["error"] == "invalid_grant"
    with server.store.read() as reader:
        assert [s for s in reader.select(SESSIONS, None) if s.username == "ada"] == []


def test_a_client_id_is_given_to_one(server: Deployment) -> None:
    document = {"clientId": "wanted", "serviceAccountsEnabled": True}
    server.administrator()
    statuses = together(lambda: int(server.admin("POST", "/demo/clients", document).status_code))
    assert sorted(statuses) == [201, *[409] * (AT_ONCE - 1)]
