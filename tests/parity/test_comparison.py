"""The parts of the comparison that need no server."""

import json
from pathlib import Path

import pytest

from parity.compare import Comparison, Difference
from parity.expand import UnknownPlaceholder, expand, find, remove
from parity.normalise import Normaliser
from parity.records import OUT_OF_SCOPE, SCENARIOS
from parity.scenario import ScenarioError, load
from parity.shell import _layout

CONTRACT = Comparison("contract", OUT_OF_SCOPE)
FULL = Comparison("full", OUT_OF_SCOPE)


def answer(body: object, status: int = 200, **more: object) -> dict[str, object]:
    return {"step": "s", "status": status, "headers": {}, "body": body, **more}


def paths(differences: list[Difference]) -> list[str]:
    return [difference.path for difference in differences]


def test_placeholders_keep_the_type_of_what_stands_alone() -> None:
    names = {"role": {"id": "1"}, "id": "42"}
    assert expand(["<role>", "a/<id>", "\\<b>"], names) == [{"id": "1"}, "a/42", "<b>"]
    with pytest.raises(UnknownPlaceholder):
        expand("<nothing>", names)


def test_paths_find_and_remove() -> None:
    document = {"a": [{"name": "x", "b.c": 1}, {"name": "y"}]}
    assert find(document, '$.a[name=x]["b.c"]') == 1
    remove(document, "$.a[*].name")
    assert document == {"a": [{"b.c": 1}, {}]}


def test_what_differs_from_run_to_run_is_replaced() -> None:
    normaliser = Normaliser({"http://h:1": "url", "realm-1": "realm"}, lambda token: "holds")
    seen = normaliser.value(
        {
            "id": "0b6a5b4e-9a53-4b9c-8a38-5f4f0b8f5f0e",
            "iss": "http://h:1/realms/realm-1",
            "secret": "a" * 86,
            "roles": ["b", "a"],
            "scope": "b a",
            "expires_in": 300,
        }
    )
    assert seen == {
        "id": "<uuid>",
        "iss": "<url>/realms/<realm>",
        "secret": "<secret of 86>",
        "roles": ["a", "b"],
        "scope": "a b",
        "expires_in": 300,
    }


def test_contract_allows_more_keys_and_full_does_not() -> None:
    reference, candidate = answer({"a": 1}), answer({"a": 1, "b": 2})
    assert CONTRACT.observations(reference, candidate) == []
    assert paths(FULL.observations(reference, candidate)) == ["$.b"]


def test_errors_and_exact_steps_allow_no_more_keys() -> None:
    assert paths(CONTRACT.observations(answer({"a": 1}, 400), answer({"a": 1, "b": 2}, 400))) == ["$.b"]
    assert paths(CONTRACT.observations(answer({"a": 1}, exact=True), answer({"a": 1, "b": 2}))) == ["$.b"]


def test_missing_items_are_named() -> None:
    reference, candidate = answer([{"name": "a"}, {"name": "b"}]), answer([{"name": "b"}])
    assert paths(CONTRACT.observations(reference, candidate)) == ["$[name=a]"]


def test_times_may_be_some_seconds_apart() -> None:
    assert CONTRACT.observations(answer({"exp": "<iat+300>"}), answer({"exp": "<iat+299>"})) == []
    assert paths(CONTRACT.observations(answer({"exp": "<iat+300>"}), answer({"exp": "<iat+60>"}))) == ["$.exp"]


def test_what_only_java_says_matters_at_the_level_full_alone() -> None:
    reference = answer({"error": 'Unrecognized field "color" at line 1 column 31.'}, 400)
    candidate = answer({"error": 'Unrecognized field "color".'}, 400)
    assert CONTRACT.observations(reference, candidate) == []
    assert paths(FULL.observations(reference, candidate)) == ["$.error"]


def test_a_step_that_the_reference_cannot_take_is_no_success() -> None:
    failed = {"step": "s", "failure": "nothing saved as 'id'"}
    assert paths(CONTRACT.observations(failed, failed)) == ["failure"]


@pytest.mark.parametrize(
    ("text", "layout"),
    [('[ {\n  "a" : 1\n} ]', "pretty"), ('{"a":[]}\n', "compressed with a line's end"), ('{"a": 1}', "other")],
)
def test_layouts_of_json(text: str, layout: str) -> None:
    assert _layout(text, json.loads(text)) == layout


def test_every_scenario_can_be_read() -> None:
    assert load(SCENARIOS)


def test_an_ignored_path_needs_a_reason(tmp_path: Path) -> None:
    (tmp_path / "area").mkdir()
    (tmp_path / "area" / "one.yaml").write_text("about: a\nsteps: [{step: s, do: GET /, ignore: [{path: $.a}]}]\n")
    with pytest.raises(ScenarioError):
        load(tmp_path)


def test_a_handshake_that_fails_on_one_side_alone_differs() -> None:
    ended = {"step": "s", "ended": "the connection"}
    assert CONTRACT.observations(ended, ended) == []
    assert paths(CONTRACT.observations(ended, answer(None, 401))) == ["status", "ended"]


def test_a_thumbprint_is_told_from_another_one() -> None:
    normaliser = Normaliser({"A" * 43: "own.x5t"}, lambda token: "holds")
    assert normaliser.value({"x5t#S256": "A" * 43}) == {"x5t#S256": "<own.x5t>"}
    assert normaliser.value({"x5t#S256": "B" * 43}) == {"x5t#S256": "<x5t#S256>"}
