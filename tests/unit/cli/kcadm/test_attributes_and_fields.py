"""Changes to documents and filters over them: whatever is typed ends in a document or a message."""

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from keyturn.cli.kcadm.attributes import apply_changes, merge, parse_change
from keyturn.cli.kcadm.csv_output import csv_lines
from keyturn.cli.kcadm.errors import KcadmError
from keyturn.cli.kcadm.fields import parse_fields
from keyturn.cli.kcadm.json_document import compact

names = st.sampled_from(["a", "b", "c"])
values = st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(names, inner))
documents = st.dictionaries(names, values)
typed = st.text(alphabet='ab.[]"+=-*(),0', max_size=12)


@given(documents, typed, st.sampled_from(["set", "delete"]))
def test_any_change_gives_an_object_or_a_message(document: dict[str, Any], text: str, operation: str) -> None:
    with contextlib.suppress(KcadmError):
        apply_changes(document, [parse_change(operation, text)])
    assert json.loads(compact(document)) is not None


@given(documents, names, st.integers())
def test_what_was_set_is_there_and_the_rest_is_as_it_was(document: dict[str, Any], name: str, value: int) -> None:
    before = {key: item for key, item in document.items() if key != name}
    apply_changes(document, [parse_change("set", f"{name}={value}")])
    assert document == before | {name: value}


@given(documents)
def test_merging_a_document_into_itself_changes_nothing(document: dict[str, Any]) -> None:
    target = dict(document)
    merge(document, target)
    assert target == document


@given(values, typed)
def test_any_filter_shows_a_part_or_gives_a_message(value: Any, text: str) -> None:
    try:
        fields = parse_fields(text)
    except KcadmError:
        return
    shown = fields.apply(value)
    assert fields.apply(shown) == shown
    if isinstance(value, dict):
        assert shown.keys() <= value.keys()
    assert len(csv_lines(value, fields, quoted=True)) == (len(value) if isinstance(value, list) else 1)
