"""What is recorded waits in memory, bounded, and reaches the store in batches."""

import logging
import threading
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest

from keyturn.events.event import Event
from keyturn.events.recorder import BATCH, LONGEST, NotSaved, Recorder, Use, Uses


def event(number: int = 0, **fields: Any) -> Event:
    known: dict[str, Any] = {"kept": True, "address": "192.0.2.1"}
    return Event("CLIENT_LOGIN", "demo", "r1", 100.5 + number, **(known | fields))


class Shelf:
    """Where batches go; `full` says that it takes none at the moment."""

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.uses: dict[tuple[str, str, str], tuple[int, int]] = {}
        self.full = False
        self.filled = threading.Event()

    def save(self, events: Sequence[Event], uses: Uses) -> None:
        if self.full:
            raise NotSaved("the disk is full")
        self.batches.append(list(events))
        for key, use in uses.items():
            self.uses[key] = (self.uses.get(key, (0, 0))[0] + use.tokens, use.last)
        self.filled.set()

    @property
    def events(self) -> list[Event]:
        return [each for batch in self.batches for each in batch]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_stores_what_is_to_be_kept_and_nothing_else(shelf: Shelf) -> None:
    recorder = Recorder(shelf.save)
    recorder.record(event(1))
    recorder.record(event(2, kept=False))
    recorder.record(event(3, error="client_not_found"))
    assert recorder.waiting == 2
    recorder.flush()
    assert [each.time for each in shelf.events] == [101.5, 103.5]
    assert recorder.waiting == 0


def test_what_waits_is_short_however_much_a_caller_sends(shelf: Shelf) -> None:
    recorder = Recorder(shelf.save)
    much = "x" * 1_000_000
    recorder.record(event(client_id=much, user_id=much, session_id=much, details={"username": much, "scope": "email"}))
    recorder.record(event(client_id="client", details={"scope": "email"}))
    recorder.flush()
    long, short = shelf.events
    assert {len(long.client_id or ""), len(long.user_id or ""), len(long.session_id or "")} == {LONGEST}
    assert {name: len(value) for name, value in long.details.items()} == {"username": LONGEST, "scope": 5}
    assert (short.client_id, short.details) == ("client", {"scope": "email"})


def test_writes_nothing_where_nothing_has_happened(shelf: Shelf) -> None:
    recorder = Recorder(shelf.save)
    recorder.record(event(kept=False))
    recorder.flush()
    assert shelf.batches == []


def test_counts_tokens_by_client_whether_or_not_events_are_kept(shelf: Shelf) -> None:
    recorder = Recorder(shelf.save)
    for number, kept in enumerate((True, False, False)):
        recorder.record(event(number, kept=kept, issued_to="c1"))
    recorder.record(event(5, issued_to="c2"))
    recorder.record(event(6, kept=False, error="client_disabled"))
    recorder.flush()
    recorder.record(event(9, issued_to="c1"))
    recorder.flush()
    assert shelf.uses == {("r1", "c1", ""): (4, 109), ("r1", "c2", ""): (1, 105)}


def test_counts_what_each_credential_is_used_for_and_from_where() -> None:
    saved: list[Uses] = []
    recorder = Recorder(lambda _, uses: saved.append(deepcopy(uses)))
    recorder.record(event(1, issued_to="c1", credential="new", address="192.0.2.1"))
    recorder.record(event(2, proved="c1", credential="new", address="192.0.2.2"))
    recorder.record(event(3, proved="c1", credential="old"))
    recorder.flush()
    assert saved == [{("r1", "c1", "new"): Use(1, 102, "192.0.2.2"), ("r1", "c1", "old"): Use(0, 103, "192.0.2.1")}]


def test_a_batch_is_bounded(shelf: Shelf) -> None:
    recorder = Recorder(shelf.save)
    for number in range(2 * BATCH + 1):
        recorder.record(event(number))
    recorder.flush()
    assert [len(batch) for batch in shelf.batches] == [BATCH, BATCH, 1]
    assert [each.time for each in shelf.events] == [100.5 + number for number in range(2 * BATCH + 1)]


