"""Who guesses credentials waits; nobody else does."""

from keyturn.oauth2.failures import MAXIMUM_CLIENTS, MAXIMUM_SENDERS, MEMORY, Failures

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
    assert len(failures) == 0
    assert fail(failures, times=3) == 0


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


def test_memory_is_bounded() -> None:
    failures = Failures()
    fail(failures, "kept", times=9)
    for number in range(MAXIMUM_SENDERS - 1):
        fail(failures, "x" * 10_000, f"10.{number >> 8}.{number & 255}.1")
    assert fail(failures, "kept") > 0, "who fails again is not the next to be forgotten"
    fail(failures, address="198.51.100.1")
    assert len(failures) == MAXIMUM_SENDERS
    assert failures.wait("r", "kept", ADDRESS, 0) > 0
