"""What is done to nodes and their database, one after the other. Each is over when its function returns."""

import base64
import json
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from chaos.clocks import MovableClock
from chaos.load import GOOD, HOSTNAME, Load, ask
from chaos.proxy import Proxy
from harness.assertions import assertion
from harness.postgresql import Cluster, cluster
from harness.process import ServerProcess
from keyturn.store.backends.postgresql import FOLLOWED

STALENESS: Final = 5
"""``--max-staleness`` of the nodes, in seconds."""

SLACK: Final = 1.0
"""Seconds in which a node hears of a change, beyond what it may remember."""

_LISTENERS: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' OR query = %s"


@dataclass
class Scene:
    """What faults are done to."""

    database: Cluster
    url: str
    proxies: list[Proxy]
    load: Load
    clock: MovableClock
    """That of the second node."""
    restart: Callable[[int], ServerProcess]
    doctor: Callable[[], str]
    """What the second node's says."""
    stack: ExitStack
    """Ends what a fault has started."""
    disk: str | None = None
    """How large a disk of its own each database has."""
    away: float = 0.0
    """For how many seconds there was no database in a fault that takes as long as it takes."""
    broken: list[str] = field(default_factory=list)
    """Promises that a fault has found broken."""

    def node(self, number: int) -> ServerProcess:
        return self.load.nodes[number]

    def holds(self, promise: bool, sentence: str) -> None:
        """Notes `sentence` where what was promised is not so."""
        if not promise:
            self.broken.append(sentence)


def nothing(_: Scene) -> None:
    time.sleep(5)


def database_killed_and_restarted(scene: Scene) -> None:
    begun = time.monotonic()
    scene.database.kill()
    time.sleep(2)
    scene.database.start()
    scene.away = time.monotonic() - begun


def failed_over_to_a_standby(scene: Scene) -> None:
    """Which has every acknowledged commit; its address is that of the former."""
    standby = scene.stack.enter_context(cluster(of=scene.database, disk=scene.disk))
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
    begun = time.monotonic()
    with scene.database.frozen():
        time.sleep(4)
    scene.away = time.monotonic() - begun


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
            connection.execute(_LISTENERS, (FOLLOWED,))
        time.sleep(0.5)


def disk_of_the_database_is_full(scene: Scene) -> None:
    """Writes are refused and leave no trace, tokens go on; with room there is, all is well again.

    A server that cannot write its log stops: then it is as if it had been killed.
    """
    begun, refused = time.monotonic(), 0
    while time.monotonic() < begun + 4:
        scene.database.fill_disk()
        name = f"large{time.monotonic()}"
        role = {"name": name, "attributes": {"long": [secrets.token_hex(20_000) for _ in range(5)]}}
        refused += scene.load.make(scene.node(0), "/roles", name, role) == 503
    if not scene.database.lives():
        scene.away = time.monotonic() - begun
    scene.database.make_room()
    scene.holds(refused > 0, "a full disk refused no write")


def one_node_is_cut_off(scene: Scene) -> None:
    """For longer than it may go on; a client that it knows is disabled meanwhile."""
    load, node = scene.load, scene.node(1)
    with _stranded(scene), scene.proxies[1].silent():
        begun = time.monotonic()
        _refused_within(scene, STALENESS + SLACK, lambda: _disable(scene))
        scene.holds(not ready(node), "a node that is cut off says that it is ready")
        asked = time.monotonic()
        scene.holds(ask(node, GOOD)[0] == 503, "a node that is cut off gives tokens for too long")
        shown = assertion("signer", f"{HOSTNAME}/realms/plant", time.time())
        scene.holds(not load.taken(node, shown), "a node that is cut off takes assertions")
        scene.holds(load.admin(node, "GET", "")[0] == 503, "a node that is cut off is administered")
        scene.holds(time.monotonic() - asked < SLACK, "a node that is cut off keeps its callers waiting")
        time.sleep(max(begun + STALENESS + 4 - time.monotonic(), 0))