def test_what_does_not_fit_is_dropped_counted_and_told(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder(shelf.save, capacity=3)
    for number in range(10):
        recorder.record(event(number, issued_to="c1"))
    assert (recorder.waiting, recorder.dropped) == (3, 7)
    recorder.flush()
    recorder.flush()
    assert [each.time for each in shelf.events] == [100.5, 101.5, 102.5]
    assert shelf.uses == {("r1", "c1", ""): (10, 109)}
    assert [record.getMessage() for record in caplog.records] == ["7 events are lost: more than 3 waited"]


def test_what_cannot_be_stored_now_waits_and_is_told_once(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    recorder = Recorder(shelf.save)
    shelf.full = True
    for number in range(2):
        recorder.record(event(number, issued_to="c1"))
        recorder.flush()
    assert recorder.waiting == 2
    shelf.full = False
    recorder.record(event(2, issued_to="c1"))
    recorder.flush()
    assert [each.time for each in shelf.events] == [100.5, 101.5, 102.5]
    assert shelf.uses == {("r1", "c1", ""): (3, 102)}
    assert [record.getMessage() for record in caplog.records] == [
        "events cannot be stored, and wait: the disk is full",
        "events are stored again",
    ]


def test_a_batch_that_may_have_been_stored_is_tried_again_as_it_was(shelf: Shelf) -> None:
    recorder = Recorder(shelf.save)
    shelf.full = True
    recorder.record(event(0, issued_to="c1"))
    recorder.flush()
    shelf.full = False
    recorder.record(event(1, issued_to="c1"))
    recorder.flush()
    assert [[each.time for each in batch] for batch in shelf.batches] == [[100.5], [101.5]]
    assert shelf.uses == {("r1", "c1", ""): (2, 101)}


def test_the_thread_writes_by_itself_and_again_after_a_failure(shelf: Shelf) -> None:
    recorder = Recorder(shelf.save, pause=0.01)
    recorder.start()
    recorder.record(event(1))
    assert shelf.filled.wait(10)
    shelf.filled.clear()
    shelf.full = True
    recorder.record(event(2))
    recorder.flush()
    shelf.full = False
    assert shelf.filled.wait(10)
    recorder.stop()
    assert [each.time for each in shelf.events] == [101.5, 102.5]


def test_stopping_writes_what_waits(shelf: Shelf) -> None:
    recorder = Recorder(shelf.save, pause=3600)
    recorder.start()
    recorder.record(event(1, issued_to="c1"))
    recorder.stop()
    assert len(shelf.events) == 1
    assert shelf.uses == {("r1", "c1", ""): (1, 101)}


def test_what_is_lost_at_the_end_is_told(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder(shelf.save, pause=3600)
    shelf.full = True
    recorder.start()
    recorder.record(event(1))
    recorder.stop()
    assert "1 events are lost: they could not be stored before the end" in caplog.text


def test_a_full_batch_does_not_wait_for_the_pause_to_end(shelf: Shelf) -> None:
    recorder = Recorder(shelf.save, pause=3600)
    recorder.start()
    for number in range(BATCH + 1):
        recorder.record(event(number))
    assert shelf.filled.wait(10)
    recorder.stop()


def test_nobody_waits_for_a_store_that_hangs() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def hangs(_events: Sequence[Event], _uses: Uses) -> None:
        begun.set()
        assert goes_on.wait(10)

    recorder = Recorder(hangs, pause=0.0, capacity=5)
    recorder.start()
    recorder.record(event(0))
    assert begun.wait(10)
    for number in range(1, 20):
        recorder.record(event(number))
    assert (recorder.waiting, recorder.dropped) == (6, 14)
    goes_on.set()
    recorder.stop()
    assert recorder.waiting == 0
