"""What others were in the way of is done anew, and nothing else is."""

import pytest

from keyturn.store.retrying import retried
from keyturn.store.spi import Busy, Conflict


class Work:
    """Fails with these errors, one after the other, and then gives how often it was called."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.calls


def test_what_is_in_nobodys_way_is_done_once() -> None:
    assert retried(Work()) == 1


def test_what_others_were_in_the_way_of_is_done_anew() -> None:
    assert retried(Work(*[Conflict("in the way")] * 5)) == 6


def test_it_gives_up_in_the_end() -> None:
    work = Work(*[Conflict("in the way")] * 100)
    with pytest.raises(Conflict):
        retried(work)
    assert work.calls == 10


def test_any_other_error_is_the_callers() -> None:
    work = Work(Busy("locked"))
    with pytest.raises(Busy, match="locked"):
        retried(work)
    assert work.calls == 1
