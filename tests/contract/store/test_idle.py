"""A node that falls silent in the middle of a transaction holds nobody up, at whatever point of it that is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.postgresql import Cluster
from keyturn.representations import RoleRepresentation
from keyturn.store.backends import postgresql as backend
from keyturn.store.collections import ROLES
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Busy

pytestmark = pytest.mark.full


_WRITER = """
import sys, uuid
from pathlib import Path
from keyturn.representations import RoleRepresentation
from keyturn.store.backends.postgresql import open_store
from keyturn.store.collections import ROLES
from keyturn.store.seal_key import SealKeys

store = open_store(sys.argv[1], SealKeys(Path(sys.argv[2])), lambda: 0)
print("ready", flush=True)
while True:
    with store.write() as transaction:
        names = [str(uuid.uuid4()) for _ in range(3)]
        roles = [RoleRepresentation(id=name, name=name) for name in names]
        transaction.insert(ROLES, "r1", roles[0])
        transaction.insert_many(ROLES, "r1", roles[1:])
"""


@contextmanager
def writer(url: str, directory: Path) -> Iterator[int]:
    """The id of a process that writes all the time."""
    command = [sys.executable, "-c", _WRITER, url, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process.pid
        finally:
            process.kill()


def test_a_node_that_is_stopped_in_the_middle_of_a_transaction_holds_nobody_up(
    postgresql: Cluster, tmp_path: Path
) -> None:
    url = postgresql.new_schema()
    store = backend.open_store(url, SealKeys(tmp_path), lambda: 0)
    held = 0
    for turn in range(4):
        with writer(url, tmp_path) as child:
            time.sleep(0.1 + turn * 0.011)
            os.kill(child, signal.SIGSTOP)
            begun = time.monotonic()
            while time.monotonic() < begun + 10:
                try:
                    with store.write() as transaction:
                        transaction.insert(ROLES, "r1", RoleRepresentation(id=f"own-{turn}", name=f"own-{turn}"))
                    break
                except Busy:
                    continue
            else:
                pytest.fail("a node that does nothing keeps the others from writing")
            held += time.monotonic() - begun > 1
    assert held > 0  # or no process was stopped where it matters
    store.close()
