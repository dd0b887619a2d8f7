"""PostgreSQL beside SQLite: CPU time of each kind of request, and how late tokens are while administrators write.

    make bench-postgresql

Both are measured in turns in one run, on fresh databases that write to the disk. The CPU time is the server's; that of
the database, which is a process of its own with PostgreSQL, stands beside it. For the second table tokens are asked for
at a steady rate that leaves the server time, as administrators make, change and delete clients, and rotate secrets.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from benchmarks import assertions, servers
from benchmarks.load import Load, token_request
from benchmarks.measure import introspection
from benchmarks.servers import REALM, TICKS, Server

from harness.postgresql import MISSING, Cluster, cluster, programs

CONNECTIONS = 16
DATABASES = ("SQLite", "PostgreSQL")
WRITES = 50
"""Admin writes a second."""


@dataclass
class Figures:
    """One kind of request on one database; a figure for each round."""

    cpu: list[float] = field(default_factory=list)
    """Microseconds of the server for a request."""
    database: list[float] = field(default_factory=list)
    """The same of the database's own processes."""
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    """Milliseconds."""


def database_seconds(database: Cluster) -> float:
    """CPU time of all of its processes, also of those that have ended."""
    parent = int((database.data / "postmaster.pid").read_text().splitlines()[0])
    children = map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    ticks = 0
    for each in (parent, *children):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(spent) for spent in fields[11 : 15 if each == parent else 13])
    return ticks / TICKS


def loads(server: Server, secret: str) -> Iterator[tuple[str, Load]]:
    """The kinds of request."""
    for algorithm in servers.ALGORITHMS:
        yield algorithm, Load(server.port, [token_request(REALM, servers.client_form(algorithm, secret))])
    yield "ES256, signed assertion", Load(server.port, assertions.signer(server))
    yield "introspection", Load(server.port, *introspection(server, secret))


def measure(server: Server, database: Cluster | None, load: Load, seconds: float, into: Figures) -> None:
    """One round."""
    load.run(CONNECTIONS, 0.3)
    cpu, theirs = server.cpu_seconds(), 0.0 if database is None else database_seconds(database)
    result = load.run(CONNECTIONS, seconds)
    into.cpu.append((server.cpu_seconds() - cpu) / result.count * 1e6)
    into.database.append(0.0 if database is None else (database_seconds(database) - theirs) / result.count * 1e6)
    into.p50.append(result.p50 * 1000)
    into.p99.append(result.p99 * 1000)


def write_steadily(server: Server, rate: float, written: "multiprocessing.Queue[int]") -> None:
    """Makes, changes and deletes clients, and rotates secrets, `rate` of these a second, until the process is ended."""
    admin, clients = servers.Admin(server), f"/{REALM}/clients"
    begun, done = time.monotonic(), 0
    for number in count():
        _, made = admin.call("POST", clients, {"clientId": f"written-{number}-{begun}", "serviceAccountsEnabled": True})
        one = f"{clients}/{made}"
        for method, path, document in (
            ("PUT", one, {"description": "changed"}),
            ("POST", f"{one}/client-secret", {}),
            ("PUT", one, {"enabled": False}),
            ("DELETE", one, None),
        ):
            done += 1
            time.sleep(max(0.0, begun + done / rate - time.monotonic()))
            admin.call(method, path, document)
        done += 1
        written.put(done)
        time.sleep(max(0.0, begun + done / rate - time.monotonic()))


@contextmanager
def writing(server: Server, rate: float) -> Iterator["multiprocessing.Queue[int]"]:
    """Administrators at work, in a process of their own."""
    context = multiprocessing.get_context("spawn")
    written: multiprocessing.Queue[int] = context.Queue()
    process = context.Process(target=write_steadily, args=(replace(server, context=None), rate, written))
    process.start()
    try:
        written.get(timeout=60)
        yield written
    finally:
        process.terminate()
        process.join()


def last_of(written: "multiprocessing.Queue[int]") -> int:
    """The newest figure that has come, which is waited for."""
    newest = written.get(timeout=60)
    while not written.empty():
        newest = written.get()
    return newest


