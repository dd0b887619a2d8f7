"""Thousands of generated calls of every endpoint of the admin API: no failure, no traceback, and a sound store."""

import logging
from collections.abc import Iterator
from random import Random

import pytest

from fuzz.calls import Call, draw_call
from fuzz.target import Loud, Prepared, Unsound

pytestmark = pytest.mark.slow

_AT_ONCE = 50
"""Calls on one database: enough for them to meet each other's traces."""
_SOME = 20
_MANY = 1300


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    made = Prepared()
    yield made
    made.remove()


@pytest.fixture
def log() -> Iterator[Loud]:
    handler = Loud()
    logging.getLogger("keyturn").addHandler(handler)
    yield handler
    logging.getLogger("keyturn").removeHandler(handler)


def _complaint(prepared: Prepared, log: Loud, calls: list[Call]) -> str:
    """What goes wrong with `calls`, one after the other; nothing where nothing does."""
    with prepared.copy() as target:
        try:
            for call in calls:
                target.send(call, log)
            target.check()
        except Unsound as unsound:
            return str(unsound)
    return ""


def _hold(prepared: Prepared, log: Loud, seed: int) -> None:
    random = Random(seed)
    calls = [draw_call(random) for _ in range(_AT_ONCE)]
    complaint = _complaint(prepared, log, calls)
    if not complaint:
        return
    for call in list(calls):  # only those without which it does not happen
        fewer = [each for each in calls if each is not call]
        less = _complaint(prepared, log, fewer)
        if less:
            calls, complaint = fewer, less
    shown = "\n".join(map(repr, calls))
    pytest.fail(f"seed {seed}, these calls:\n{shown}\n{complaint}")


@pytest.mark.parametrize("part", range(4))
def test_no_call_fails_or_leaves_the_store_unsound(prepared: Prepared, log: Loud, part: int) -> None:
    for seed in range(part, _SOME, 4):
        _hold(prepared, log, seed)


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(20))
def test_no_call_fails_or_leaves_the_store_unsound_at_length(prepared: Prepared, log: Loud, part: int) -> None:
    for seed in range(_SOME + part, _MANY, 20):
        _hold(prepared, log, seed)
