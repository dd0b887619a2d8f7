"""Searches by the patterns of SQL's LIKE, where there is no database to ask."""

import itertools
import re

import pytest

from keyturn.admin.like import like, literal


@pytest.mark.parametrize(
    "pattern", ["".join(each) for size in range(5) for each in itertools.product("a%_", repeat=size)]
)
def test_matches_what_the_pattern_says(pattern: str) -> None:
    plain = re.compile(pattern.replace("%", ".*").replace("_", "."))
    matches = like(pattern)
    for size in range(5):
        for letters in itertools.product("ab", repeat=size):
            text = "".join(letters)
            assert matches(text) is (plain.fullmatch(text) is not None), text


def test_case_and_line_breaks_make_no_difference() -> None:
    assert like("A%\u0130")("a\n\u0130".upper())
    assert like("a_b")("A\nB")
    assert not like("%")(None)


def test_what_is_meant_literally_matches_itself_alone() -> None:
    text = "50%_\\x"
    assert like(f"%{literal(text)}%")(f"of {text}!")
    assert not like(literal(text))("50xx\\x")
    assert like("a\\")("a\\")


def test_no_pattern_takes_for_ever() -> None:
    """As a regular expression this one takes years, and nobody else is served meanwhile."""
    assert not like("%a" * 500 + "%b%")("a" * 255)
    assert like("%a" * 100 + "%b%")("a" * 200 + "b")
