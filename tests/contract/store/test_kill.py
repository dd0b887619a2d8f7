"""What was acknowledged outlives SIGKILL, and nothing is ever there by half."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from keyturn.store.backends import open_store
from keyturn.store.collections import CLIENTS, ROLES
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Relation

PROGRAM = Path(__file__).with_name("stream_of_writes.py")


def killed(database: str, keys: Path, first: int, after: int) -> int:
    """Runs the program, kills it some time after so many acknowledgments, and gives the last one."""
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), database, str(keys), str(first)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        acknowledged = first - 1
        for _ in range(after):
            acknowledged = int(child.stdout.readline())
        child.kill()
        for line in child.stdout:
            if line.endswith("\n"):
                acknowledged = int(line)
    return acknowledged


@pytest.mark.slow
@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=[pytest.mark.full, pytest.mark.timeout(1200)])])
def test_acknowledged_writes_are_whole_after_every_kill(database: str, tmp_path: Path, kills: int) -> None:
    written, moments = 0, random.Random(kills)
    for _ in range(kills):
        acknowledged = killed(database, tmp_path, written + 1, moments.randrange(1, 60))
        store = open_store(database, SealKeys(tmp_path), lambda: 0)
        with store.read() as read:
            written = read.revision
            assert acknowledged <= written <= acknowledged + 1  # the commit may come before its acknowledgment
            names = [f"c{number}" for number in range(1, written + 1)]
            assert [client.id for client in read.select(CLIENTS, "r1")] == names
            roles = [f"{name}-{letter}" for name in names for letter in "abc"]
            assert [role.id for role in read.select(ROLES, "r1")] == roles
            assert read.pairs(Relation.CLIENT_ROLE_SCOPE, "r1") == [(role.partition("-")[0], role) for role in roles]
            assert sorted(key for key, _ in read.used("number", 0)) == sorted(names)
            first = read.get(CLIENTS, "r1", "c1")
            assert first is not None
            assert written == 1 or first.description == names[-1]
        assert store.changes_since(written - 1)
        store.close()
    assert written >= kills
