"""A server that is killed at any moment loses nothing that it has acknowledged, and leaves nothing half done."""

from pathlib import Path
from random import Random

import pytest

from harness.process import free_ports, running
from resilience.ledger import Ledger, Stored, opened
from resilience.writers import (
    REALM,
    Administrator,
    Crew,
    is_whole_client,
    is_whole_role,
    mapping_writer,
    merging_writer,
    prepare,
    write_client,
    write_realm,
    write_role,
)

pytestmark = pytest.mark.slow


def _half_done(data: Path) -> list[str]:
    """What was not acknowledged may be there, but then all of it."""
    store = opened(data)
    try:
        with store.read() as reader:
            stored = Stored(reader, REALM)
    finally:
        store.close()
    clients = [name for name in stored.clients if name.startswith("clients") and not is_whole_client(stored, name)]
    roles = [name for _, name in stored.roles if name.startswith("roles-") and not is_whole_role(stored, name)]
    return clients + roles


def _hold(directory: Path, rounds: int, seed: int) -> None:
    random, ledger = Random(seed), Ledger()
    ports: tuple[int, int, int] = tuple(free_ports(3))  # type: ignore[assignment]
    shared: dict[str, str] = {}
    for shift in range(rounds):
        with running(directory, ports=ports) as server:
            token = server.admin_token()
            if not shared:
                administrator = Administrator(server, token)
                shared = prepare(administrator)
                administrator.close()
            writers = {
                "clients": write_client,
                "more-clients": write_client,
                "roles": write_role,
                "mappings": mapping_writer(shared["user"]),
                "realms": write_realm,
                **{f"merge{each}": merging_writer(shared["client"], f"merge.{each}") for each in range(2)},
            }
            before = ledger.size
            crew = Crew(server, token, ledger, writers, shift)
            ledger.await_size(before + random.randrange(1, 40))
            server.process.kill()
            server.process.wait()
            crew.join()
        assert ledger.complaints(server.data, REALM) == [], f"seed {seed}, round {shift}"
        assert _half_done(server.data) == [], f"seed {seed}, round {shift}"
        assert "Traceback" not in server.log.read_text()
    assert ledger.size > rounds


def test_five_kills_lose_nothing(tmp_path: Path) -> None:
    _hold(tmp_path, 5, seed=1)


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(10))
def test_two_hundred_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    _hold(tmp_path, 20, seed=100 + seed)
