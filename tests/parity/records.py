"""The reference's normalised answers, kept where there is no Keycloak: a file an area."""

import json
from pathlib import Path

from parity.runner import Observation

HERE = Path(__file__).parent
SCENARIOS = HERE / "scenarios"
KCADM_SCENARIOS = HERE / "kcadm_scenarios"
RECORDED = HERE / "recorded"
OUT_OF_SCOPE = HERE / "out_of_scope.yaml"

Records = dict[str, list[Observation]]
"""What each scenario's steps saw, by the scenario's name."""


def read_records(path: Path) -> Records:
    """The records in the file or folder `path`."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    return {name: steps for file in files for name, steps in json.loads(file.read_text())["scenarios"].items()}


def write_records(directory: Path, version: str, recorded: Records) -> None:
    """Replaces these scenarios' records in `directory`; `version` is that of the server which answered."""
    directory.mkdir(parents=True, exist_ok=True)
    for area in sorted({name.partition("/")[0] for name in recorded}):
        file = directory / f"{area}.json"
        scenarios = read_records(file) if file.exists() else {}
        scenarios |= {name: steps for name, steps in recorded.items() if name.startswith(f"{area}/")}
        document = {"keycloak": version, "scenarios": dict(sorted(scenarios.items()))}
        file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
