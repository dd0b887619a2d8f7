"""Workers that are killed under load: what fails is what was in them, and nothing is lost that was answered."""

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from pathlib import Path

import pytest

from harness.process import ServerProcess, running
from harness.workers import Kept, one_to_each, until, workers_of

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel for the server's workers"),
]

TOKEN = "/realms/demo/protocol/openid-connect/token"
KILLS = 10
CALLERS = 6


@dataclass
class Caller:
    """A service that asks for tokens over a connection that it keeps, and makes a new one when that ends."""

    server: ServerProcess
    client_id: str
    stop: threading.Event
    answers: dict[int, int] = field(default_factory=dict)
    broken: int = 0

    def run(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": "s3cret"}
        while not self.stop.is_set():
            kept = Kept(self.server.http_port)
            try:
                while not self.stop.is_set():
                    status = kept.request("POST", TOKEN, form=form).status
                    self.answers[status] = self.answers.get(status, 0) + 1
            except (OSError, HTTPException):
                self.broken += 1
            finally:
                kept.close()


def _changed(server: ServerProcess, token: str, uuid: str, *, enabled: bool) -> None:
    """Changes the client; a worker that is killed meanwhile may have done it or not, so that it is told again."""
    while True:
        kept = Kept(server.http_port)
        try:
            path = f"/admin/realms/demo/clients/{uuid}"
            assert kept.request("PUT", path, token=token, document={"enabled": enabled}).status == 204
        except (OSError, HTTPException):
            continue
        finally:
            kept.close()
        return


def test_kills_under_load(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as server:
        server.make_client("demo", "steady", "s3cret")
        switched = {"clientId": "switched", "secret": "s3cret", "serviceAccountsEnabled": True}
        assert server.admin("POST", "/demo/clients", switched).status == 201
        uuid = server.admin("GET", "/demo/clients?clientId=switched").json()[0]["id"]
        stop = threading.Event()
        callers = [Caller(server, "steady", stop) for _ in range(CALLERS)]
        threads = [threading.Thread(target=caller.run) for caller in callers]
        for thread in threads:
            thread.start()
        form = {"grant_type": "client_credentials", "client_id": "switched", "client_secret": "s3cret"}
        worst = 0.0
        try:
            for number in range(KILLS):
                enabled = number % 2 == 1
                _changed(server, server.admin_token(), uuid, enabled=enabled)
                with one_to_each(server) as kept:
                    for connection in kept.values():
                        answer = connection.request("POST", TOKEN, form=form)
                        assert answer.status == (200 if enabled else 401)
                before = workers_of(server)
                os.kill(min(before, key=_begun), signal.SIGKILL)  # by turns: who ends too often is made to wait
                begun = time.monotonic()
                assert server.token("demo", **form).status == (200 if enabled else 401)
                worst = max(worst, time.monotonic() - begun)
                until(partial(_replaced, server, before))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert {status for caller in callers for status in caller.answers} == {200}
        assert sum(caller.broken for caller in callers) <= KILLS * CALLERS
        assert worst < 5
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


def _begun(process: int) -> int:
    """When it was started, in the kernel's ticks."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])


def _replaced(server: ServerProcess, before: list[int]) -> bool:
    """Whether both workers serve, one of them a new one."""
    new = set(workers_of(server)) - set(before)
    log = server.log.read_text()
    return len(workers_of(server)) == 2 and len(new) == 1 and f"serves again, as process {new.pop()}" in log
