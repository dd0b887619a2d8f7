"""What goes wrong around a server: full disks, locks, files that cannot be written, no more files, clocks that jump.

Each time: a clear answer and a line in the log, nothing half done, and all is well again without a restart.
"""

import contextlib
import ctypes
import os
import resource
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any

import pytest

import harness.process
from harness.deployment import Deployment
from harness.invariants import damages, violations
from harness.process import ADMIN, KEYTURN, ServerProcess, environment, free_ports, running
from resilience.ledger import opened

pytestmark = pytest.mark.slow

_ADMIN_UNAVAILABLE = {
    "error": "temporarily_unavailable",
    "error_description": "The database cannot be used now; nothing has changed.",
}
_UNAVAILABLE = {"error": "temporarily_unavailable", "error_description": "The database cannot be used now."}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running(tmp_path) as started:
        started.make_client("plant", "robot", "secret")
        yield started


class Caller:
    """An administrator with a token that was got in better times."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._headers = {"authorization": f"Bearer {server.admin_token()}"}

    def make_role(self, name: str) -> tuple[int, Any]:
        """The answer to making a role: status, and document if there is any."""
        path, document = "/admin/realms/plant/roles", {"name": name, "attributes": {"long": ["x" * 5000]}}
        answer = self._server.request("POST", path, document=document, headers=self._headers)
        return answer.status, answer.json() if answer.body else None

    def roles(self) -> set[str]:
        """The names of the realm's roles."""
        answer = self._server.request("GET", "/admin/realms/plant/roles", headers=self._headers)
        assert answer.status == 200, answer
        return {role["name"] for role in answer.json()}

    def robot_gets_a_token(self) -> bool:
        """Whether the token endpoint serves a client, which needs no database."""
        form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "secret"}
        return self._server.token("plant", **form).status == 200


def _sound(data: Path) -> None:
    """What a stopped server has left behind is whole."""
    assert damages(data / "keyturn.db") == []
    store = opened(data)
    with closing(store):
        assert violations(store) == []


def _said_in_one_line(server: ServerProcess, text: str, *, times: int) -> None:
    lines = server.log.read_text().splitlines()
    assert [text in line for line in lines] == [True] * times, lines


@contextmanager
def _no_room(server: ServerProcess) -> Iterator[None]:
    """No file of the server grows any more: as on a full disk, but without the rights that making one takes."""
    most = max(path.stat().st_size for path in server.data.glob("keyturn.db*"))
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    yield
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
def test_files_that_do_not_grow_any_more(server: ServerProcess) -> None:
    caller = Caller(server)
    assert caller.robot_gets_a_token()
    before = caller.roles()
    with _no_room(server):
        made: list[str] = []
        while (answer := caller.make_role(f"role {len(made)}"))[0] == 201:
            made.append(f"role {len(made)}")
        assert answer == (503, _ADMIN_UNAVAILABLE)
        login = server.token(grant_type="password", client_id="admin-cli", username="admin", password="admin")
        assert (login.status, login.json()) == (503, _UNAVAILABLE)
        assert caller.roles() == before | set(made)
        assert caller.robot_gets_a_token()
    assert caller.make_role("after")[0] == 201
    assert caller.roles() == before | set(made) | {"after"}
    _said_in_one_line(server, "failed: the disk cannot be read or written", times=2)
    assert server.stop() == 0
    _sound(server.data)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a disk of its own, of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=6m", "keyturn-test", str(disk)]
    try:
        mounted = subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a disk can only be made by root; RLIMIT_FSIZE stands in for it elsewhere")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.slow
def test_a_full_disk(small_disk: Path) -> None:
    with running(small_disk) as server:
        server.make_client("plant", "robot", "secret")
        caller = Caller(server)
        assert caller.robot_gets_a_token()
        before, filler = caller.roles(), small_disk / "filler"
        with filler.open("wb", buffering=0) as filling, contextlib.suppress(OSError):
            while filling.write(bytes(4096)):
                """Until there is no room."""
        made: list[str] = []
        while (answer := caller.make_role(f"role {len(made)}"))[0] == 201:
            made.append(f"role {len(made)}")
        assert answer == (503, _ADMIN_UNAVAILABLE)
        assert caller.roles() == before | set(made)
        assert caller.robot_gets_a_token()
        filler.unlink()
        assert caller.make_role("after")[0] == 201
        assert caller.roles() == before | set(made) | {"after"}
        assert server.stop() == 0
        _sound(server.data)


