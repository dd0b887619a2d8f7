"""Is it faster or slower than before? Compares this tree's ratios with those of benchmarks/baseline.json.

    make bench-compare
    .venv/bin/python -m benchmarks.compare --write     # what is measured now is the new baseline

Compared is each rate beside its yardstick of the same run (signing alone, or json of Python), never the rate itself:
so another day, a busy machine and a little another processor do not matter. A row is told as slower, and the exit
status is 1, where its ratio is lower by more than 5 % and by more than three times what the rounds of both runs differ
among themselves.
"""

import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import Options, Report, measure
from benchmarks.table import arguments, processor, spread, tell, versions

BASELINE = Path(__file__).with_name("baseline.json")
LEAST = 0.05
"""A difference below this says nothing, however much the rounds agree."""
SPREADS = 3


def document(report: Report) -> dict[str, Any]:
    """What is kept of a run."""
    rows = {
        row.name: {
            "ratio": round(statistics.median(report.ratios(row)), 4),
            "spread": round(spread(row, report), 4),
            "beside": row.yardstick,
        }
        for row in report.rows
    }
    return {"processor": processor(), "versions": versions(), "rows": rows}


def verdict(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, float, float]:
    """Slower, faster or the same; by how much, and how much says nothing."""
    change = now["ratio"] / before["ratio"] - 1
    tolerance = max(LEAST, SPREADS * math.hypot(before["spread"], now["spread"]))
    if abs(change) <= tolerance:
        return "same", change, tolerance
    return ("faster" if change > 0 else "slower"), change, tolerance


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--write", action="store_true", help="write the baseline instead of comparing with it")
    given = parser.parse_args()
    now = document(measure(Options(given.rounds, given.seconds, given.connections, keycloak=False), tell))
    if given.write:
        BASELINE.write_text(json.dumps(now, indent=2) + "\n")
        print(f"{BASELINE.name} is written")
        return 0
    before = json.loads(BASELINE.read_text())
    for name in ("processor", "versions"):
        if before[name] != now[name]:
            print(f"another {name} than the baseline's: {now[name]}, not {before[name]}")
    worse = False
    print(f"{'':<34}{'baseline':>12}{'now':>12}{'change':>12}{'tolerance':>12}")
    for name, row in now["rows"].items():
        if name not in before["rows"]:
            print(f"{name:<34}{'none':>12}{row['ratio']:>12.3f}")
            continue
        told, change, tolerance = verdict(before["rows"][name], row)
        worse |= told == "slower"
        ratios = f"{before['rows'][name]['ratio']:>12.3f}{row['ratio']:>12.3f}"
        print(f"{name:<34}{ratios}{change:>+12.1%}{tolerance:>12.1%}  {told}")
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
