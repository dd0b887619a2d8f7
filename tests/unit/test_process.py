import time

from keyturn.process import STARTED, resident_memory


def test_resident_memory_is_that_of_this_process() -> None:
    assert 10_000_000 < resident_memory() < 2_000_000_000


def test_the_process_began_before_now() -> None:
    assert time.time() - 7200 < STARTED < time.time()
