"""The user profile: what it lets through, shows and refuses."""

from typing import Any

import pytest

from admin_server import Server

_NAMES = [{"name": "username"}, {"name": "email"}]
_ADMIN = {"view": ["admin"], "edit": ["admin"]}


def _set(server: Server, *attributes: dict[str, Any], **more: Any) -> None:
    answer = server.call("PUT", "/demo/users/profile", {"attributes": [*_NAMES, *attributes], **more})
    assert answer.status == 200, answer


def _make(server: Server, **attributes: Any) -> Any:
    return server.call("POST", "/demo/users", {"username": "ada", "attributes": attributes})


def test_a_profile_is_told_as_it_is_stored(server: Server) -> None:
    usual = server.call("GET", "/demo/users/profile").body
    _set(server, {"name": "a", "permissions": {"view": ["admin"]}}, groups=[{"name": "g"}])
    assert server.call("GET", "/demo/users/profile").body == {
        "attributes": [
            {"name": "username", "multivalued": False},
            {"name": "email", "multivalued": False},
            {"name": "a", "permissions": {"view": ["admin"], "edit": []}, "multivalued": False},
        ],
        "groups": [{"name": "g"}],
    }
    assert server.call("PUT", "/demo/users/profile").body == usual
    assert server.call("GET", "/demo/users/profile").body == usual


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        ({"attributes": []}, "The attribute 'username' can not be removed, The attribute 'email' can not be removed"),
        ({"attributes": [*_NAMES, {}]}, "Attribute configuration without 'name' is not allowed"),
        ({"attributes": [*_NAMES, {"name": "email"}]}, "Attribute configuration already exists with 'name':'email'"),
        (
            {"attributes": [*_NAMES, {"name": "a", "validations": {"nope": {}}}]},
            "Validator 'nope' defined for attribute 'a' doesn't exist",
        ),
        (
            {"attributes": [*_NAMES, {"name": "a", "validations": {"length": {"min": "x"}}}]},
            "Validator 'length' defined for attribute 'a' has incorrect configuration: "
            "ValidationError{validatorId='length', inputHint='min', "
            "message='error-validator-config-invalid-number-value', messageParameters=[x]}, ",
        ),
        (
            {"attributes": [*_NAMES, {"name": "a", "required": {"roles": ["x"]}}]},
            "'required.roles' configuration for attribute 'a' contains unsupported role 'x'",
        ),
        ({"attributes": [*_NAMES, {"name": "a", "group": "g"}]}, "Attribute 'a' references unknown group 'g'"),
        (
            {"attributes": [*_NAMES, {"name": "a", "defaultValue": "x", "validations": {"length": {"min": 2}}}]},
            "Default value for attribute 'a' is invalid",
        ),
    ],
)
def test_refuses_profiles_in_keycloaks_words(server: Server, profile: Any, text: str) -> None:
    answer = server.call("PUT", "/demo/users/profile", profile)
    assert (answer.status, answer.body) == (400, {"errorMessage": f"[{text}]"})


@pytest.mark.parametrize(
    ("validations", "value", "fault"),
    [
        ({"length": {"min": 2}}, "a", ["error-invalid-length-too-short", 2, None]),
        ({"length": {"max": "2"}}, "abc", ["error-invalid-length-too-long", None, 2]),
        ({"length": {"min": 2, "max": 3}}, " a ", ["error-invalid-length", 2, 3]),
        ({"length": {"min": 2, "trim-disabled": "true"}}, " a ", None),
        ({"integer": {}}, "1.5", ["error-invalid-number"]),
        ({"integer": {"min": 2, "max": 4}}, "5", ["error-number-out-of-range", 2, 4]),
        ({"double": {"max": 2}}, "2.5", ["error-number-out-of-range-too-big", None, 2.0]),
        ({"pattern": {"pattern": "[a-z]+"}}, "A", ["error-pattern-no-match", "[a-z]+"]),
        ({"pattern": {"pattern": "[a-z]+", "error-message": "mine"}}, "A", ["mine", "[a-z]+"]),
        ({"email": {}}, "a@b..c", ["error-invalid-email", "a@b..c"]),
        ({"email": {}}, "a+b@c.d", None),
        ({"uri": {}}, "ftp://x", ["error-invalid-uri-scheme", "ftp://x", "ftp"]),
        ({"uri": {}}, "x", ["error-invalid-uri", "x", "URI is not absolute"]),
        ({"options": {"options": ["a"]}}, "b", ["error-invalid-value"]),
        ({"local-date": {}}, "2020-01-01", ["error-invalid-date"]),
        ({"local-date": {}}, "1/2/2020", None),
        ({"iso-date": {}}, "20200101", ["error-invalid-date", "20200101"]),
        ({"person-name-prohibited-characters": {}}, "<b>", ["error-person-name-invalid-character"]),
        ({"up-username-not-idn-homograph": {}}, "р", ["error-username-invalid-character"]),
        ({}, "x" * 2049, ["error-invalid-length", 0, 2048]),
    ],
)
def test_a_validator_says_what_it_wants(server: Server, validations: Any, value: str, fault: Any) -> None:
    _set(server, {"name": "a", "permissions": _ADMIN, "validations": validations})
    answer = _make(server, a=[value])
    if fault is None:
        assert answer.status == 201
    else:
        message, *params = fault
        assert answer.body == {"field": "a", "errorMessage": message, "params": ["a", *params]}


