"""JSON in and out: Jackson's layout, Java's numbers, and words for what is broken."""

import json
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.cli.kcadm.json_document import BrokenJSON, compact, parse, pretty
from keyturn.cli.kcadm.json_numbers import java_double

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(documents)
def test_what_is_printed_reads_as_what_it_was(document: Any) -> None:
    assert json.loads(pretty(document)) == document
    assert json.loads(compact(document)) == document
    assert parse(pretty(document)) == document


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_printed_in_javas_form_and_loses_nothing(value: float) -> None:
    printed = java_double(value)
    assert float(printed) == value
    mantissa, exponent, _ = printed.partition("E")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    assert fraction
    assert bool(exponent) == (value != 0 and not 1e-3 <= abs(value) < 1e7)
    assert len(whole) == 1 or not exponent


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (100.0, "100.0"),
        (1e7, "1.0E7"),
        (9999999.5, "9999999.5"),
        (0.001, "0.001"),
        (1e-4, "1.0E-4"),
        (-0.0, "-0.0"),
        (5e-324, "4.9E-324"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
    ],
)
def test_prints_numbers_as_java_does(value: float, printed: str) -> None:
    assert java_double(value) == printed


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


@given(st.text())
def test_any_text_is_json_or_is_said_not_to_be(text: str) -> None:
    try:
        expected: Any = json.loads(text, parse_constant=_no_constant)
    except ValueError:
        with pytest.raises(BrokenJSON):
            parse(text)
    else:
        assert parse(text) == expected


def test_what_is_nested_too_deeply_is_not_json() -> None:
    with pytest.raises(BrokenJSON):
        parse("[" * 100_000)
