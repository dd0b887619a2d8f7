"""Secrets of many clients are rotated at a running server, and nobody is refused, neither with the old nor the new."""

import csv
import io
import json
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from harness.process import KEYTURN, ServerProcess, environment, running

REALM = "many"
CLIENTS = 10_000
TOKEN = f"/realms/{REALM}/protocol/openid-connect/token"
_FORM = {"content-type": "application/x-www-form-urlencoded"}
ADMIN = ("--realm", "master", "--user", "admin", "--password", "admin")


def name_of(number: int) -> str:
    return f"service-{number:05}"


def make(directory: Path, count: int) -> None:
    """A data directory with a realm of so many clients."""
    own = {"serviceAccountsEnabled": True}
    clients = [own | {"clientId": name_of(number), "secret": f"old-secret-{number}"} for number in range(count)]
    others = [
        {"clientId": "web", "publicClient": True},
        own | {"clientId": "signing", "clientAuthenticatorType": "client-jwt"},
    ]
    file = directory / "realm.json"
    file.write_text(json.dumps({"realm": REALM, "enabled": True, "clients": clients + others}))
    command = [*KEYTURN, "realm", "import", "--data", str(directory / "data"), "--file", str(file)]
    subprocess.run(command, env=environment(directory), check=True, capture_output=True)


def rotate(server: ServerProcess, home: Path, *options: str) -> "subprocess.Popen[str]":
    """`keyturn rotate`, with a login of its own."""
    address = f"http://127.0.0.1:{server.http_port}"
    kcadm = [sys.executable, "-m", "keyturn.cli.kcadm.main", "config", "credentials", "--server", address, *ADMIN]
    subprocess.run(kcadm, env=environment(home), check=True, capture_output=True)
    command = [*KEYTURN, "rotate", "-r", REALM, "--as", "before", *options]
    return subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Asking:
    """Asks for tokens of one client after the other, with the secrets that are known to count."""

    def __init__(self, server: ServerProcess, count: int) -> None:
        self._port = server.http_port
        self._old = [(name_of(number), f"old-secret-{number}") for number in range(count)]
        self.new: dict[str, str] = {}
        self.granted: dict[str, int] = {"old": 0, "new": 0}
        self.refused: list[str] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Asking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._end.is_set():
            for client_id, old in self._old:
                if self._end.is_set():
                    break
                self._ask(connection, "old", client_id, old)
                if client_id in self.new:
                    self._ask(connection, "new", client_id, self.new[client_id])
        connection.close()

    def _ask(self, connection: HTTPConnection, which: str, client_id: str, secret: str) -> None:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        connection.request("POST", TOKEN, urlencode(form), _FORM)
        answer = connection.getresponse()
        content = answer.read().decode()
        if answer.status == 200:
            self.granted[which] += 1
        else:
            self.refused.append(f"{client_id} with its {which} secret: {answer.status} {content}")


def rotated(server: ServerProcess, home: Path, count: int) -> tuple[Asking, dict[str, str], float]:
    """Rotates all while tokens are asked for; who asked, what was told, and the seconds that it took."""
    with Asking(server, count) as asking:
        began = time.monotonic()
        process = rotate(server, home, "--overlap", "1h")
        assert process.stdout is not None
        for client_id, secret in csv.reader(process.stdout):
            asking.new[client_id] = secret
        _, said = process.communicate()
        seconds = time.monotonic() - began
        assert process.returncode == 0, said
    assert f"{count} rotated, 0 were already, 0 failed" in said
    return asking, dict(asking.new), seconds


@pytest.mark.full
@pytest.mark.timeout(1500)
def test_ten_thousand_secrets_are_rotated_without_a_refusal(tmp_path: Path) -> None:
    make(tmp_path, CLIENTS)
    with running(tmp_path) as server:
        asking, told, seconds = rotated(server, tmp_path, CLIENTS)
        print(f"{CLIENTS} in {seconds:.0f} s; meanwhile {asking.granted} tokens")  # noqa: T201 - a measurement
        assert asking.refused == []
        assert min(asking.granted.values()) > 100
        assert told.keys() == {name_of(number) for number in range(CLIENTS)}
        assert len(set(told.values())) == CLIENTS
        out, said = rotate(server, tmp_path).communicate()
        assert f"0 rotated, {CLIENTS} were already, 0 failed" in said
        assert dict(csv.reader(io.StringIO(out))) == told
