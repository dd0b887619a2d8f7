"""Regular expressions of administrators: near to Java's, and never a danger to others."""

import time

import pytest

from admin_server import Server
from keyturn.admin.errors import InvalidRequest
from keyturn.admin.patterns import LONGEST_PATTERN, LONGEST_TEXT, InvalidPattern, Patterns, check_pattern

_ENDLESS = [
    (r"(a+)+$", "a" * 9000 + "!"),
    (r"^(?=(a+)+$)", "a" * 9000 + "!"),
    (r"((a{1,1000}){1,1000}){1,1000}b", "a" * 9000),
    (r"(a?){5000}a{5000}", "a" * 5000),
    (r"(.)*(.)*(.)*(.)*(.)*(.)*\1", "a" * 9000 + "b"),
    (r"((.)\2?)*(?<!a)b{1<=e<=20}", "a" * 9000),
]


@pytest.mark.parametrize(("pattern", "text"), _ENDLESS, ids=[pattern for pattern, _ in _ENDLESS])
def test_what_would_take_for_ever_is_given_up(pattern: str, text: str) -> None:
    begun = time.process_time()
    patterns = Patterns()
    for _ in range(20):  # however often it is asked in one request
        try:
            assert not patterns.match(pattern, text)
        except InvalidRequest as error:
            assert error.status == 400  # noqa: PT017 - or it is found out in time
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    "pattern",
    [
        "[",
        "(",
        "a{2,1}",
        "(" * 400 + ")" * 400,
        "[" * 900,
        "x" * (LONGEST_PATTERN + 1),
        "(?R)",
        "(a(?1)?)",
        "(?P>a)",
        r"\L<x>",
        "(?<n",
        "*",
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        check_pattern(pattern)
    assert not Patterns().match(pattern, "a")


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"[a-z&&[^b]]+", "acd", True),
        (r"[a-z&&[^b]]+", "abd", False),
        (r"\p{Lu}\p{Ll}*", "Ärger", True),
        (r"\d++x", "12x", True),
        (r"(?=.*[A-Z])(?=.*\d).{8,}", "Passw0rdd", True),
        (r"(?=.*[A-Z])(?=.*\d).{8,}", "passw0rdd", False),
        (r"(?i)abc", "ABC", True),
        (r"a", "a\n", False),
        (r"(?<year>\d{4})-\d\d", "2026-01", True),
    ],
)
def test_patterns_are_read_as_java_reads_them(pattern: str, text: str, matches: bool) -> None:
    assert Patterns().match(pattern, text) is matches


def test_a_text_that_is_too_long_is_not_looked_at() -> None:
    with pytest.raises(InvalidRequest):
        Patterns().match("a*", "a" * (LONGEST_TEXT + 1))


def test_an_endless_password_policy_refuses_the_password(server: Server) -> None:
    assert server.call("PUT", "/demo", {"passwordPolicy": "regexPattern((a?){5000}a{5000})"}).status == 204
    user = server.call("POST", "/demo/users", {"username": "ada"}).id
    begun = time.process_time()
    credential = {"type": "password", "value": "a" * 5000}
    answer = server.call("PUT", f"/demo/users/{user}/reset-password", credential)
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")
    assert time.process_time() - begun < 3


def test_an_endless_pattern_of_a_user_profile_refuses_the_user(server: Server) -> None:
    profile = server.call("GET", "/demo/users/profile").body
    endless = {"pattern": {"pattern": "(a?){2000}a{2000}"}}
    attribute = {"name": "badge", "multivalued": True, "permissions": {"edit": ["admin"]}, "validations": endless}
    changed = {**profile, "attributes": [*profile["attributes"], attribute]}
    assert server.call("PUT", "/demo/users/profile", changed).status == 200
    begun = time.process_time()
    answer = server.call("POST", "/demo/users", {"username": "ada", "attributes": {"badge": ["a" * 2000] * 100}})
    assert answer.status == 400
    assert time.process_time() - begun < 3
    assert server.call("GET", "/demo/users/count").body == 0


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("length(x)", "Invalid config for length: Not a valid number"),
        ("length()", "Invalid config for length: Not a valid number"),
        ("length(99999999999)", "Invalid config for length: Not a valid number"),
        ("length(8", "Invalid config for length: Not a valid number"),
        ("length(8))", "Invalid config for length: Not a valid number"),
        ("specialChars(undefined)", "Invalid config for specialChars: Not a valid number"),
        ("regexPattern", "Invalid config for regexPattern: Config required"),
        ("regexPattern()", "Invalid config for regexPattern: White space not acepted"),
        ("regexPattern([)", "Invalid config for regexPattern: Not a valid regular expression"),
        ("hashAlgorithm(nope)", "Invalid config for hashAlgorithm: Password hashing provider not found"),
        ("length(8) and nope", "Password policy not found"),
    ],
)
def test_a_password_policy_that_is_none_is_refused_in_keycloaks_words(
    server: Server, policy: str, message: str
) -> None:
    for answer in (
        server.call("PUT", "/demo", {"passwordPolicy": policy}),
        server.call("POST", "/admin/realms", {"realm": "other", "passwordPolicy": policy}),
    ):
        assert (answer.status, answer.body) == (400, {"errorMessage": message})


@pytest.mark.parametrize("policy", ["length", "length (8)", "length(-1)", "notUsername(x)", "length(8) and digits", ""])
def test_a_password_policy_is_taken(server: Server, policy: str) -> None:
    assert server.call("PUT", "/demo", {"passwordPolicy": policy}).status == 204
