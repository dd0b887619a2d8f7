"""Two nodes of two workers on a PostgreSQL of their own, under load, and every fault in turn.

Fails where a promise is broken: a token that no node gives, an acknowledged write that is gone, a disabled client that
is served for too long, a node that does not come back.

Usage: ``python -m chaos [SECONDS]``: goes through all faults again until so many have passed; once, unless told.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from chaos.faults import FAULTS, STALENESS, Scene
from chaos.load import GOOD, Load, ask
from chaos.proxy import Proxy
from harness.postgresql import MISSING, cluster, programs
from harness.process import ServerProcess, free_ports, running

SLACK = 1.0
"""Seconds in which a node hears of a change, beyond what it may remember."""

HOSTNAME = "http://keyturn.example"


def main(seconds: float) -> int:
    if programs() is None:
        print(MISSING)
        return 1
    with ExitStack() as stack:
        database = stack.enter_context(cluster())
        url = database.new_database()
        name = url.rpartition("/")[2]
        directory = Path(tempfile.mkdtemp(prefix="keyturn-chaos-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        proxies = [Proxy(database.port) for _ in range(2)]
        ports = [tuple(free_ports(3)) for _ in range(2)]
        alive: dict[int, ExitStack] = {}

        def start(number: int) -> ServerProcess:
            if number in alive:
                alive[number].close()
            alive[number] = stack.enter_context(ExitStack())
            flags = ("--https-port", "0", "--workers", "2", "--hostname", HOSTNAME)
            reached = ("--database", database.url(name, proxies[number].port), "--max-staleness", str(STALENESS))
            own = running(directory / str(number), *flags, *reached, ports=ports[number])  # type: ignore[arg-type]
            return alive[number].enter_context(own)

        one = start(0)
        (directory / "1" / "data").mkdir(parents=True, mode=0o700)
        shutil.copy(one.data / "seal.key", directory / "1" / "data" / "seal.key")
        load = Load([one, start(1)])
        prepare(load)
        load.start(askers=4)
        scene = Scene(database, url, proxies, load, start, stack)
        until, broken = time.monotonic() + seconds, list[str]()
        while True:
            for fault in FAULTS:
                broken += suffered(scene, fault)
            if time.monotonic() >= until:
                break
        load.stop()
        broken += lost(load)
        tell("all", load, load.tokens.worst_gap)
        for sentence in broken:
            print(f"BROKEN: {sentence}")
        if broken:
            for number in range(2):
                print((directory / str(number) / "log").read_text()[-3000:])
        return 1 if broken else 0


def prepare(load: Load) -> None:
    """A realm with the clients that are asked for, written and disabled."""
    node = load.nodes[0]
    node.make_client("plant", "robot", "secret")
    for client_id in ("victim", "written", "stranded"):
        document = {"clientId": client_id, "secret": "secret", "serviceAccountsEnabled": True}
        assert node.admin("POST", "/plant/clients", document).status == 201
        found = node.admin("GET", f"/plant/clients?clientId={client_id}").json()
        load.ids[client_id] = found[0]["id"]


def suffered(scene: Scene, fault: Callable[[Scene], object]) -> list[str]:
    """Does it, waits until all is well, and tells what was seen. Gives the promises that were broken."""
    load, name = scene.load, fault.__name__.replace("_", " ")
    before, scene.away = load.tokens.failures(), 0.0
    load.tokens.begin()
    known = len(load.stale)
    fault(scene)
    begun = time.monotonic()
    broken = []
    while not all(ask(node, GOOD)[0] == 200 and _ready(node) for node in load.nodes):
        if time.monotonic() > begun + 30:
            broken.append(f"{name}: not all nodes came back")
            break
        time.sleep(0.05)
    back = time.monotonic() - begun
    time.sleep(1.5)
    tell(name, load, load.tokens.worst_gap, back)
    failed = load.tokens.failures() - before
    if failed and scene.away + SLACK < STALENESS:  # nodes may not go on for longer without a database
        broken.append(f"{name}: {failed} tokens were refused by all nodes")
    worst = max(load.stale[known:], default=0.0)
    if worst > STALENESS + SLACK:
        broken.append(f"{name}: a disabled client got tokens for {worst:.1f} s")
    return broken


def lost(load: Load) -> list[str]:
    """Acknowledged writes that a node does not show."""
    path = f"/plant/clients/{load.ids['written']}/protocol-mappers/models"
    broken = []
    for number, node in enumerate(load.nodes):
        there = {mapper["name"] for mapper in node.admin("GET", path).json()}
        missing = [name for name in load.acknowledged if name not in there]
        if missing:
            broken.append(f"node {number} lacks {len(missing)} of {len(load.acknowledged)} acknowledged writes")
    return broken


def tell(name: str, load: Load, gap: float, back: float | None = None) -> None:
    """A line: requests, failures by cause, worst gap."""
    tokens, writes = dict(load.tokens.causes), dict(load.writes.causes)
    stale = max(load.stale, default=0.0)
    after = "" if back is None else f", all back after {back:.1f} s"
    print(f"{name}\n  tokens {tokens}, worst gap {gap:.2f} s{after}")
    print(f"  admin writes {writes}; longest life of a disabled client so far {stale:.2f} s", flush=True)


def _ready(node: ServerProcess) -> bool:
    with suppress(OSError):
        return node.request("GET", "/health/ready", management=True).status == 200
    return False


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 0))
