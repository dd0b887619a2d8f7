"""The oldest version that may still serve, from the history of the source, beside this one on one PostgreSQL."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import pytest

from harness.postgresql import MISSING, cluster, programs
from harness.process import ADMIN, ServerProcess, running
from keyturn.store.schema import SERVES

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(240),
    pytest.mark.skipif(programs() is None, reason=MISSING),
]

ROOT = Path(__file__).parents[2]
SCHEMA = "src/keyturn/store/schema.py"


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True).stdout


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Where the source of the first version of that schema is."""
    if not (ROOT / ".git").exists() or git("rev-parse", "--is-shallow-repository").strip() == b"true":
        pytest.skip("the history of the source is not here")
    found = git("log", "--format=%H", "--reverse", f'-SVERSION: Final = "{SERVES}"', "--", SCHEMA).decode().split()
    with tarfile.open(fileobj=BytesIO(git("archive", found[0], "src"))) as source:
        source.extractall(tmp_path / "older", filter="data")
    return tmp_path / "older" / "src"


@pytest.fixture
def both(older: Path, tmp_path: Path) -> Iterator[list[ServerProcess]]:
    """A node of the older version, and one of this that has been started beside it."""
    with cluster() as database, ExitStack() as stack:
        flags = ("--database", database.new_database(), "--https-port", "0")
        old = {**ADMIN, "PYTHONPATH": os.fspath(older)}
        one = stack.enter_context(running(tmp_path / "one", *flags, variables=old))
        other = tmp_path / "two"
        (other / "data").mkdir(parents=True, mode=0o700)
        shutil.copy(one.data / "seal.key", other / "data" / "seal.key")
        one.make_client("plant", "robot", "secret")
        nodes = [one, stack.enter_context(running(other, *flags))]
        yield nodes
        one.stop()
        assert stack.enter_context(running(tmp_path / "one", *flags, variables=old)).admin("GET", "").status == 200
        for node in nodes:
            assert "events are lost" not in node.log.read_text()
            assert "Traceback" not in node.log.read_text()


def test_each_reads_and_changes_what_the_other_has_written(both: list[ServerProcess]) -> None:
    for writer, reader in (both, both[::-1]):
        client_id = f"of {writer.http_port}"
        document = {"clientId": client_id, "secret": "secret", "serviceAccountsEnabled": True}
        assert writer.admin("POST", "/plant/clients", document).status == 201
        events = {"eventsEnabled": True, "adminEventsEnabled": True}
        assert writer.admin("PUT", "/plant/events/config", events).status == 204
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "secret"}
        assert reader.token("plant", **form).status == 200
        (found,) = reader.admin("GET", f"/plant/clients?clientId={client_id.replace(' ', '%20')}").json()
        assert reader.admin("PUT", f"/plant/clients/{found['id']}", found | {"description": "seen"}).status == 204
        assert writer.admin("GET", f"/plant/clients/{found['id']}").json()["description"] == "seen"
        assert reader.admin("DELETE", f"/plant/clients/{found['id']}").status == 204
        assert writer.admin("GET", f"/plant/clients/{found['id']}").status == 404
