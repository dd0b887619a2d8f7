"""What ``keyturn doctor`` finds: a verdict on each thing, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What came out of looking at one thing."""

    FINE = "ok"
    WARNING = "warn"
    FAILURE = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what it is like, and where it is not as it should be how to mend it."""

    what: str
    verdict: Verdict
    text: str
    mend: str = ""


def fine(what: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(what, Verdict.FINE, text)


def warning(what: str, text: str, mend: str) -> Finding:
    """It works, and should be otherwise."""
    return Finding(what, Verdict.WARNING, text, mend)


def failure(what: str, text: str, mend: str) -> Finding:
    """A server cannot serve with it, or should not."""
    return Finding(what, Verdict.FAILURE, text, mend)
