"""keyturn's kcadm.sh on keyturn prints what the real kcadm.sh prints on Keycloak, but for the listed differences."""

import pytest

from parity import known_differences
from parity.commands import OUR_CLI
from parity.compare import Comparison
from parity.records import KCADM_SCENARIOS, OUT_OF_SCOPE, RECORDED, read_records
from parity.runner import Server
from parity.shell import Script
from parity.sides import compared, unexpected

pytestmark = pytest.mark.slow

_RECORDS = read_records(RECORDED / "kcadm.json")
_KNOWN = known_differences.load()
_CONTRACT = Comparison("contract", OUT_OF_SCOPE)
# The longest first, so that the workers end together.
_SCRIPTS = sorted((Script(path) for path in KCADM_SCENARIOS.glob("*.sh")), key=lambda script: -len(script.text))


@pytest.mark.parametrize("script", _SCRIPTS, ids=lambda script: script.path.stem)
def test_prints_what_kcadm_prints(script: Script, server: Server) -> None:
    seen = compared(script.name, _RECORDS[script.name], script.observe(server, OUR_CLI), _CONTRACT.printed)
    complaints = unexpected(seen, _KNOWN)
    assert not complaints, "\n".join(complaints)
