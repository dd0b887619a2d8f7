"""Turns are granted in the order of asking."""

import threading

import pytest

from keyturn.store.spi import Busy
from keyturn.store.turns import Turns


def test_waits_no_longer_than_it_may_and_leaves_the_queue() -> None:
    turns, raised = Turns(), []

    def impatient() -> None:
        try:
            with turns.turn(0.01):
                pass
        except Busy as error:
            raised.append(error)

    with turns.turn(1):
        thread = threading.Thread(target=impatient)
        thread.start()
        thread.join()
    assert len(raised) == 1
    with turns.turn(0):
        pass


def test_first_come_first_served() -> None:
    turns, order = Turns(), []

    def take(number: int, asked: threading.Event) -> None:
        asked.set()
        with turns.turn(30):
            order.append(number)

    threads = []
    with turns.turn(30):
        for number in range(5):
            asked = threading.Event()
            threads.append(threading.Thread(target=take, args=(number, asked)))
            threads[-1].start()
            asked.wait(30)
            while turns.waiting <= number:
                pass
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_the_same_thread_cannot_wait_for_itself() -> None:
    turns = Turns()
    with turns.turn(30), pytest.raises(RuntimeError), turns.turn(30):
        pass