@pytest.mark.slow
def test_a_database_that_another_process_has_locked(server: ServerProcess) -> None:
    caller = Caller(server)
    before = caller.roles()
    with closing(sqlite3.connect(server.data / "keyturn.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert caller.make_role("locked out") == (503, _ADMIN_UNAVAILABLE)
        assert caller.roles() == before
        assert caller.robot_gets_a_token()
        other.execute("ROLLBACK")
    assert caller.make_role("let in")[0] == 201
    assert caller.roles() == before | {"let in"}
    _said_in_one_line(server, "failed: the database is locked by another process", times=1)
    assert server.stop() == 0
    _sound(server.data)


@pytest.mark.slow
def test_more_callers_than_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = ("sh", "-c", 'ulimit -n 100 && exec "$@"', "sh", *KEYTURN)
    monkeypatch.setattr(harness.process, "KEYTURN", few)
    with running(tmp_path) as server:
        server.make_client("plant", "robot", "secret")
        caller = Caller(server)
        with ExitStack() as stack:
            early = stack.enter_context(closing(HTTPConnection("127.0.0.1", server.http_port, timeout=20)))
            early.connect()
            sockets = [
                stack.enter_context(socket.create_connection(("127.0.0.1", server.http_port), timeout=20))
                for _ in range(120)
            ]
            # 64 files are kept for other things than connections; one is that of `early`.
            assert [refused.recv(12) for refused in sockets[35:]] == [b"HTTP/1.1 503"] * 85
            early.request("GET", "/realms/plant")
            assert early.getresponse().status == 200
            assert server.request("GET", "/health/ready", management=True).status == 200
        while server.request("GET", "/realms/plant").status == 503:
            """The server has yet to notice that they are gone."""
        assert caller.make_role("after")[0] == 201
        full, again = server.log.read_text().splitlines()
        assert full.endswith("36 connections are open, as many as may be: others are answered 503")
        assert again.endswith("connections are taken again")
        assert server.stop() == 0
        _sound(server.data)


def _start(directory: Path, **options: Any) -> "subprocess.Popen[bytes]":
    ports = dict(zip(("--http-port", "--https-port", "--management-port"), map(str, free_ports(3)), strict=True))
    command = [*KEYTURN, "serve", "--data", str(directory / "data"), *(part for pair in ports.items() for part in pair)]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "env": environment(directory, ADMIN)}
    return subprocess.Popen(command, **{**silent, **options})


@pytest.mark.slow
def test_a_first_start_without_room_says_so_and_the_next_one_succeeds(tmp_path: Path) -> None:
    started = _start(tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)))
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 1
    assert len(errors.splitlines()) == 1, errors
    assert b"the disk cannot be read or written" in errors
    with running(tmp_path) as server:
        assert Caller(server).roles is not None
        assert server.stop() == 0
        _sound(server.data)


def _heed_modes() -> None:
    """Lets the modes of files count for root, too, in what this process becomes next."""
    drop_from_bounding_set, dac_override = 24, 1  # prctl(2), capabilities(7)
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_override, 0, 0, 0)


@pytest.mark.slow
def test_a_file_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.make_client("plant", "robot", "secret")
        assert server.stop() == 0
    database = tmp_path / "data" / "keyturn.db"
    database.chmod(0o400)
    refused = _start(tmp_path, preexec_fn=_heed_modes)
    _, errors = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert errors.splitlines()[0].endswith(b"cannot be opened: Permission denied"), errors
    assert len(errors.splitlines()) == 1
    database.chmod(0o600)
    with running(tmp_path) as server:
        assert "default-roles-plant" in Caller(server).roles()


@pytest.mark.slow
def test_a_first_start_that_is_killed_leaves_nothing_that_stops_the_next(tmp_path: Path) -> None:
    random = Random(3)
    for _ in range(4):
        started = _start(tmp_path)
        with closing(started.stderr), pytest.raises(subprocess.TimeoutExpired):  # type: ignore[type-var]
            started.wait(timeout=random.uniform(0.4, 1.0))
        started.kill()
        started.wait()
    with running(tmp_path) as server:
        assert server.admin("GET", "/master").status == 200
        assert server.stop() == 0
        _sound(server.data)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment.new(tmp_path)
    yield made
    made.close()


def test_a_database_that_has_become_read_only(deployment: Deployment) -> None:
    connections = deployment.store._connections  # type: ignore[attr-defined]
    administrator = deployment.administrator()

    def only_read(on: bool) -> None:
        with ExitStack() as stack:  # all that stay open
            for connection in [stack.enter_context(connections.connection()) for _ in range(2)]:
                connection.execute(f"PRAGMA query_only = {int(on)}")

    only_read(True)
    answer = deployment.admin("POST", "/demo/roles", {"name": "r"}, token=administrator)
    assert (answer.status_code, answer.json()) == (503, _ADMIN_UNAVAILABLE)
    assert deployment.admin("GET", "/demo/roles", token=administrator).status_code == 200
    only_read(False)
    assert deployment.admin("POST", "/demo/roles", {"name": "r"}, token=administrator).status_code == 201
    assert violations(deployment.store) == []


@pytest.mark.parametrize("jump", [3600, 400 * 86400, 30 * 365 * 86400, -3600, -400 * 86400, -30 * 365 * 86400])
def test_a_clock_that_jumps(deployment: Deployment, jump: int) -> None:
    attributes = {"client_credentials.use_refresh_token": "true"}
    deployment.client("robot", "secret", attributes=attributes)
    form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "secret"}
    old, before = deployment.tokens(**form), deployment.clock.now
    refresh = {**form, "grant_type": "refresh_token", "refresh_token": old["refresh_token"]}
    for now in (before + jump, before):
        deployment.clock.now = now
        asked = {"token": old["access_token"], "client_id": "robot", "client_secret": "secret"}
        assert deployment.protocol("token/introspect", asked).status_code == 200
        assert deployment.protocol("token", refresh).status_code in {200, 400}
        assert deployment.protocol("revoke", {**asked, "token": old["refresh_token"]}).status_code == 200
        assert deployment.tokens(**form)["expires_in"] == 300
        role = f"at {now}"
        assert deployment.admin("POST", "/demo/roles", {"name": role}).status_code == 201
        assert deployment.admin("GET", f"/demo/roles/{role}").status_code == 200
        deployment.store.prune(int(now))
        assert violations(deployment.store) == []
