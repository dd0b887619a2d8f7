"""What is done to nodes and their database, one after the other. Each is over when its function returns."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from chaos.load import GOOD, Load, ask
from chaos.proxy import Proxy
from harness.postgresql import Cluster, cluster
from harness.process import ServerProcess

STALENESS: Final = 5
"""``--max-staleness`` of the nodes, in seconds."""

_LISTENERS: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' OR query LIKE %s"
)


@dataclass
class Scene:
    """What faults are done to."""

    database: Cluster
    url: str
    proxies: list[Proxy]
    load: Load
    restart: Callable[[int], ServerProcess]
    stack: ExitStack
    """Ends what a fault has started."""
    away: float = 0.0
    """For how many seconds there was no database in a fault that takes as long as it takes."""

    def node(self, number: int) -> ServerProcess:
        return self.load.nodes[number]


def nothing(_: Scene) -> None:
    time.sleep(5)


def database_killed_and_restarted(scene: Scene) -> None:
    scene.database.kill()
    time.sleep(2)
    scene.database.start()


def failed_over_to_a_standby(scene: Scene) -> None:
    """Which has every acknowledged commit; its address is that of the former."""
    standby = scene.stack.enter_context(cluster(of=scene.database))
    scene.database.wait_for_standby()
    time.sleep(2)
    begun = time.monotonic()
    scene.database.kill()
    standby.promote()
    for proxy in scene.proxies:
        proxy.lead_to(standby.port)
    scene.url = standby.url(scene.url.rpartition("/")[2])
    scene.database = standby
    scene.away = time.monotonic() - begun


def database_hangs(scene: Scene) -> None:
    with scene.database.frozen():
        time.sleep(4)


def database_is_slow(scene: Scene) -> None:
    with ExitStack() as stack:
        for proxy in scene.proxies:
            stack.enter_context(proxy.slow(0.1))
        time.sleep(6)


def connections_are_cut_one_by_one(scene: Scene) -> None:
    for _ in range(30):
        for proxy in scene.proxies:
            proxy.cut_one()
        time.sleep(0.2)


def nobody_is_told(scene: Scene) -> None:
    """Who listens loses the connection again and again, with whatever it would have been told."""
    for _ in range(12):
        with psycopg.connect(scene.url, autocommit=True) as connection:
            connection.execute(_LISTENERS, ('SELECT "value" FROM "revision"',))
        time.sleep(0.5)


def one_node_is_cut_off(scene: Scene) -> None:
    """For longer than it may go on; a client that it knows is disabled meanwhile."""
    load, client = scene.load, {**GOOD, "client_id": "stranded"}
    for _ in range(20):  # until each of its workers knows the client
        ask(scene.node(1), client)
    with scene.proxies[1].silent():
        until = time.monotonic() + STALENESS + 4
        while load.admin(scene.node(0), "PUT", "/clients/{stranded}", {"enabled": False})[0] != 204:
            time.sleep(0.1)
        begun, last = time.monotonic(), 0.0
        while time.monotonic() < until:
            asked = time.monotonic()
            if ask(scene.node(1), client)[0] == 200:
                last = asked - begun
            time.sleep(0.02)
        load.stale.append(last)
    load.admin(scene.node(0), "PUT", "/clients/{stranded}", {"enabled": True})


def one_node_is_killed_and_started_again(scene: Scene) -> None:
    node = scene.node(1)
    node.process.send_signal(signal.SIGKILL)
    node.process.wait()
    time.sleep(1)
    scene.load.nodes[1] = scene.restart(1)


def one_worker_is_killed(scene: Scene) -> None:
    for _ in range(3):
        parent = scene.node(0).process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if children:
            os.kill(int(children[0]), signal.SIGKILL)
        time.sleep(1.5)


def one_node_sleeps_and_the_log_is_pruned(scene: Scene) -> None:
    """What it missed is no longer in the log when it wakes."""
    pid = scene.node(1).process.pid
    everyone = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    for each in everyone:
        os.kill(each, signal.SIGSTOP)
    try:
        time.sleep(2)
        with psycopg.connect(scene.url, autocommit=True) as connection:
            connection.execute('DELETE FROM "change" WHERE "revision" < (SELECT "value" FROM "revision")')
    finally:
        for each in everyone:
            os.kill(each, signal.SIGCONT)


FAULTS: Final[tuple[Callable[[Scene], Any], ...]] = (
    nothing,
    database_killed_and_restarted,
    failed_over_to_a_standby,
    database_hangs,
    database_is_slow,
    connections_are_cut_one_by_one,
    nobody_is_told,
    one_node_is_cut_off,
    one_worker_is_killed,
    one_node_is_killed_and_started_again,
    one_node_sleeps_and_the_log_is_pruned,
)
