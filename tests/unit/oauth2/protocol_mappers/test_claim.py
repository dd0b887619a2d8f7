"""Where a claim goes and which type it gets; every expectation is Keycloak 26.7.3's answer."""

from typing import Any

import pytest

from keyturn.oauth2.protocol_mappers.claim import convert, escape, included, included_unless_off, put, split_path
from keyturn.oauth2.protocol_mappers.spi import Target


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("a", ["a"]),
        ("a.b.c", ["a", "b", "c"]),
        (r"x\.y", ["x.y"]),
        (r"a\.b.c", ["a.b", "c"]),
        (r"a\\.b", ["a\\", "b"]),
        ("a\\b", ["ab"]),
        ("a\\", ["a\\"]),
        ("a..b", ["a", ".b"]),
        (".a", [".a"]),
        ("a.", ["a"]),
        ("a b", ["a b"]),
        ("", []),
    ],
)
def test_a_path_is_split_at_dots_that_are_not_escaped(path: str, names: list[str]) -> None:
    assert split_path(path) == names


@pytest.mark.parametrize("name", ["plain", "my.app", "back\\slash", "both\\.", "."])
def test_an_escaped_name_is_one_component(name: str) -> None:
    assert split_path(f"a.{escape(name)}.b") == ["a", name, "b"]


@pytest.mark.parametrize(
    ("value", "json_type", "expect"),
    [
        ("5", "String", "5"),
        ("5", None, "5"),
        ("5", "", "5"),
        ("5", "int", 5),
        ("+5", "int", 5),
        ("-5", "int", -5),
        (" 5", "int", None),
        ("5.5", "int", None),
        ("x", "int", None),
        ("٥", "int", None),
        ("2147483647", "int", 2147483647),
        ("2147483648", "int", None),
        ("9999999999", "long", 9999999999),
        ("9223372036854775808", "long", None),
        ("true", "boolean", True),
        ("TRUE", "boolean", True),
        ("yes", "boolean", False),
        ("5", "JSON", 5),
        ('{"a": {"b": 1.50}}', "JSON", {"a": {"b": 1.5}}),
        ("[1]", "JSON", [1]),
        ("null", "JSON", None),
        ("[1", "JSON", None),
        ("NaN", "JSON", None),
        ("[" * 100_000, "JSON", None),
        (r'"\ud83d\ude00"', "JSON", "\U0001f600"),
        (r'{"a": "\ud800"}', "JSON", None),
    ],
)
def test_a_value_becomes_what_its_type_says(value: str, json_type: str | None, expect: Any) -> None:
    assert convert(value, json_type) == expect


@pytest.mark.parametrize("name", ["iss", "exp", "iat", "jti", "typ", "scope", "nonce", "at_hash", "session_state"])
def test_nothing_replaces_a_protected_claim(name: str) -> None:
    members: dict[str, Any] = {}
    put(members, name, "x")
    put(members, f"{name}.inner", "x")
    assert members == {}


@pytest.mark.parametrize("name", ["iss", "jti", "typ", "scope", "azp", "sid"])
def test_no_setting_names_what_a_token_is_trusted_by(name: str) -> None:
    members: dict[str, Any] = {}
    put(members, name, "x")
    assert members == {}


@pytest.mark.parametrize("path", ["sub.x", "aud.x", "azp.x", "sid.x", "acr.x", "auth_time.x", ""])
def test_nothing_goes_below_a_claim_that_is_no_object(path: str) -> None:
    members: dict[str, Any] = {}
    put(members, path, "x")
    assert members == {}


@pytest.mark.parametrize(
    ("name", "value", "expect"),
    [
        ("sub", 5, "5"),
        ("acr", "gold", "gold"),
        ("aud", "one", ["one"]),
        ("aud", ["a", "b"], ["a", "b"]),
        ("auth_time", "5", 5),
        ("nbf", "5", "5"),
    ],
)
def test_a_registered_claim_keeps_its_type(name: str, value: Any, expect: Any) -> None:
    members: dict[str, Any] = {}
    put(members, name, value)
    assert members == {name: expect}


def test_no_time_of_authentication_comes_of_a_word() -> None:
    members: dict[str, Any] = {}
    put(members, "auth_time", "yesterday")
    assert members == {}


def test_claims_share_the_objects_on_their_way() -> None:
    members: dict[str, Any] = {"a": {"kept": 1}}
    put(members, "a.b.c", 2)
    put(members, "a.b.d", 3)
    assert members == {"a": {"kept": 1, "b": {"c": 2, "d": 3}}}


def test_an_object_replaces_a_text_that_is_in_its_way() -> None:
    members: dict[str, Any] = {"a": "text"}
    put(members, "a.b", 1)
    assert members == {"a": {"b": 1}}


def test_what_was_given_is_not_changed_by_what_is_put_into_it() -> None:
    given = {"kept": 1}
    put({"a": given}, "a.b", 2)
    assert given == {"kept": 1}


@pytest.mark.parametrize(
    ("config", "targets"),
    [
        ({}, set()),
        ({"access.token.claim": "true"}, {Target.ACCESS_TOKEN, Target.INTROSPECTION}),
        ({"access.token.claim": "true", "introspection.token.claim": "false"}, {Target.ACCESS_TOKEN}),
        ({"introspection.token.claim": "true"}, {Target.INTROSPECTION}),
        ({"id.token.claim": "true"}, {Target.ID_TOKEN, Target.USERINFO}),
        ({"id.token.claim": "true", "userinfo.token.claim": "false"}, {Target.ID_TOKEN}),
        ({"lightweight.claim": "true"}, {Target.LIGHTWEIGHT_ACCESS_TOKEN}),
        ({"access.token.claim": "TRUE"}, set()),
    ],
)
def test_settings_say_where_a_claim_goes(config: dict[str, str], targets: set[Target]) -> None:
    assert {target for target in Target if included(config, target)} == targets


@pytest.mark.parametrize(
    ("config", "targets"),
    [
        ({}, {Target.ACCESS_TOKEN, Target.INTROSPECTION}),
        ({"access.token.claim": "false"}, {Target.INTROSPECTION}),
        ({"introspection.token.claim": "false"}, {Target.ACCESS_TOKEN}),
    ],
)
def test_some_mappers_are_on_where_nothing_is_said(config: dict[str, str], targets: set[Target]) -> None:
    assert {target for target in Target if included_unless_off(config, target)} == targets
