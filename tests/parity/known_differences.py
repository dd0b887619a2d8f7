"""The steps whose answers are known to differ from Keycloak's, each with its reason; nothing else may differ.

The list stays honest by itself: a step that stands in it and has become the same is an error, too.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from parity.compare import Difference

PATH = Path(__file__).with_name("known_differences.yaml")
PLANNED = "planned"
DELIBERATE = "deliberate: "
_HEAD = """\
# Steps whose answer differs from Keycloak's, by scenario, each with its reason:
#   planned             it will be as Keycloak's
#   deliberate: WHY     it stays so; docs/compatibility.md tells users
# `make parity-known` writes this file anew and keeps the reasons; it can only be right to shrink it.
"""

KnownDifferences = dict[str, dict[str, str]]
"""The reasons by scenario and step."""


class InvalidReason(ValueError):
    """A difference is listed without a reason that counts."""


def load(path: Path = PATH) -> KnownDifferences:
    """The list. Raises InvalidReason."""
    listed: KnownDifferences = yaml.safe_load(path.read_text()) or {} if path.exists() else {}
    for scenario, steps in listed.items():
        for step, reason in steps.items():
            if reason != PLANNED and not (reason.startswith(DELIBERATE) and reason.removeprefix(DELIBERATE).strip()):
                raise InvalidReason(f"{scenario}: {step}: {reason!r} is neither `{PLANNED}` nor `{DELIBERATE}…`")
    return listed


def write(listed: KnownDifferences, path: Path = PATH) -> None:
    """Writes the list, without scenarios that have no difference."""
    kept = {scenario: dict(sorted(steps.items())) for scenario, steps in sorted(listed.items()) if steps}
    text = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=10_000) if kept else ""
    path.write_text(_HEAD + text)


def label(index: int, step: str) -> str:
    """How the list names the step at `index`, from 1: `07 token for email`."""
    return f"{index:02d} {step}"


def renewed(old: Mapping[str, str], seen: Mapping[str, list[Difference]]) -> dict[str, str]:
    """The reasons of a scenario whose steps differ as `seen`: kept where known, else planned."""
    return {step: old.get(step, PLANNED) for step, differences in seen.items() if differences}


def complaints(listed: Mapping[str, str], seen: Mapping[str, list[Difference]]) -> list[str]:
    """Why the list and what was seen of its scenario do not agree, a line each; empty where they do."""
    lines = []
    for step, differences in seen.items():
        if differences and step not in listed:
            lines += [f"{step} differs from Keycloak:", *described(differences)]
        if not differences and step in listed:
            lines.append(f"{step} has become the same as Keycloak's: take it off the list (make parity-known)")
    lines += [f"{step} is listed and there is no such step" for step in listed if step not in seen]
    return lines


def described(differences: Iterable[Difference]) -> list[str]:
    """A line for each difference: where, the reference's, the candidate's."""
    return [
        f"    {difference.path}: {difference.reference!r:.300} -> {difference.candidate!r:.300}"
        for difference in differences
    ]