def late(server: Server, load: Load, seconds: float, rate: float, into: dict[bool, Figures]) -> float:
    """One round at a steady rate, without and with administrators; how many writes a second there were."""
    for busy in (False, True):
        with ExitStack() as stack:
            written = stack.enter_context(writing(server, WRITES)) if busy else None
            load.run(CONNECTIONS, 0.3, rate)
            before, begun = 0 if written is None else last_of(written), time.monotonic()
            cpu = server.cpu_seconds()
            result = load.run(CONNECTIONS, seconds, rate)
            into[busy].cpu.append((server.cpu_seconds() - cpu) / result.count * 1e6)
            into[busy].p50.append(result.p50 * 1000)
            into[busy].p99.append(result.p99 * 1000)
            if written is not None:
                writes = (last_of(written) - before) / (time.monotonic() - begun)
    return writes


def table(measured: dict[tuple[str, str], Figures]) -> Iterator[str]:
    """What requests cost."""
    head = ("SQLite, CPU µs", "PostgreSQL", "of its rate", "database µs", "p99 ms, SQLite", "PostgreSQL")
    yield f"{'':<26}" + "".join(f"{text:>16}" for text in head)
    for kind in dict.fromkeys(kind for kind, _ in measured):
        one, other = (measured[kind, database] for database in DATABASES)
        ratios = [theirs / own for theirs, own in zip(one.cpu, other.cpu, strict=True)]
        values = (
            f"{statistics.median(one.cpu):,.0f}",
            f"{statistics.median(other.cpu):,.0f}",
            f"{statistics.median(ratios):.0%}",
            f"{statistics.median(other.database):,.0f}",
            f"{statistics.median(one.p99):.1f}",
            f"{statistics.median(other.p99):.1f}",
        )
        yield f"{kind:<26}" + "".join(f"{value:>16}" for value in values)


def table_of_writes(
    measured: dict[str, dict[bool, Figures]], rate: float, writes: dict[str, list[float]]
) -> Iterator[str]:
    """How late tokens are."""
    head = ("p50 ms, 0 writes", f"{WRITES} a second", "p99 ms, 0 writes", f"{WRITES} a second", "writes/s")
    yield f"{f'ES256, {rate:,.0f} tokens a second':<32}" + "".join(f"{text:>18}" for text in head)
    for database, figures in measured.items():
        values = [
            f"{statistics.median(getattr(figures[busy], name)):.2f}" for name in ("p50", "p99") for busy in figures
        ]
        values.append(f"{statistics.median(writes[database]):.0f}")
        yield f"{database:<32}" + "".join(f"{value:>18}" for value in values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each figure in each round")
    parser.add_argument("--rate", type=float, default=500, help="tokens a second while administrators write")
    given = parser.parse_args()
    if programs() is None:
        print(MISSING)
        return 1
    secret = servers.new_secret()
    measured: dict[tuple[str, str], Figures] = {}
    tokens = {name: {busy: Figures() for busy in (False, True)} for name in DATABASES}
    writes: dict[str, list[float]] = {name: [] for name in DATABASES}
    with tempfile.TemporaryDirectory() as directory, ExitStack() as running:
        database = running.enter_context(cluster(fsync="on", full_page_writes="on"))
        cases: list[tuple[str, str, Server, Load]] = []
        for name in DATABASES:
            data = Path(directory) / name / "data"
            data.parent.mkdir()
            options = () if name == "SQLite" else ("--database", database.new_database())
            server = running.enter_context(servers.serve(data, secret, *options))
            servers.prepare(server, secret)
            cases += [(kind, name, server, load) for kind, load in loads(server, secret)]
        for _ in range(given.rounds):
            for kind, name, server, load in sorted(cases, key=lambda case: case[0]):
                own = None if name == "SQLite" else database
                measure(server, own, load, given.seconds, measured.setdefault((kind, name), Figures()))
            for kind, name, server, load in cases:
                if kind == "ES256":
                    writes[name].append(late(server, load, given.seconds, given.rate, tokens[name]))
        print("\n".join(table(measured)))
        print("\n".join(table_of_writes(tokens, given.rate, writes)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
