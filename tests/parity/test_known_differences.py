"""The list of known differences is honest: nothing unlisted, nothing listed for nothing, no reason that is none."""

from pathlib import Path

import pytest

from parity import known_differences
from parity.compare import Difference

_DIFFERS = [Difference("status", 200, 404)]


def test_a_difference_that_is_not_listed_is_an_error() -> None:
    complaints = known_differences.complaints({}, {"01 a": _DIFFERS, "02 b": []})
    assert complaints == ["01 a differs from Keycloak:", "    status: 200 -> 404"]


def test_a_listed_difference_is_none() -> None:
    assert known_differences.complaints({"01 a": "planned"}, {"01 a": _DIFFERS, "02 b": []}) == []


def test_a_listed_step_that_has_become_the_same_is_an_error() -> None:
    (complaint,) = known_differences.complaints({"01 a": "planned"}, {"01 a": []})
    assert complaint.startswith("01 a has become the same")


def test_a_listed_step_that_does_not_exist_is_an_error() -> None:
    assert known_differences.complaints({"09 z": "planned"}, {"01 a": []}) == [
        "09 z is listed and there is no such step"
    ]


def test_writing_the_list_anew_keeps_reasons_and_drops_what_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    old = {"01 a": "deliberate: a 400 is better than a 500", "02 b": "planned"}
    new = known_differences.renewed(old, {"01 a": _DIFFERS, "02 b": [], "03 c": _DIFFERS})
    known_differences.write({"area/one": new, "area/two": {}}, path)
    assert known_differences.load(path) == {
        "area/one": {"01 a": "deliberate: a 400 is better than a 500", "03 c": "planned"}
    }


@pytest.mark.parametrize("reason", ["", "later", "deliberate:", "deliberate:  "])
def test_a_reason_that_says_nothing_is_refused(tmp_path: Path, reason: str) -> None:
    path = tmp_path / "known.yaml"
    known_differences.write({"area/one": {"01 a": reason}}, path)
    with pytest.raises(known_differences.InvalidReason):
        known_differences.load(path)
