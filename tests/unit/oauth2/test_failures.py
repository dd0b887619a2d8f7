"""Who guesses credentials waits; nobody else does."""

import os

from keyturn.oauth2.failures import MAXIMUM_CLIENTS, MEMORY, Failures

ADDRESS = "192.0.2.7"


def fail(failures: Failures, client: str = "svc", address: str = ADDRESS, now: int = 0, times: int = 1) -> int:
    """Seconds to wait after so many failures."""
    for _ in range(times):
        failures.count("r", client, address, now, after=3, longest=60)
    return failures.wait("r", client, address, now)


def test_each_failure_beyond_the_free_ones_doubles_the_wait() -> None:
    failures = Failures()
    assert [fail(failures) for _ in range(11)] == [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert fail(failures, times=100) == 60
    assert [failures.wait("r", "svc", ADDRESS, now) for now in (59, 60, 61)] == [1, 0, 0]


def test_only_this_sender_waits_and_only_for_this_client() -> None:
    failures = Failures()
    assert fail(failures, times=9) > 0
    assert failures.wait("r", "svc", "192.0.2.8", 0) == 0
    assert failures.wait("r", "other", ADDRESS, 0) == 0
    assert failures.wait("other", "svc", ADDRESS, 0) == 0


def test_addresses_of_one_network_are_one_sender() -> None:
    failures = Failures()
    fail(failures, address="2001:db8:0:1::1", times=9)
    assert failures.wait("r", "svc", "2001:db8:0:1:ffff::2", 0) > 0
    assert failures.wait("r", "svc", "2001:db8:0:2::1", 0) == 0
    fail(failures, address="::ffff:192.0.2.9", times=9)
    assert failures.wait("r", "svc", "192.0.2.9", 0) > 0
    assert fail(failures, address="unknown:host", times=9) > 0


def test_who_proves_who_it_is_starts_anew() -> None:
    failures = Failures()
    fail(failures, times=3)
    failures.forget("r", "svc", ADDRESS)
    assert fail(failures, times=3) == 0


def test_whom_a_sender_has_proved_to_be_is_not_among_the_clients_it_has_failed_for() -> None:
    failures = Failures()
    for number in range(2 * MAXIMUM_CLIENTS):
        fail(failures, f"mine-{number}")
        failures.forget("r", f"mine-{number}", ADDRESS)
    assert fail(failures, "svc", times=3) == 0
    assert fail(failures, "another", times=3) == 0


def test_failures_are_forgotten_after_a_while() -> None:
    failures = Failures()
    fail(failures, times=9)
    assert fail(failures, now=MEMORY) > 0
    assert fail(failures, now=2 * MEMORY + 1) == 0


def test_who_tries_many_clients_waits_for_all_it_has_not_tried() -> None:
    failures = Failures()
    fail(failures, "first")
    for number in range(MAXIMUM_CLIENTS + 8):
        fail(failures, f"guess-{number}")
    assert failures.wait("r", "never-tried", ADDRESS, 0) > 0
    assert failures.wait("r", "first", ADDRESS, 0) == 0
    assert failures.wait("r", "never-tried", "192.0.2.8", 0) == 0


def test_a_sender_that_fails_for_many_clients_in_turn_is_forgiven_after_a_while() -> None:
    """As the gateway of a large network, behind which some client is always broken."""
    failures = Failures()
    for number in range(3 * MAXIMUM_CLIENTS):
        fail(failures, f"broken-{number}", now=number * MEMORY // (MAXIMUM_CLIENTS - 2), times=9)
    assert failures.wait("r", "never-tried", ADDRESS, 3 * MAXIMUM_CLIENTS * MEMORY // (MAXIMUM_CLIENTS - 2)) == 0


def test_memory_is_of_a_fixed_size() -> None:
    """Who fails again is not the next to be forgotten, whatever many others call themselves."""
    failures = Failures(counts=64)
    for second in range(200):
        fail(failures, "kept", now=second)
        for number in range(4):
            fail(failures, "x" * 1000, f"10.0.{second}.{number}", now=second)
    assert failures.wait("r", "kept", ADDRESS, 199) > 0


def test_processes_that_are_forked_count_together() -> None:
    failures = Failures()
    process = os.fork()
    if process == 0:  # nothing but this may run there: it has pytest's own state
        fail(failures, times=9)
        os._exit(0)
    os.waitpid(process, 0)
    assert failures.wait("r", "svc", ADDRESS, 0) > 0
