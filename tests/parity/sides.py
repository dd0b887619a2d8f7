"""The two sides of a comparison: a server that is asked, or a record of what one answered."""
# ruff: noqa: T201 - the report is printed

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from parity.compare import ABSENT, Comparison, Difference
from parity.known_differences import KnownDifferences, complaints, label
from parity.records import Records
from parity.runner import Observation, Run, Server
from parity.scenario import Scenario
from parity.shell import Script

Compare = Callable[[Observation, Observation], list[Difference]]


class NoRecord(LookupError):
    """A scenario was never recorded."""


@dataclass(frozen=True, slots=True)
class ScenarioSide:
    """Answers of a server to scenarios of HTTP requests. Raises httpx.HTTPError."""

    server: Server

    def observe(self, scenario: Scenario) -> list[Observation]:
        return Run(self.server, scenario).observe()


@dataclass(frozen=True, slots=True)
class ScriptSide:
    """What the command line `cli` prints when it faces a server. Raises httpx.HTTPError."""

    server: Server
    cli: str

    def observe(self, scenario: Script) -> list[Observation]:
        return scenario.observe(self.server, self.cli)


@dataclass(frozen=True, slots=True)
class RecordedSide:
    """What a server once answered. Raises NoRecord."""

    records: Records

    def observe(self, scenario: Scenario | Script) -> list[Observation]:
        if scenario.name not in self.records:
            raise NoRecord(f"no record of {scenario.name}: record again")
        return self.records[scenario.name]


Observe = Callable[[Any], list[Observation]]


@dataclass(frozen=True, slots=True)
class Compared:
    """A scenario on both sides; `differences` has every step by its label, with none where it is the same."""

    name: str
    reference: list[Observation]
    differences: dict[str, list[Difference]]


def compare_scenarios(
    scenarios: list[Scenario], reference: Observe, candidate: Observe, comparison: Comparison
) -> Iterator[Compared]:
    """Each scenario on both sides at once."""
    with ThreadPoolExecutor(2) as pool:
        for scenario in scenarios:
            right, other = (pool.submit(side, scenario) for side in (reference, candidate))
            yield compared(scenario.name, right.result(), other.result(), comparison.observations)


def compare_scripts(
    scripts: list[Script], reference: Observe, candidate: Observe, comparison: Comparison
) -> Iterator[Compared]:
    """Each script on one side, then on the other: some have a realm of a fixed name."""
    for script in scripts:
        yield compared(script.name, reference(script), candidate(script), comparison.printed)


def compared(name: str, reference: list[Observation], candidate: list[Observation], compare: Compare) -> Compared:
    """Step by step; a step that only one side has is a difference."""
    differences = {}
    for index in range(max(len(reference), len(candidate))):
        pair = [side[index] if index < len(side) else {"step": "(no such step)"} for side in (reference, candidate)]
        differences[label(index + 1, pair[0]["step"])] = compare(*pair)
    return Compared(name, reference, differences)


class Report:
    """Prints the steps that differ and counts those that are the same."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self.same = 0
        self.total = 0
        self._areas: dict[str, list[int]] = {}

    def add(self, seen: Compared) -> None:
        """Counts the scenario's steps and prints them, all of them if verbose."""
        figures = self._areas.setdefault(seen.name.partition("/")[0], [0, 0])
        for step, differences in seen.differences.items():
            figures[0] += not differences
            figures[1] += 1
            if differences or self._verbose:
                print(f"{'different' if differences else 'same     '} {seen.name} {step}")
            for difference in differences:
                print(f"    {difference.path}: {compact(difference.reference)} -> {compact(difference.candidate)}")
        self.same, self.total = (sum(column) for column in zip(*self._areas.values(), strict=True))

    def print_areas(self) -> None:
        """Prints the figures of each area."""
        for area, (same, total) in self._areas.items():
            print(f"{area:<16} {same:>5} of {total:>5}  {same / total:6.1%}")


def unexpected(seen: Compared, known: KnownDifferences) -> list[str]:
    """Why what was seen does not agree with the list of known differences, a line each."""
    return complaints(known.get(seen.name, {}), seen.differences)


def compact(value: Any) -> str:
    """`value` as JSON, cut after 300 characters."""
    text = value if value == ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 300 else f"{text[:300]}…"
