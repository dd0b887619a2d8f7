"""Two nodes of two workers on a PostgreSQL of their own, under load, and every fault in turn.

Fails where a promise is broken: a token that no node gives, an acknowledged write that is gone or there twice, a
refused one that is there, a disabled client that is served for too long, an assertion that counts twice, a node that
does not come back.

Usage: ``python -m chaos [SECONDS]``: goes through all faults again until so many have passed; once, unless told.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg

from chaos.clocks import MovableClock
from chaos.faults import FAULTS, REACHED, SLACK, STALENESS, Scene, disk_of_the_database_is_full, ready
from chaos.load import GOOD, HOSTNAME, Load, Seen, ask
from chaos.proxy import Proxy
from harness.assertions import jwks, key
from harness.postgresql import MISSING, cluster, may_mount, programs
from harness.process import ADMIN, KEYTURN, ServerProcess, environment, free_ports, running

DISK = "1500m"
"""How large a disk each database has; much of it is for what many writes of one document leave behind."""

SLOWEST = 8.0
"""Seconds in which a caller is told that what must be written cannot be."""


def main(seconds: float) -> int:
    if programs() is None:
        print(MISSING)
        return 1
    disk = DISK if may_mount() else None
    faults = [fault for fault in FAULTS if disk or fault is not disk_of_the_database_is_full]
    if disk is None:
        print("left out, since only root may make a disk: disk of the database is full")
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="keyturn-chaos-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        database = stack.enter_context(cluster(disk=disk, max_wal_size="64MB", min_wal_size="32MB"))
        url = database.new_database()
        name = url.rpartition("/")[2]
        proxies = [Proxy(database.port) for _ in range(2)]
        ports = [tuple(free_ports(3)) for _ in range(2)]
        clock = MovableClock(directory / "clock")
        alive: dict[int, ExitStack] = {}

        def start(number: int) -> ServerProcess:
            if number in alive:
                alive[number].close()
            alive[number] = stack.enter_context(ExitStack())
            flags = ("--https-port", "0", "--workers", "2", "--hostname", HOSTNAME, "--housekeeping-interval", "5")
            reached = ("--database", database.url(name, proxies[number].port), "--max-staleness", str(STALENESS))
            variables = {**ADMIN, **clock.variables} if number else ADMIN
            own = running(
                directory / str(number),
                *flags,
                *reached,
                ports=ports[number],  # type: ignore[arg-type]
                variables=variables,
            )
            return alive[number].enter_context(own)

        def doctor() -> str:
            data = ("--data", str(directory / "1" / "data"), "--database", database.url(name, proxies[1].port))
            variables = environment(directory, {**ADMIN, **clock.variables})
            command = [*KEYTURN, "doctor", "--offline", *data]
            return subprocess.run(command, check=False, capture_output=True, text=True, env=variables).stdout

        one = start(0)
        (directory / "1" / "data").mkdir(parents=True, mode=0o700)
        shutil.copy(one.data / "seal.key", directory / "1" / "data" / "seal.key")
        load = Load([one, start(1)])
        prepare(load)
        load.start(askers=4)
        scene = Scene(database, url, proxies, load, clock, start, doctor, stack, disk)
        begun, broken = time.monotonic(), list[str]()
        while True:
            for fault in faults:
                broken += suffered(scene, fault)
            if time.monotonic() >= begun + seconds:
                break
        load.stop()
        broken += [*lost(load), *twice(load, scene.url)]
        tell(f"all, in {time.monotonic() - begun:.0f} s", load, {}, load.tokens.worst_gap_of_all)
        for sentence in broken:
            print(f"BROKEN: {sentence}")
        if broken:
            for number in range(2):
                print((directory / str(number) / "log").read_text()[-3000:])
        return 1 if broken else 0


def prepare(load: Load) -> None:
    """A realm with the clients that are asked for, written and disabled, which keeps all events."""
    node = load.nodes[0]
    node.make_client("plant", "robot", "secret")
    kept = {"eventsEnabled": True, "enabledEventTypes": ["CLIENT_LOGIN"], "adminEventsEnabled": True}
    assert node.admin("PUT", "/plant", kept).status == 204
    signs = {"use.jwks.string": "true", "jwks.string": jwks(key())}
    for client_id in ("victim", "written", "stranded", "signer"):
        document: dict[str, object] = {"clientId": client_id, "secret": "secret", "serviceAccountsEnabled": True}
        if client_id == "signer":
            document |= {"clientAuthenticatorType": "client-jwt", "attributes": signs}
        assert node.admin("POST", "/plant/clients", document).status == 201
        found = node.admin("GET", f"/plant/clients?clientId={client_id}").json()
        load.ids[client_id] = found[0]["id"]
    robot = node.admin("GET", "/plant/clients?clientId=robot").json()[0]["id"]
    audience = {
        "name": "may look at its own tokens",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {"included.client.audience": "robot", "access.token.claim": "true"},
    }
    assert node.admin("POST", f"/plant/clients/{robot}/protocol-mappers/models", audience).status == 201


def suffered(scene: Scene, fault: Callable[[Scene], object]) -> list[str]:
    """Does it, waits until all is well, and tells what was seen. Gives the promises that were broken."""
    load, name = scene.load, fault.__name__.replace("_", " ")
    load.during = name
    before = {seen: Counter(seen.causes) for seen in load.seen}
    failures, scene.away = load.tokens.failures(), 0.0
    load.tokens.begin()
    known = len(load.stale)
    fault(scene)
    begun = time.monotonic()
    broken, scene.broken = [f"{name}: {sentence}" for sentence in scene.broken], []
    while not all(ask(node, GOOD)[0] == 200 and ready(node) for node in load.nodes):
        if time.monotonic() > begun + 30:
            broken.append(f"{name}: not all nodes came back")
            break
        time.sleep(0.05)
    back = time.monotonic() - begun
    time.sleep(1.5)
    tell(name, load, before, load.tokens.worst_gap, back, load.stale[known:])
    failed = load.tokens.failures() - failures
    if failed and scene.away + SLACK / 2 < STALENESS:  # nodes may not go on for longer without a database
        broken.append(f"{name}: {failed} tokens were refused by all nodes")
    worst = max(load.stale[known:], default=0.0)
    if worst > (SLACK if fault in REACHED else STALENESS + SLACK):
        broken.append(f"{name}: a disabled client got tokens for {worst:.1f} s")
    return broken


def lost(load: Load) -> list[str]:
    """Writes that a node does not show although they were acknowledged, or shows although they were refused."""
    broken = [f"an assertion was taken twice: {how}" for how in load.twice]
    if load.slowest_refusal > SLOWEST:
        broken.append(f"it took {load.slowest_refusal:.1f} s to say that nothing can be written")
    paths = (f"/plant/clients/{load.ids['written']}/protocol-mappers/models", "/plant/roles?first=0&max=100000")
    for number, node in enumerate(load.nodes):
        there = {each["name"] for path in paths for each in node.admin("GET", path).json()}
        missing, left = load.acknowledged.keys() - there, load.refused & there
        if missing:
            broken.append(f"node {number} lacks {len(missing)} of {len(load.acknowledged)} acknowledged writes")
        if left:
            broken.append(f"node {number} has {len(left)} of {len(load.refused)} refused writes")
    return broken


def twice(load: Load, url: str) -> list[str]:
    """Events that are missing, or there more than once."""
    broken = []
    with psycopg.connect(url) as connection:
        path = "SELECT document::jsonb->>'resourcePath', count(*) FROM admin_event GROUP BY 1"
        told = {path: count for path, count in connection.execute(path) if "models" in path or "roles" in path}
        paths = [where.partition("/plant/")[2] for where in load.acknowledged.values()]
        silent = [path for path in paths if path not in told]
        doubled = [path for path, count in told.items() if count > 1]
        token = "document::jsonb->'details'->>'token_id'"
        counts = f"SELECT count(*), count(DISTINCT {token}) FROM event WHERE type = 'CLIENT_LOGIN'"
        logins, different = connection.execute(counts.encode()).fetchone() or (0, 0)
    print(f"events of {len(told)} admin writes and of {logins} tokens")
    if silent or doubled:
        broken.append(f"{len(silent)} admin writes have no event, {len(doubled)} have several")
    if logins != different or not logins:
        broken.append(f"{logins} events tell of {different} tokens")
    return broken


def tell(
    name: str,
    load: Load,
    before: dict[Seen, Counter[str]],
    gap: float,
    back: float | None = None,
    stale: list[float] | None = None,
) -> None:
    """Requests, failures by cause, worst gap; since `before`."""
    tokens, writes, used = (dict(seen.causes - before.get(seen, Counter())) for seen in load.seen)
    worst = max(load.stale if stale is None else stale, default=0.0)
    after = "" if back is None else f", all back after {back:.1f} s"
    print(f"{name}\n  tokens {tokens}, worst gap {gap:.2f} s{after}")
    print(f"  admin writes {writes}; longest life of a disabled client {worst:.2f} s")
    print(f"  assertions, each shown to both {used}", flush=True)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 0))
