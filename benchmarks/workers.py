"""What several workers give beside one: CPU time for a token, and whether they ever wait for each other.

    make bench-workers

The machine that measures has other things to do, the generator of the load first of all, so the clock on the wall says
little. What N workers would give on N cores of their own follows from two figures that do not depend on that:

- the CPU time of a token, of one worker alone and of N together: what they pay for each other;
- the share of the time in which each of the N had work to do and was on a core, or waited for one (Linux' schedstat).
  What is missing to 100 % they waited for each other - or for a generator that was too slow, which the wall tells.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import assertions, servers
from benchmarks.load import Load, token_request
from benchmarks.servers import REALM, Server

CONNECTIONS = 32


@dataclass
class Measured:
    """One kind of request on one server; a figure for each round."""

    cpu: list[float] = field(default_factory=list)
    """Microseconds for a token."""
    busy: list[float] = field(default_factory=list)
    """The mean of the workers' shares."""
    rate: list[float] = field(default_factory=list)
    """Tokens in a second of the wall."""
    p99: list[float] = field(default_factory=list)
    """Milliseconds."""


def runnable_seconds(process_id: int) -> float:
    """For how long the event loop's thread has been on a core, or waited for one."""
    on_core, waited, _ = Path(f"/proc/{process_id}/task/{process_id}/schedstat").read_text().split()
    return (int(on_core) + int(waited)) / 1e9


def measure(server: Server, load: Load, seconds: float, into: Measured) -> None:
    """One round."""
    load.run(CONNECTIONS, 0.3)
    processes = server.processes()
    cpu, runnable, begun = server.cpu_seconds(), list(map(runnable_seconds, processes)), time.monotonic()
    result = load.run(CONNECTIONS, seconds)
    wall = time.monotonic() - begun
    into.cpu.append((server.cpu_seconds() - cpu) / result.count * 1e6)
    shares = [(runnable_seconds(each) - was) / wall for each, was in zip(processes, runnable, strict=True)]
    into.busy.append(statistics.mean(shares))
    into.rate.append(result.count / wall)
    into.p99.append(result.p99 * 1000)


def loads(server: Server, secret: str) -> Iterator[tuple[str, Load]]:
    """The kinds of request."""
    for algorithm in servers.ALGORITHMS:
        yield algorithm, Load(server.port, [token_request(REALM, servers.client_form(algorithm, secret))])
    yield "ES256, signed assertion", Load(server.port, assertions.signer(server))


def lines(workers: int, measured: dict[tuple[str, int], Measured]) -> Iterator[str]:
    """The table."""
    head = (
        "CPU µs, 1",
        f"CPU µs, {workers}",
        f"busy, {workers}",
        "wall/s, 1",
        f"wall/s, {workers}",
        f"of {workers} × 1",
    )
    yield f"{'':<26}" + "".join(f"{text:>13}" for text in head) + f"{'p99 ms':>16}"
    for kind in dict.fromkeys(kind for kind, _ in measured):
        one, many = measured[kind, 1], measured[kind, workers]
        own, theirs = statistics.median(one.cpu), statistics.median(many.cpu)
        busy = statistics.median(many.busy)
        rates = [f"{statistics.median(each.rate):,.0f}" for each in (one, many)]
        values = (f"{own:,.0f}", f"{theirs:,.0f}", f"{busy:.0%}", *rates, f"{own / theirs * busy:.0%}")
        late = ", ".join(f"{statistics.median(each.p99):.0f}" for each in (one, many))
        yield f"{kind:<26}" + "".join(f"{text:>13}" for text in values) + f"{late:>16}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each figure in each round")
    given = parser.parse_args()
    secret = servers.new_secret()
    measured: dict[tuple[str, int], Measured] = {}
    with tempfile.TemporaryDirectory() as directory, ExitStack() as running:
        cases: list[tuple[str, int, Server, Load]] = []
        memory = {}
        for workers in (1, given.workers):
            data = Path(directory) / str(workers) / "data"
            data.parent.mkdir()
            options = ("--workers", str(workers), "--batch-signing", "off")
            server = running.enter_context(servers.serve(data, secret, *options))
            servers.prepare(server, secret)
            cases += [(kind, workers, server, load) for kind, load in loads(server, secret)]
            memory[workers] = server
        for _ in range(given.rounds):
            for kind, workers, server, load in sorted(cases, key=lambda case: case[0]):
                measure(server, load, given.seconds, measured.setdefault((kind, workers), Measured()))
        print("\n".join(lines(given.workers, measured)))
        resident = ", ".join(f"{workers}: {server.resident_megabytes():.0f}" for workers, server in memory.items())
        print(f"MB resident after the load, by workers: {resident}")


if __name__ == "__main__":
    main()
