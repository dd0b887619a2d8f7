"""Nodes on an engine that speaks PostgreSQL's wire, but tells nobody of commits and refuses some of them (40001)."""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from threading import Event

import psycopg
import pytest

from harness.engine import Engine
from harness.postgresql import MISSING, cluster, programs
from harness.process import ServerProcess, running

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(240),
    pytest.mark.skipif(programs() is None, reason=MISSING),
]

CLIENT = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "secret"}
REFUSED = 0.3


@dataclass(frozen=True, slots=True)
class Deployed:
    """Two nodes, the engine between them and the database, and where that is."""

    nodes: list[ServerProcess]
    engine: Engine
    url: str


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    directory = tmp_path_factory.mktemp("engine")
    with ExitStack() as stack:
        database = stack.enter_context(cluster(default_transaction_isolation="serializable"))
        engine = stack.enter_context(closing(Engine(database.port, refuses=REFUSED)))
        url = database.new_database()
        flags = (
            "--database",
            database.url(url.rpartition("/")[2], engine.port),
            "--https-port",
            "0",
            "--hostname",
            "http://keyturn.example",
        )
        one = stack.enter_context(running(directory / "one", *flags))
        (directory / "two" / "data").mkdir(parents=True, mode=0o700)
        shutil.copy(one.data / "seal.key", directory / "two" / "data" / "seal.key")
        other = stack.enter_context(running(directory / "two", *flags))
        one.make_client("plant", "robot", "secret")
        kept = {"eventsEnabled": True, "enabledEventTypes": ["CLIENT_LOGIN"], "adminEventsEnabled": True}
        assert one.admin("PUT", "/plant", kept).status == 204
        yield Deployed([one, other], engine, url)


def test_what_one_node_writes_counts_on_the_other_within_a_second(deployed: Deployed) -> None:
    one, other = deployed.nodes
    path = "/plant/clients/" + one.admin("GET", "/plant/clients?clientId=robot").json()[0]["id"]
    for enabled, status in ((False, 401), (True, 200), (False, 401), (True, 200)):
        assert one.admin("PUT", path, {"enabled": enabled}).status == 204
        begun = time.monotonic()
        while other.token("plant", **CLIENT).status != status:
            assert time.monotonic() < begun + 1
            Event().wait(0.02)
        one, other = other, one


def test_every_write_that_is_acknowledged_is_there_once_and_so_is_its_event(deployed: Deployed) -> None:
    headers = [{"authorization": f"Bearer {node.admin_token()}"} for node in deployed.nodes]
    known = deployed.nodes[0].admin("GET", "/plant/clients?clientId=robot").json()[0]["id"]
    composite = deployed.nodes[0].admin("GET", "/plant/roles/offline_access").json()
    mappers = f"/clients/{known}/protocol-mappers/models"

    def write(number: int) -> list[tuple[int, str]]:
        """Makes a role, a user, a group, a client and a mapper of the one client, and changes and removes some."""
        node, own = deployed.nodes[number % 2], headers[number % 2]
        mapper = {
            "name": f"m-{number:02}",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-hardcoded-claim-mapper",
        }
        calls: list[tuple[str, str, object]] = [
            ("POST", "/roles", {"name": f"r-{number:02}"}),
            ("POST", "/users", {"username": f"u-{number:02}"}),
            ("POST", "/groups", {"name": f"g-{number:02}"}),
            ("POST", "/clients", {"clientId": f"c-{number:02}"}),
            ("POST", mappers, {**mapper, "config": {"claim.name": "x"}}),
            ("PUT", f"/roles/r-{number:02}", {"name": f"r-{number:02}", "description": "changed"}),
            ("POST", f"/roles/r-{number:02}/composites", [composite]),
        ]
        seen = []
        for method, path, document in calls:
            url = "/admin/realms/plant" + path
            answer = node.request(method, url, document=document, headers=own)
            seen.append((answer.status, path + answer.body.decode()))
        return seen

    refused = deployed.engine.refused
    with ThreadPoolExecutor(4) as pool:
        seen = [each for answers in pool.map(write, range(12)) for each in answers]
    statuses = Counter(status for status, _ in seen)
    assert statuses == {201: 60, 204: 24}, seen
    assert deployed.engine.refused > refused + 10
    for node in deployed.nodes:
        for path, key, letter in (
            ("/roles", "name", "r"),
            ("/users", "username", "u"),
            ("/groups", "name", "g"),
            ("/clients", "clientId", "c"),
            (mappers, "name", "m"),
        ):
            names = [each[key] for each in node.admin("GET", f"/plant{path}?max=1000").json()]
            assert sorted(name for name in names if name[2:].isdigit()) == [f"{letter}-{n:02}" for n in range(12)]
    with psycopg.connect(deployed.url) as connection:
        told = "SELECT document::jsonb->>'resourcePath', document::jsonb->>'operationType', count(*) FROM admin_event"
        rows = connection.execute(f"{told} GROUP BY 1, 2").fetchall()
    made = [row for row in rows if row[1] == "CREATE" and row[0].count("/") in {1, 4}]
    assert [row[2] for row in made] == [1] * 60


def test_events_of_tokens_are_written_once(deployed: Deployed) -> None:
    for turn in range(60):
        assert deployed.nodes[turn % 2].token("plant", **CLIENT).status == 200
        Event().wait(0.05)
    with psycopg.connect(deployed.url, autocommit=True) as connection:
        counts = "SELECT count(*), count(DISTINCT document::jsonb->'details'->>'token_id') FROM event"
        begun, seen = time.monotonic(), (0, 0)
        while seen[0] < 60 and time.monotonic() < begun + 10:
            seen = connection.execute(counts).fetchone() or seen
            Event().wait(0.1)
        assert seen[0] == seen[1] >= 60


def test_logins_and_refreshes_are_written_down_in_spite_of_refusals(deployed: Deployed) -> None:
    node = deployed.nodes[0]
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
    for _ in range(10):
        got = node.token(**form)
        assert got.status == 200, got.body
        refresh = {"grant_type": "refresh_token", "client_id": "admin-cli"}
        again = deployed.nodes[1].token(**refresh, refresh_token=got.json()["refresh_token"])
        assert again.status == 200, again.body
