"""Rules over the claims of somebody else's token."""

import time
from typing import Any

import pytest

from keyturn.model.claim_rules import InvalidRule, claim_rule, matches


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("repo:shop/web", "repo:shop/web", True),
        ("repo:shop/web", "repo:shop/web2", False),
        ("repo:shop/*:ref:refs/heads/main", "repo:shop/web:ref:refs/heads/main", True),
        ("repo:shop/*:ref:refs/heads/main", "repo:shop/web:x:ref:refs/heads/main", False),
        ("repo:shop/*", "repo:shop/web:environment:live", False),
        ("repo:shop/**", "repo:shop/web:environment:live", True),
        ("repo:shop/**", "repo:shopping/web", False),
        ("**/web", "spiffe://a/b/web", True),
        ("**/web", "spiffe://a/b/webs", False),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "a/b/c", False),
        ("*", "", True),
        ("*", "a:b", False),
        ("a**", "a", True),
        ("ab*ab", "ab", False),
        ("**", "x" * 1025, False),
    ],
)
def test_a_wildcard_stays_within_a_segment_unless_it_is_doubled(pattern: str, value: str, expected: bool) -> None:
    assert matches(pattern, value) is expected


CLAIMS: dict[str, Any] = {
    "sub": "system:serviceaccount:shop:web",
    "kubernetes.io": {"namespace": "shop", "pod": {"name": "web-1"}},
    "groups": ["dev", "ops"],
    "run_attempt": 1,
    "protected": True,
    "a/b": "flat",
}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"sub": ["system:serviceaccount:shop:*"]}, True),
        ({"sub": ["other", "system:serviceaccount:shop:web"]}, True),
        ({"sub": ["system:serviceaccount:shop:*"], "groups": ["admin"]}, False),
        ({"groups": ["ops"]}, True),
        ({"kubernetes.io/namespace": ["shop"]}, True),
        ({"kubernetes.io/pod/name": ["web-*"]}, True),
        ({"kubernetes.io/pod": ["web-1"]}, False),
        ({"kubernetes.io": ["shop"]}, False),
        ({"a/b": ["flat"]}, True),
        ({"run_attempt": ["1"], "protected": ["true"]}, True),
        ({"absent": ["x"], "sub": ["**"]}, False),
    ],
    ids=str,
)
def test_all_claims_have_to_match_one_of_their_patterns(rule: dict[str, list[str]], expected: bool) -> None:
    assert claim_rule(rule).matches(CLAIMS) is expected


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"sub": []},
        {"": ["x"]},
        {"sub": [""]},
        {"sub": ["***"]},
        {"sub": ["x" * 513]},
        {"sub": ["a*b*c*d*e*f"]},
        {"sub": ["**"]},
        {"sub": ["*", "x"], "aud": ["**"]},
        {"iss": ["https://ci.example"], "aud": ["https://keyturn.example/realms/r"]},
        {"sub": ["*:*:*:*"]},
        {"sub": ["**/**"], "aud": ["https://keyturn.example/realms/r"]},
        {"sub": [f"a{number}" for number in range(21)]},
        {f"claim{number}": ["x"] for number in range(11)},
    ],
    ids=lambda rule: str(rule)[:40],
)
def test_refuses_rules_that_say_nothing_or_too_much(rule: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidRule):
        claim_rule(rule)


def test_the_worst_rule_over_the_worst_claims_costs_little() -> None:
    """No backtracking: a regular expression of this kind would not end."""
    rule = claim_rule({"sub": [f"{'a' * number}*a*a*a*b" for number in range(1, 11)]})
    began = time.process_time()
    assert not rule.matches({"sub": ["a" * 1024] * 1000})
    assert time.process_time() - began < 1
