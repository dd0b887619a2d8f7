"""Addresses, composed in Java's manner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.cli.kcadm.errors import UsageError
from keyturn.cli.kcadm.url import add_query, check_url, in_java_order, resource_url


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("users", "http://h/admin/realms/m/users"),
        ("/users", "http://h/admin/realms/m/users"),
        ("realms", "http://h/admin/realms"),
        ("realms/x", "http://h/admin/realms/x"),
        ("realmsx", "http://h/admin/realms/m/realmsx"),
        ("serverinfo", "http://h/admin/serverinfo"),
        ("serverinfo/x", "http://h/admin/realms/m/serverinfo/x"),
        ("https://other/x", "https://other/x"),
    ],
)
def test_a_resource_is_in_the_realm_unless_it_is_above_all_realms(uri: str, url: str) -> None:
    assert resource_url("http://h/admin", "m", uri) == url


def test_parameters_stand_in_the_order_of_a_java_map() -> None:
    names = ["zeta", "alpha", "mid", "k k", "q"]
    assert [name for name, _ in in_java_order(dict.fromkeys(names, ""))] == ["zeta", "q", "alpha", "k k", "mid"]


@given(st.dictionaries(st.text(), st.text()))
def test_no_parameter_is_lost(parameters: dict[str, str]) -> None:
    assert dict(in_java_order(parameters)) == parameters


@given(st.text())
def test_a_value_never_leaves_its_parameter(value: str) -> None:
    check_url(add_query("http://h/x", [("name", value)]))


@given(st.characters(codec="ascii", exclude_categories=["L", "N"]))
def test_refuses_what_would_end_a_request_line(character: str) -> None:
    if character in "\r\n\t \0":
        with pytest.raises(UsageError, match="Illegal character in path at index 9"):
            check_url(f"http://h/{character}x")