def clocks_are_apart(scene: Scene) -> None:
    """One node's is ahead, behind, far ahead, far behind, and set back by an hour; what expires does so by it."""
    ahead, behind = scene.node(1), scene.node(0)
    for off in (30, -30, 600, -600, -3600):
        scene.clock.set(off)
        time.sleep(0.2)
        with _stranded(scene):
            _refused_within(scene, SLACK, lambda: _disable(scene))
        made = ask(ahead, GOOD)[1]["access_token"]
        told = json.loads(base64.urlsafe_b64decode(made.split(".")[1] + "=="))
        scene.holds(abs(told["iat"] - time.time() - off) < SLACK + 1, f"{off} s: a token tells another time")
        scene.holds(told["exp"] - told["iat"] == 300, f"{off} s: a token lives for another time")
        scene.holds(active(behind, made) == (off > -300), f"{off} s: a token ends otherwise than by the clock there")
        other = ask(behind, GOOD)[1]["access_token"]
        scene.holds(active(ahead, other) == (off < 300), f"{off} s: a token ends otherwise than by the clock here")
        scene.holds(
            f"{abs(off)} seconds off that of the database" in scene.doctor(), f"{off} s: the doctor finds nothing"
        )
        time.sleep(2)
    said = ahead.log.read_text()
    scene.holds("s off that of the database" in said, "the log of a node says nothing of its clock")
    scene.clock.set(0)
    time.sleep(1)


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
    with _stranded(scene):
        for each in everyone:
            os.kill(each, signal.SIGSTOP)
        try:
            time.sleep(2)
            _disable(scene)
            with psycopg.connect(scene.url, autocommit=True) as connection:
                connection.execute('DELETE FROM "change" WHERE "revision" <= (SELECT "value" FROM "revision")')
        finally:
            for each in everyone:
                os.kill(each, signal.SIGCONT)
        _refused_within(scene, SLACK, lambda: None)


def ready(node: ServerProcess) -> bool:
    with suppress(OSError):
        return node.request("GET", "/health/ready", management=True).status == 200
    return False


def active(node: ServerProcess, token: str) -> bool:
    """What the node says of an access token."""
    form = {"token": token, "client_id": "robot", "client_secret": "secret"}
    answer = node.request("POST", "/realms/plant/protocol/openid-connect/token/introspect", form=form)
    return bool(answer.json()["active"])


_STRANDED: Final = {**GOOD, "client_id": "stranded"}


@contextmanager
def _stranded(scene: Scene) -> Iterator[None]:
    """Each worker of the second node knows the client ``stranded``, which is good again afterwards."""
    for _ in range(20):
        ask(scene.node(1), _STRANDED)
    yield
    while scene.load.admin(scene.node(0), "PUT", "/clients/{stranded}", {"enabled": True})[0] != 204:
        time.sleep(0.1)


def _disable(scene: Scene) -> None:
    while scene.load.admin(scene.node(0), "PUT", "/clients/{stranded}", {"enabled": False})[0] != 204:
        time.sleep(0.1)


def _refused_within(scene: Scene, seconds: float, act: Callable[[], None]) -> None:
    """Asks the second node for tokens of the client until so many seconds after `act`: none comes at the end."""
    act()
    begun, last = time.monotonic(), 0.0
    while time.monotonic() < begun + seconds + SLACK:
        asked = time.monotonic()
        if ask(scene.node(1), _STRANDED)[0] == 200:
            last = asked - begun
        time.sleep(0.02)
    scene.load.stale.append(last)
    scene.holds(last <= seconds, f"a disabled client got tokens for {last:.1f} s")


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
    disk_of_the_database_is_full,
    clocks_are_apart,
)

REACHED: Final = frozenset({nothing, nobody_is_told, one_worker_is_killed, clocks_are_apart})
"""Those in which both nodes reach the database all the time: what is disabled is refused within ``SLACK``."""
