"""How many nodes does a load need? Writes docs/explanation/capacity.md from what was measured.

.venv/bin/python -m benchmarks.capacity
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BASELINE = Path(__file__).with_name("baseline.json")
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "capacity.md"

SIGNATURES = {"RS256": 3_880, "ES256": 42_900}
"""Signatures alone, a CPU second, on the processor of the baseline (`make bench` prints yours)."""
BYTES = {"RS256": 2_120, "ES256": 1_870}
"""Of a request and its answer with a secret and the default scopes, heads included."""
LOADS = (100, 1_000, 10_000, 100_000, 1_000_000)
"""Tokens a second."""
CORES = 8
WORKERS = 0.9
"""What a core gives with as many workers as cores, of what it gives alone."""
USED = 0.5
"""How much of it is planned for: the rest is for peaks, new connections, and for nodes that are missing."""
SPARE = 1
"""Nodes more than the load needs, so that one may be missing."""


@dataclass(frozen=True)
class Way:
    """A way to ask for tokens, by its row of the baseline."""

    name: str
    row: str
    algorithm: str


WAYS = (
    Way("RS256, TLS kept alive, in batches", "keyturn RS256, TLS kept alive", "RS256"),
    Way("RS256, one by one behind a proxy", "keyturn RS256, one by one", "RS256"),
    Way("ES256, TLS kept alive", "keyturn ES256, TLS kept alive", "ES256"),
    Way("ES256 behind a proxy", "keyturn ES256", "ES256"),
    Way("ES256, a signed assertion each time", "keyturn ES256, signed assertion", "ES256"),
)


def ratios() -> dict[str, float]:
    """By row, the rate beside signing alone."""
    rows = json.loads(BASELINE.read_text())["rows"]
    return {name: row["ratio"] for name, row in rows.items()}


def rate(way: Way) -> int:
    """Tokens a CPU second, of the numbers as the page shows them: whoever computes it again comes to the same."""
    return round(round(ratios()[way.row], 4) * SIGNATURES[way.algorithm])


def of_node(way: Way, cores: int = CORES) -> int:
    """Tokens a second that are planned for a node."""
    return round(rate(way) * cores * WORKERS * USED)


def nodes(way: Way, load: float, cores: int = CORES) -> int:
    """How many nodes `load` tokens a second need, the spare one included."""
    return math.ceil(load / of_node(way, cores)) + SPARE


def traffic(way: Way, load: float) -> float:
    """Megabits a second."""
    return load * BYTES[way.algorithm] * 8 / 1e6


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _parts() -> Iterator[str]:
    first = WAYS[0]
    yield "# How many nodes a load needs"
    yield "<!-- Written by `make docs` (benchmarks/capacity.py); do not edit. -->"
    yield (
        "A token costs CPU time and next to nothing else: no query, no write, no memory of its own. So nodes follow "
        "from "
        "the rate at which tokens are asked for, the cost of one, and how much of a machine is planned for."
    )
    yield "## What one costs"
    yield (
        "Rates are those of [the baseline](../../benchmarks/baseline.json), which are told beside signing alone; "
        "signing "
        f"alone does {SIGNATURES['RS256']:,} RS256 and {SIGNATURES['ES256']:,} ES256 a CPU second on its processor. "
        "On "
        "yours, `make bench` prints both: take your own signatures a second times the ratio."
    )
    yield table(
        ["", "of signing alone", "tokens a CPU second", "CPU µs a token", "a node of 8 cores, planned"],
        [
            [
                way.name,
                f"{ratios()[way.row]:.4f}",
                f"{rate(way):,.0f}",
                f"{1e6 / rate(way):,.0f}",
                f"{of_node(way):,.0f}/s",
            ]
            for way in WAYS
        ],
    )
    yield (
        f"A node is planned with {WORKERS} of its cores' rate, which is what as many "
        "[workers](../how-to/several-workers.md) "
        f"as cores give at least, and with {USED:.0%} of that: {rate(first):,.0f} × {CORES} × {WORKERS} × {USED} = "
        f"{of_node(first):,.0f} tokens a second for the first row. The other half is for peaks, for new TLS "
        "connections, each "
        "of which costs more than a token, and for the load of a node that is missing."
    )
    yield "## Nodes"
    yield f"Nodes of {CORES} cores, {SPARE} of them spare: load ÷ tokens of a node, rounded up, + {SPARE}."
    yield table(
        ["Tokens a second", *(way.name for way in WAYS)],
        [[f"{load:,}", *(f"{nodes(way, load):,}" for way in WAYS)] for load in LOADS],
    )
    most = LOADS[-1]
    yield (
        f"For a million tokens a second as the first row has them: {most:,} ÷ {of_node(first):,.0f} = "
        f"{most / of_node(first):.1f}, so {nodes(first, most)} nodes with the spare one, "
        f"{nodes(first, most) * CORES:,} cores, and "
        f"{most:,} × {BYTES['RS256']:,} bytes × 8 = {traffic(first, most) / 1000:.0f} Gbit/s between them and their "
        "callers. "
        f"With ES256 they are {nodes(WAYS[2], most)}."
    )
    yield (
        "One node needs no PostgreSQL. More than one [share one](../how-to/postgresql.md), and it does not see "
        "tokens: a node "
        "reads a client when it is first asked for, and hears of changes. What does reach the database:"
    )
    yield (
        "- events, where the realm keeps them: a row for each token, written 500 at a time; at high rates leave "
        "`CLIENT_LOGIN` out of the types that are kept, or let them go to the metrics alone;\n"
        "- how often each client was used: a row for each client that was, once a second at most;\n"
        "- assertions and DPoP proofs: a row for each, before its token leaves. Their rate is bounded by what the "
        "database "
        "commits, not by the nodes."
    )
    yield "## Memory"
    yield (
        "62 MB for the first process, 45 MB for each further worker, 10 KB for each client that asked for a token "
        "lately (up to "
        "20,000 of a realm) in each worker, and 110 KB for each realm. 8 workers, 10 realms and 20,000 clients: 62 + "
        "7 × 45 + "
        f"8 × (10 × 0.11 + 20,000 × 0.01) = {62 + 7 * 45 + 8 * (10 * 0.11 + 20_000 * 0.01):,.0f} MB."
    )
    yield "## Fewer tokens"
    yield (
        "The cheapest token is one that is not asked for. A client that keeps its token for 4 of the 5 minutes that "
        "it lives asks "
        "once in 240 seconds: 240,000 instances of services that do so are 1,000 tokens a second, "
        f"{nodes(first, 1_000)} nodes of which one is spare. `keyturn.client` keeps tokens so by itself."
    )


def page() -> str:
    """The page."""
    return "\n\n".join(_parts()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
