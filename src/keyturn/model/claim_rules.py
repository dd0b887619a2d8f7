"""Rules over the claims of somebody else's token: which tokens speak for a client.

A pattern is a text in which ``*`` stands for any characters but ``/`` and ``:``, and ``**`` for any at all. What it
costs to compare one is bounded by the lengths and the number of wildcards, whatever stands in it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

MAXIMUM_CLAIMS: Final = 10
"""Claims that one rule looks at."""
MAXIMUM_PATTERNS: Final = 20
"""Patterns of all of them."""
LONGEST_PATTERN: Final = 512
MAXIMUM_WILDCARDS: Final = 4
"""Of one pattern."""
LONGEST_VALUE: Final = 1024
"""Characters of a claim that wildcards are compared with; a longer one matches none."""
_OF_ALL: Final = frozenset({"iss", "aud"})
"""Claims that say nothing of whom a token means: all that count have the same."""
_MAXIMUM_VALUES: Final = 20
"""Values of a claim that is a list."""

_PARTS: Final = re.compile(r"(\*+)")
_SEPARATORS: Final = "/:"
_DEEPEST: Final = 4


class InvalidRule(ValueError):
    """It is no rule, or too large a one. The text is for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """By claim, the patterns of which one has to match; all claims have to. Made by ``claim_rule``."""

    claims: tuple[tuple[str, tuple[str, ...]], ...]

    def matches(self, claims: Mapping[str, Any]) -> bool:
        """Whether a token with these claims is one that is meant."""
        return all(
            any(matches(pattern, value) for value in _values(claims, name) for pattern in patterns)
            for name, patterns in self.claims
        )


def claim_rule(claims: Mapping[str, list[str]]) -> ClaimRule:
    """The rule of these patterns by claim.

    A claim is named by itself, or, within another, by a path: ``kubernetes.io/namespace``.

    Raises:
        InvalidRule: there is none, one is too large, or none of them says anything of whom it means.
    """
    if not claims:
        raise InvalidRule("A rule needs a claim")
    if len(claims) > MAXIMUM_CLAIMS:
        raise InvalidRule(f"A rule has at most {MAXIMUM_CLAIMS} claims")
    if not all(claims) or not all(claims.values()):
        raise InvalidRule("A claim needs a name and a pattern")
    if sum(map(len, claims.values())) > MAXIMUM_PATTERNS:
        raise InvalidRule(f"A rule has at most {MAXIMUM_PATTERNS} patterns")
    for pattern in chain.from_iterable(claims.values()):
        _check(pattern)
    if not any(name not in _OF_ALL and all(map(_tells, patterns)) for name, patterns in claims.items()):
        raise InvalidRule("A rule that every token of the issuer satisfies is none")
    return ClaimRule(tuple((name, tuple(patterns)) for name, patterns in claims.items()))


def _tells(pattern: str) -> bool:
    """Whether there is more to it than wildcards and what they stop at."""
    return bool(pattern.strip(f"*{_SEPARATORS}"))


def _check(pattern: str) -> None:
    if not pattern or len(pattern) > LONGEST_PATTERN:
        raise InvalidRule(f"A pattern has between one and {LONGEST_PATTERN} characters")
    wildcards = _PARTS.findall(pattern)
    if len(wildcards) > MAXIMUM_WILDCARDS or any(len(wildcard) > 2 for wildcard in wildcards):
        raise InvalidRule(f"A pattern has at most {MAXIMUM_WILDCARDS} wildcards, each * or **")


def matches(pattern: str, value: str) -> bool:
    """Whether `value` is one that `pattern` stands for."""
    if "*" not in pattern:
        return pattern == value
    if len(value) > LONGEST_VALUE:
        return False
    places = {0}
    for part in _PARTS.split(pattern):
        if part == "**":
            places = set(range(min(places), len(value) + 1))
        elif part == "*":
            places = _within_segment(value, places)
        elif part:
            places = {place + len(part) for place in places if value.startswith(part, place)}
        if not places:
            return False
    return len(value) in places


def _within_segment(value: str, places: set[int]) -> set[int]:
    """All places that are reached from `places` without passing a separator."""
    reached: set[int] = set()
    for start in sorted(places):
        place = start
        while place not in reached:
            reached.add(place)
            if place == len(value) or value[place] in _SEPARATORS:
                break
            place += 1
    return reached


def _values(claims: Mapping[str, Any], name: str) -> Iterator[str]:
    """The values of a claim as texts, each of a list."""
    value = claims[name] if name in claims else _within(claims, name)
    for each in value[:_MAXIMUM_VALUES] if isinstance(value, list) else (value,):
        if isinstance(each, str):
            yield each
        elif isinstance(each, bool):
            yield "true" if each else "false"
        elif isinstance(each, int):
            yield str(each)


def _within(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    for name in path.split("/", _DEEPEST):
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return found
