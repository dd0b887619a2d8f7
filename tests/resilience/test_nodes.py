"""Nodes as processes of their own on a real PostgreSQL: what one writes counts on all, and what they do without it."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from harness.postgresql import MISSING, Cluster, cluster, programs
from harness.process import ServerProcess, running

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(240),
    pytest.mark.skipif(programs() is None, reason=MISSING),
]

STALENESS = 5
CLIENT = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "secret"}


@pytest.fixture
def database() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def nodes(database: Cluster, tmp_path: Path) -> Iterator[list[ServerProcess]]:
    """Two, which share the database and the seal key."""
    url = database.new_database()
    with ExitStack() as stack:
        first, second = tmp_path / "one", tmp_path / "two"
        flags = ("--database", url, "--https-port", "0", "--max-staleness", str(STALENESS))
        one = stack.enter_context(running(first, *flags))
        (second / "data").mkdir(parents=True, mode=0o700)
        shutil.copy(one.data / "seal.key", second / "data" / "seal.key")
        one.make_client("plant", "robot", "secret")
        yield [one, stack.enter_context(running(second, *flags))]


def token(node: ServerProcess) -> int:
    return node.request("POST", "/realms/plant/protocol/openid-connect/token", form=CLIENT).status


def answers(node: ServerProcess, status: int) -> bool:
    return token(node) == status


def ready(node: ServerProcess) -> bool:
    return node.request("GET", "/health/ready", management=True).status == 200


def eventually(condition: Callable[[], bool], seconds: float = 30) -> float:
    """After how many seconds it held."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + seconds, "never"
        Event().wait(0.02)
    return time.monotonic() - begun


def client_path(node: ServerProcess) -> str:
    found = node.admin("GET", "/plant/clients?clientId=robot").json()
    return f"/plant/clients/{found[0]['id']}"


def test_what_one_node_writes_counts_on_the_other_within_a_second(nodes: list[ServerProcess]) -> None:
    one, other = nodes
    path = client_path(one)
    assert [token(node) for node in nodes * 2] == [200] * 4
    for enabled, status in ((False, 401), (True, 200), (False, 401)):
        assert one.admin("PUT", path, {"enabled": enabled}).status == 204
        assert token(one) == status
        assert eventually(partial(answers, other, status)) < 1
        one, other = other, one


def test_events_of_one_node_are_seen_on_the_other_within_a_second(nodes: list[ServerProcess]) -> None:
    one, other = nodes
    assert one.admin("PUT", "/plant", {"eventsEnabled": True, "enabledEventTypes": ["CLIENT_LOGIN"]}).status == 204
    assert token(one) == 200
    assert eventually(lambda: len(other.admin("GET", "/plant/events").json()) == 1) < 1
    assert token(other) == 200
    assert len(other.admin("GET", "/plant/events").json()) == 2


def test_two_administrators_of_one_client_on_two_nodes_lose_nothing(nodes: list[ServerProcess]) -> None:
    path = client_path(nodes[0])
    headers = [{"authorization": f"Bearer {node.admin_token()}"} for node in nodes]

    def write(number: int) -> int:
        node, own = nodes[number % 2], headers[number % 2]
        mapper = {"name": f"m{number}", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper"}
        url = f"/admin/realms{path}/protocol-mappers/models"
        return node.request("POST", url, document={**mapper, "config": {"claim.name": "x"}}, headers=own).status

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(write, range(40))) == [201] * 40
    for node in nodes:
        kept = node.admin("GET", f"{path}/protocol-mappers/models").json()
        assert {mapper["name"] for mapper in kept} == {f"m{number}" for number in range(40)}


def test_a_node_that_is_cut_off_gives_tokens_for_a_while_and_says_so(
    nodes: list[ServerProcess], database: Cluster
) -> None:
    node = nodes[0]
    person = node.token(grant_type="password", client_id="admin-cli", username="admin", password="admin").json()
    refresh = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": person["refresh_token"]}
    assert [token(each) for each in nodes] == [200, 200]
    database.stop()
    assert not ready(node)
    assert node.token(**refresh).status == 503
    assert token(node) == 200
    assert eventually(lambda: token(node) == 503) < STALENESS + 1
    assert token(nodes[1]) in {200, 503}
    database.start()
    eventually(lambda: all(map(ready, nodes)))
    assert [token(each) for each in nodes] == [200, 200]
    assert node.token(**refresh).status == 200


def test_a_database_that_hangs_is_no_reason_to_hang(nodes: list[ServerProcess], database: Cluster) -> None:
    node = nodes[0]
    assert token(node) == 200
    with database.frozen():
        assert token(node) == 200
        eventually(lambda: token(node) == 503)
        begun = time.monotonic()
        assert not ready(node)
        assert token(node) == 503
        assert time.monotonic() - begun < 1
    eventually(lambda: token(node) == 200)
    eventually(lambda: ready(node))
    lines = node.log.read_text()
    assert re.search("the database is out of reach", lines)
    assert re.search("the database is in reach again", lines)
