"""keyturn answers each recorded scenario as Keycloak does, but for the differences that are listed with a reason."""

import pytest

from parity import known_differences
from parity.compare import Comparison
from parity.records import KCADM_SCENARIOS, OUT_OF_SCOPE, RECORDED, SCENARIOS, read_records
from parity.runner import Run, Server
from parity.scenario import Scenario, load
from parity.sides import compared, unexpected

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]

_RECORDS = read_records(RECORDED)
_KNOWN = known_differences.load()
_CONTRACT = Comparison("contract", OUT_OF_SCOPE)
# The longest first, so that the workers end together.
_LOADED = sorted(load(SCENARIOS), key=lambda scenario: -len(scenario.steps))


@pytest.mark.parametrize("scenario", _LOADED, ids=lambda scenario: scenario.name)
def test_answers_as_keycloak_does(scenario: Scenario, server: Server) -> None:
    observed = Run(server, scenario).observe()
    seen = compared(scenario.name, _RECORDS[scenario.name], observed, _CONTRACT.observations)
    complaints = unexpected(seen, _KNOWN)
    assert not complaints, "\n".join(complaints)


def test_every_listed_difference_belongs_to_a_scenario() -> None:
    scripts = {f"kcadm/{path.stem}" for path in KCADM_SCENARIOS.glob("*.sh")}
    assert not _KNOWN.keys() - {scenario.name for scenario in _LOADED} - scripts
