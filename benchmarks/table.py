"""One table: keyturn, what signing alone costs, and the real Keycloak, measured in turns in one run.

    make bench

docs/explanation/performance.md says what the figures mean. Keycloak is there if Java and its distribution are (``make
parity`` obtains it).
"""

import argparse
import importlib.metadata
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import servers
from benchmarks.measure import PYTHON, Options, Report, Row, measure

_LIBRARIES = ("cryptography", "uvicorn", "uvloop", "httptools", "msgspec", "ipp-crypto")


def processor() -> str:
    """Its name, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    ifma = any(line.startswith("flags") and " avx512ifma" in line for line in lines)
    return f"{names[0] if names else platform.machine()}, {'with' if ifma else 'without'} AVX512-IFMA"


def versions() -> dict[str, str]:
    """Python's, and those of the libraries that matter."""
    found = {"Python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def lines(report: Report) -> list[str]:
    """The table."""
    keycloak = {row.name.removeprefix("Keycloak "): row.rate for row in report.rows if row.name.startswith("Keycloak")}
    head = ("per CPU second", "CPU µs", "of signing", "of Keycloak", "p50 ms", "p99 ms")
    found = [f"{'':<34}" + "".join(f"{text:>16}" for text in head)]
    for row in report.rows:
        ratio = "" if row.yardstick == PYTHON else f"{statistics.median(report.ratios(row)):.0%}"
        theirs = keycloak.get(row.name.removeprefix("keyturn ").partition(",")[0])
        times = "" if theirs is None or row.name.startswith("Keycloak") else f"{row.rate / theirs:.1f} ×"
        values = (f"{row.rate:,.0f}", f"{1e6 / row.rate:,.0f}", ratio, times)
        latency = (f"{statistics.median(row.p50):.1f}", f"{statistics.median(row.p99):.1f}")
        found.append(f"{row.name:<34}" + "".join(f"{text:>16}" for text in (*values, *latency)))
    for name, row in report.yardsticks.items():
        label = "json of Python, 40 members" if name == PYTHON else f"signing alone, {name}"
        found.append(f"{label:<34}{row.rate:>16,.0f}{1e6 / row.rate:>16,.0f}")
    for name, rate in report.openssl.items():
        found.append(f"{f'openssl speed, {name}':<34}" + (f"{'none':>16}" if rate is None else f"{rate:>16,.0f}"))
    return found


def start_to_first_token(rounds: int) -> float:
    """Seconds from the start of the process to the first token on an existing database: the median."""
    secret, times = servers.new_secret(), []
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        with servers.serve(data, secret) as server:
            servers.prepare(server, secret)
        for _ in range(rounds):
            start = time.monotonic()
            with servers.serve(data, secret) as server:
                servers.token(server, servers.client_form("RS256", secret))
                times.append(time.monotonic() - start)
    return statistics.median(times)


def arguments(about: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=Options.rounds)
    parser.add_argument("--seconds", type=float, default=Options.seconds, help="of each row in each round")
    parser.add_argument("--connections", type=int, default=Options.connections)
    return parser


def tell(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def spread(row: Row, report: Report) -> float:
    """How far the rounds lie from their median, as a part of it: the median of the distances."""
    ratios = report.ratios(row)
    middle = statistics.median(ratios)
    return statistics.median(abs(ratio - middle) for ratio in ratios) / middle


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--without-keycloak", action="store_true", help="even if it is there")
    given = parser.parse_args()
    with_keycloak = servers.keycloak_is_here() and not given.without_keycloak
    options = Options(given.rounds, given.seconds, given.connections, with_keycloak)
    print(f"{processor()}, {os.cpu_count()} cores; " + ", ".join(f"{name} {v}" for name, v in versions().items()))
    if not with_keycloak:
        print(
            f"Keycloak {servers.KEYCLOAK_VERSION} is not measured: it needs Java and a distribution in {servers.CACHE}"
        )
    started = start_to_first_token(given.rounds)
    report = measure(options, tell)
    print("\n".join(lines(report)))
    resident = ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in report.resident.items())
    print(f"MB resident after the load: {resident}; start to first token: {started:.2f} s")


if __name__ == "__main__":
    main()