def test_one_value_is_enough_unless_the_profile_says_otherwise(server: Server) -> None:
    _set(server, {"name": "a", "permissions": _ADMIN})
    assert _make(server, a=["x", "y"]).body["errorMessage"] == "error-invalid-multivalued-size"
    _set(server, {"name": "a", "permissions": _ADMIN, "required": {}})
    assert _make(server, a=["x", "y"]).body["params"] == ["a", 1, 1]
    _set(server, {"name": "a", "permissions": _ADMIN, "multivalued": True})
    assert _make(server, a=["x", "y"]).status == 201


def test_what_is_required_of_administrators_must_be_given(server: Server) -> None:
    _set(
        server,
        {"name": "always", "permissions": _ADMIN, "required": {}},
        {"name": "of_users", "permissions": _ADMIN, "required": {"roles": ["user"]}},
        {"name": "of_a_scope", "permissions": _ADMIN, "required": {"scopes": ["profile"]}},
        {"name": "usual", "permissions": _ADMIN, "required": {}, "defaultValue": "x"},
    )
    answer = _make(server)
    assert answer.body == {"field": "always", "errorMessage": "error-user-attribute-required", "params": ["always"]}
    made = _make(server, always=["y"])
    assert server.call("GET", f"/demo/users/{made.id}").body["attributes"] == {"always": ["y"], "usual": ["x"]}


def test_administrators_see_and_set_what_the_profile_lets_them(server: Server) -> None:
    _set(
        server,
        {"name": "theirs", "permissions": {"view": ["user"], "edit": ["user"]}},
        {"name": "seen", "permissions": {"view": ["admin"], "edit": []}},
        {"name": "set", "permissions": {"view": [], "edit": ["admin"]}},
    )
    path = f"/demo/users/{_make(server, theirs=['1'], seen=['1'], set=['1']).id}"
    assert server.call("GET", path).body["attributes"] == {"set": ["1"]}
    answer = server.call("PUT", path, {"attributes": {"seen": ["2"], "set": ["2"]}})
    assert answer.body == {"field": "seen", "errorMessage": "error-user-attribute-read-only", "params": ["seen"]}


@pytest.mark.parametrize(
    ("policy", "made", "shown"),
    [
        (None, None, None),
        ("ENABLED", {"un": ["u"]}, {"un": ["v"]}),
        ("ADMIN_EDIT", {"un": ["u"]}, {"un": ["v"]}),
        ("ADMIN_VIEW", None, None),
    ],
)
def test_other_attributes_are_as_the_policy_has_them(server: Server, policy: Any, made: Any, shown: Any) -> None:
    _set(server, **({} if policy is None else {"unmanagedAttributePolicy": policy}))
    path = f"/demo/users/{_make(server, un=['u'], blank=['']).id}"
    assert server.call("GET", path).body.get("attributes") == made
    assert server.call("PUT", path, {"attributes": {"un": ["v"]}}).status == 204
    assert server.call("GET", path).body.get("attributes") == shown
    assert server.call("GET", f"{path}/unmanagedAttributes").body == (shown or {})


def test_attributes_that_are_hidden_stay(server: Server) -> None:
    _set(server, unmanagedAttributePolicy="ENABLED")
    path = f"/demo/users/{_make(server, un=['u']).id}"
    _set(server)
    assert server.call("PUT", path, {"attributes": {}}).status == 204
    _set(server, unmanagedAttributePolicy="ENABLED")
    assert server.call("GET", path).body["attributes"] == {"un": ["u"]}


def test_some_attributes_are_the_servers_own(server: Server) -> None:
    _set(server, unmanagedAttributePolicy="ENABLED")
    answer = _make(server, ldap_id=["x"])
    assert answer.body["errorMessage"] == "updateReadOnlyAttributesRejectedMessage"


def test_tells_what_forms_are_made_of(server: Server) -> None:
    _set(server, {"name": "a", "permissions": _ADMIN, "validations": {"length": {"max": 3}}, "required": {}})
    told = {each["name"]: each for each in server.call("GET", "/demo/users/profile/metadata").body["attributes"]}
    assert told["a"] == {
        "name": "a",
        "displayName": "a",
        "required": True,
        "readOnly": False,
        "validators": {"length": {"max": 3, "ignore.empty.value": True}, "multivalued": {"max": "1"}},
        "multivalued": False,
    }
    assert told["username"]["readOnly"] is False
    path = f"/demo/users/{_make(server, a=['x']).id}"
    of_user = server.call("GET", path, query="userProfileMetadata=true").body["userProfileMetadata"]["attributes"]
    assert {each["name"]: each["readOnly"] for each in of_user} == {"username": True, "email": False, "a": False}


@pytest.mark.parametrize("least", ["9" * 5000, "1e999"])
def test_a_bound_that_no_number_holds_is_refused(server: Server, least: str) -> None:
    bounded = {"name": "size", "validations": {"length": {"min": least}}}
    answer = server.call("PUT", "/demo/users/profile", {"attributes": [*_NAMES, bounded]})
    assert answer.status == 400
    assert "error-validator-config-invalid-number-value" in answer.body["errorMessage"]


def test_a_number_of_many_digits_is_none(server: Server) -> None:
    _set(server, {"name": "size", "permissions": _ADMIN, "validations": {"integer": {}}})
    assert _make(server, size=["9" * 2000]).status == 400
    assert _make(server, size=["9" * 18]).status == 201
