"""What `python -m parity` can do; each command tells whether every step is as it should be."""
# ruff: noqa: T201 - a command line prints

import argparse
import fnmatch
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from parity import known_differences
from parity.certificates import Authority
from parity.compare import Comparison
from parity.records import (
    HERE,
    KCADM_SCENARIOS,
    OUT_OF_SCOPE,
    RECORDED,
    SCENARIOS,
    Records,
    read_records,
    write_records,
)
from parity.runner import Server
from parity.scenario import Scenario, ScenarioError, load
from parity.server_process import free_port, running_server
from parity.shell import Script
from parity.sides import (
    Compared,
    RecordedSide,
    Report,
    ScenarioSide,
    ScriptSide,
    compare_scenarios,
    compare_scripts,
    unexpected,
)

KEYCLOAK = HERE / "keycloak"
OUR_CLI = f"{shlex.quote(sys.executable)} -m keyturn.cli.kcadm.main"


def http(options: argparse.Namespace) -> bool:
    """Compares the HTTP interfaces, or only records."""
    scenarios = _scenarios(options.only)
    comparison = Comparison(options.level, OUT_OF_SCOPE)
    with ExitStack() as stack:
        reference = stack.enter_context(_server(options.reference, options)) if options.reference else None
        right = ScenarioSide(reference).observe if reference else RecordedSide(read_records(options.replay)).observe
        if reference and options.record and not options.candidate:
            taken = {scenario.name: right(scenario) for scenario in scenarios}
            return _record(options.record, reference, taken)
        candidate = ScenarioSide(stack.enter_context(_candidate(options)))
        compared = list(_printed(compare_scenarios(scenarios, right, candidate.observe, comparison), options))
        if reference and options.record:
            _record(options.record, reference, {seen.name: seen.reference for seen in compared})
    return not any(any(seen.differences.values()) for seen in compared)


def kcadm(options: argparse.Namespace) -> bool:
    """Compares what the command lines print, or only records; without `--candidate`, both face the reference."""
    scripts = _scripts(options.only)
    comparison = Comparison(options.level, OUT_OF_SCOPE)
    with ExitStack() as stack:
        reference = stack.enter_context(_server(options.reference, options)) if options.reference else None
        cli = options.cli or (_keycloak("kcadm") if reference or not options.candidate_cli else "")
        right = ScriptSide(reference, cli).observe if reference else RecordedSide(read_records(options.replay)).observe
        if reference and options.record and not (options.candidate or options.candidate_cli):
            return _record(options.record, reference, {script.name: right(script) for script in scripts})
        faced = stack.enter_context(_candidate(options)) if options.candidate or not reference else reference
        candidate = ScriptSide(faced, options.candidate_cli or cli)
        compared = list(_printed(compare_scripts(scripts, right, candidate.observe, comparison), options))
        if reference and options.record:
            _record(options.record, reference, {seen.name: seen.reference for seen in compared})
    return not any(any(seen.differences.values()) for seen in compared)


def live(options: argparse.Namespace) -> bool:
    """Everything against the real Keycloak: HTTP, the real kcadm.sh, ours; only the listed steps may differ."""
    comparison = Comparison(options.level, OUT_OF_SCOPE)
    known = known_differences.load()
    with ExitStack() as stack:
        url = options.reference or stack.enter_context(_running_keycloak())
        reference = stack.enter_context(_server(url, options))
        candidate = stack.enter_context(_candidate(options))
        cli = options.cli or _keycloak("kcadm")
        right = cache(ScriptSide(reference, cli).observe)  # Java takes a second a command: once for both comparisons
        scenarios, scripts = _scenarios(options.only, some=False), _scripts(options.only, some=False)
        runs = [
            compare_scenarios(scenarios, ScenarioSide(reference).observe, ScenarioSide(candidate).observe, comparison),
            compare_scripts(scripts, right, ScriptSide(candidate, cli).observe, comparison),
            compare_scripts(scripts, right, ScriptSide(candidate, OUR_CLI).observe, comparison),
        ]
        wrong = []
        for name, run in zip(("HTTP", "the real kcadm.sh", "keyturn's kcadm.sh"), runs, strict=True):
            print(f"== {name}", flush=True)
            for seen in _printed(run, options):
                # What differs has been printed above.
                wrong += [f"{seen.name} {line}" for line in unexpected(seen, known) if not line.startswith(" ")]
    if wrong:
        print("\n".join(["== not as listed", *wrong]))
    return not wrong


