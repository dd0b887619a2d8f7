"""A keyturn that runs as a process of its own, as users run it, with a data directory that is thrown away."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from harness.database import ON_POSTGRESQL, database_in

KEYTURN = (sys.executable, "-m", "keyturn.cli.main")
ADMIN = {"KEYTURN_BOOTSTRAP_ADMIN_USERNAME": "admin", "KEYTURN_BOOTSTRAP_ADMIN_PASSWORD": "admin"}
_FORM = {"content-type": "application/x-www-form-urlencoded"}


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def environment(home: Path, variables: Mapping[str, str] = ADMIN) -> dict[str, str]:
    """The variables of a process that knows nothing of this one's settings; `variables` on top."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KEYTURN_", "KC_"))}
    return {**kept, "HOME": str(home), **variables}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class ServerProcess:
    """A running server. ``stdout`` is what it has said on its start."""

    def __init__(self, process: "subprocess.Popen[bytes]", data: Path, ports: tuple[int, int, int], log: Path) -> None:
        self.process = process
        self.data = data
        self.http_port, self.https_port, self.management_port = ports
        self.log = log
        self.stdout = ""

    @property
    def ca(self) -> Path:
        return self.data / "tls" / "ca.pem"

    def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        document: Any = None,
        headers: Mapping[str, str] | None = None,
        tls: bool = False,
        management: bool = False,
    ) -> Answer:
        """One request over a connection of its own."""
        connection: HTTPConnection
        if tls:
            context = ssl.create_default_context(cafile=str(self.ca))
            connection = HTTPSConnection("localhost", self.https_port, timeout=20, context=context)
        else:
            port = self.management_port if management else self.http_port
            connection = HTTPConnection("127.0.0.1", port, timeout=20)
        body: str | bytes | None = None
        sent = dict(headers or {})
        if form is not None:
            body, sent = urlencode(form), {**_FORM, **sent}
        elif document is not None:
            body = document if isinstance(document, bytes) else json.dumps(document)
            sent = {"content-type": "application/json", **sent}
        with contextlib.closing(connection):
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())

    def token(self, realm: str = "master", **form: str) -> Answer:
        """Asks the token endpoint."""
        return self.request("POST", f"/realms/{realm}/protocol/openid-connect/token", form=form)

    def admin_token(self) -> str:
        """The bootstrap administrator's access token."""
        answer = self.token(grant_type="password", client_id="admin-cli", username="admin", password="admin")
        assert answer.status == 200, answer.body
        return str(answer.json()["access_token"])

    def admin(self, method: str, path: str, document: Any = None) -> Answer:
        """A call of the admin API by the bootstrap administrator."""
        headers = {"authorization": f"Bearer {self.admin_token()}"}
        return self.request(method, f"/admin/realms{path}", document=document, headers=headers)

    def make_client(self, realm: str, client_id: str, secret: str) -> None:
        """Makes a realm with one client that has a service account."""
        assert self.admin("POST", "", {"realm": realm, "enabled": True}).status == 201
        client = {"clientId": client_id, "secret": secret, "serviceAccountsEnabled": True}
        assert self.admin("POST", f"/{realm}/clients", client).status == 201

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the server; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        self.stdout += rest.decode()
        return self.process.returncode


@contextlib.contextmanager
def running(
    directory: Path, *flags: str, variables: Mapping[str, str] = ADMIN, ports: tuple[int, int, int] | None = None
) -> Iterator[ServerProcess]:
    """A server with its data in `directory`, from ready to stopped."""
    ports = ports or tuple(free_ports(3))  # type: ignore[assignment]
    assert ports is not None
    directory.mkdir(exist_ok=True)
    data, log = directory / "data", directory / "log"
    names = ("--http-port", "--https-port", "--management-port")
    listening = [part for name, port in zip(names, ports, strict=True) for part in (name, str(port))]
    if ON_POSTGRESQL and "--database" not in flags:
        has_key = "--seal-key-file" in flags or any(name.startswith("KEYTURN_SEAL_KEY") for name in variables)
        flags += ("--database", str(database_in(data, empty=has_key)))
    with log.open("a") as errors:
        process = subprocess.Popen(
            [*KEYTURN, "serve", "--data", str(data), *listening, *flags],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(directory, variables),
        )
    server = ServerProcess(process, data, ports, log)
    try:
        _wait(server)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _wait(server: ServerProcess) -> None:
    """Until the start text is there: it is written in one piece."""
    assert server.process.stdout is not None
    while "is ready\n" not in server.stdout or not server.stdout.endswith("\n"):
        part = os.read(server.process.stdout.fileno(), 65536)
        assert part, f"the server did not start: {server.log.read_text()}"
        server.stdout += part.decode()