def known(options: argparse.Namespace) -> bool:
    """Writes the list of known differences anew from the records; reasons of steps that still differ are kept."""
    listed = known_differences.load()
    comparison = Comparison("contract", OUT_OF_SCOPE)
    recorded = RecordedSide(read_records(RECORDED)).observe
    scenarios, scripts = _scenarios(options.only, some=False), _scripts(options.only, some=False)
    with _candidate(options) as candidate:
        runs = (
            compare_scenarios(scenarios, recorded, ScenarioSide(candidate).observe, comparison),
            compare_scripts(scripts, recorded, ScriptSide(candidate, OUR_CLI).observe, comparison),
        )
        for run in runs:
            for seen in _printed(run, options):
                listed[seen.name] = known_differences.renewed(listed.get(seen.name, {}), seen.differences)
    known_differences.write(listed)
    return True


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], bool], str]] = {
    "live": (live, "compare everything with the real Keycloak, which is started; only listed steps may differ"),
    "http": (http, "compare the HTTP interfaces, or record the reference's"),
    "kcadm": (kcadm, "compare what kcadm.sh prints, or record it"),
    "known": (known, "write known_differences.yaml anew from the records"),
}


def _scenarios(only: str, *, some: bool = True) -> list[Scenario]:
    scenarios = load(SCENARIOS, only)
    if some and not scenarios:
        raise ScenarioError(f"no scenario is called {only}")
    return scenarios


def _scripts(only: str, *, some: bool = True) -> list[Script]:
    scripts = [Script(path) for path in sorted(KCADM_SCENARIOS.glob("*.sh"))]
    scripts = [script for script in scripts if fnmatch.fnmatch(script.name, only)]
    if some and not scripts:
        raise ScenarioError(f"no script is called {only}")
    return scripts


def _printed(run: Iterable[Compared], options: argparse.Namespace) -> Iterator[Compared]:
    report = Report(verbose=options.verbose)
    for seen in run:
        report.add(seen)
        yield seen
    report.print_areas()
    print(f"{report.same} of {report.total} steps the same", flush=True)


def _record(directory: Path, reference: Server, taken: Records) -> bool:
    write_records(directory, reference.version(), taken)
    print(f"{sum(map(len, taken.values()))} steps recorded")
    return True


@contextmanager
def _candidate(options: argparse.Namespace) -> Iterator[Server]:
    """The candidate that is named, or a new keyturn."""
    with ExitStack() as stack:
        url = options.candidate
        if not url:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            authority = _authority(options.authority) or Authority.new()
            url = stack.enter_context(running_server(Path(folder), authority))
            yield stack.enter_context(Server(url, options.user, options.password, authority=authority))
            return
        yield stack.enter_context(_server(url, options))


def _server(url: str, options: argparse.Namespace) -> Server:
    """One that runs already."""
    return Server(url, options.user, options.password, authority=_authority(options.authority))


def _authority(path: Path) -> Authority | None:
    """Whom servers that run already believe, where there is such a file."""
    return Authority.from_file(path) if path.exists() else None


@contextmanager
def _running_keycloak() -> Iterator[str]:
    """A Keycloak of our own on a free port. Raises subprocess.CalledProcessError."""
    port = str(free_port())
    url = _keycloak("start", "--port", port)
    try:
        yield url
    finally:
        _keycloak("stop", "--port", port)


def _keycloak(*arguments: str) -> str:
    """What the script prints last. Raises subprocess.CalledProcessError."""
    printed = subprocess.run([KEYCLOAK, *arguments], stdout=subprocess.PIPE, check=True, text=True).stdout
    return printed.strip().rpartition("\n")[2]
