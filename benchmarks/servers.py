"""The servers that are measured: keyturn in a process of its own, and the real Keycloak where it is there."""

import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALGORITHMS = ("RS256", "ES256")
ADMIN = "bench-admin"
REALM = "bench"
TICKS = os.sysconf("SC_CLK_TCK")
KEYCLOAK = Path(__file__).parents[1] / "tests" / "parity" / "keycloak"
CACHE = Path(os.environ.get("KEYCLOAK_CACHE", Path.home() / ".cache" / "keyturn-parity"))
KEYCLOAK_VERSION = os.environ.get("KEYCLOAK_VERSION", "26.7.3")


@dataclass(frozen=True)
class Server:
    """A running server: the process that serves, its ports, and its administrator."""

    process_id: int
    port: int
    password: str
    https_port: int = 0
    context: ssl.SSLContext | None = None
    username: str = ADMIN

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> list[int]:
        """Those that serve: its workers, where there are several, or the one process itself."""
        children = Path(f"/proc/{self.process_id}/task/{self.process_id}/children").read_text().split()
        return [int(child) for child in children] or [self.process_id]

    def cpu_seconds(self) -> float:
        """User and system time of what serves so far."""
        return sum(map(_cpu_seconds, self.processes()))

    def resident_megabytes(self) -> float:
        """Of what serves; what several processes share is counted once."""
        processes = self.processes()
        return sum(_resident_megabytes(process, shares=len(processes) > 1) for process in processes)

    def runs(self) -> bool:
        """Whether the process has not ended."""
        try:
            return Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def pin(self, core: int) -> None:
        """Keeps all its threads on one core."""
        for process in self.processes():
            for thread in Path(f"/proc/{process}/task").iterdir():
                pin(int(thread.name), core)


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _resident_megabytes(process_id: int, *, shares: bool) -> float:
    name, file = ("Pss", "smaps_rollup") if shares else ("VmRSS", "status")
    match = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{process_id}/{file}").read_text())
    assert match is not None
    return int(match[1]) / 1024


def pin(process_id: int, core: int) -> None:
    """Keeps a process, or a thread, on one core, where there are two."""
    cores = range(os.cpu_count() or 1)
    if hasattr(os, "sched_setaffinity") and len(cores) > 1:
        os.sched_setaffinity(process_id, {cores[core]})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serve(data: Path, password: str, *options: str) -> Iterator[Server]:
    """keyturn on `data` with these further options; ended when the block ends."""
    port, https_port = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KEYTURN_", "KC_"))}
    environment |= {"KEYTURN_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KEYTURN_BOOTSTRAP_ADMIN_PASSWORD": password}
    command = [
        *(Path(sys.executable).parent / "keyturn", "serve", "--data", data),
        *("--http-port", port, "--https-port", https_port, "--management-port", free_port(), *options),
    ]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the development certificate of a server of our own, on loopback
    with (data.parent / "server.log").open("ab") as log:
        process = subprocess.Popen(list(map(str, command)), env=environment, stdout=log, stderr=log)
    try:
        yield Server(process.pid, port, password, https_port, context)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def keycloak_is_here() -> bool:
    """Whether there are Java and Keycloak's distribution; nothing is downloaded for a measurement."""
    java = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
    return java and (CACHE / f"keycloak-{KEYCLOAK_VERSION}" / "lib").is_dir()


@contextmanager
def keycloak() -> Iterator[Server]:
    """A fresh Keycloak on its development database. Raises CalledProcessError."""
    port = free_port()

    def run(action: str) -> None:
        subprocess.run([KEYCLOAK, action, "--port", str(port)], check=True, stdout=subprocess.DEVNULL)

    try:
        run("start")
        shell = (CACHE / "run" / str(port) / "pid").read_text().strip()
        java = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0]
        yield Server(int(java), port, "admin", username="admin")
    finally:
        run("stop")


def call(url: str, *, token: str | None = None, form: dict[str, str] | None = None, document: Any = None) -> Any:
    """One request; the JSON of the answer. Raises urllib.error.URLError."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    content = urllib.parse.urlencode(form).encode() if form is not None else None
    if document is not None:
        content, headers["Content-Type"] = json.dumps(document).encode(), "application/json"
    with urllib.request.urlopen(urllib.request.Request(url, content, headers)) as answer:
        body = answer.read()
        return json.loads(body) if body else None


def token(server: Server, form: dict[str, str], realm: str = REALM, patience: float = 30) -> str:
    """A token, as soon as the server answers."""
    until = time.monotonic() + patience
    while True:
        try:
            answer = call(f"{server.url}/realms/{realm}/protocol/openid-connect/token", form=form)
            return str(answer["access_token"])
        except OSError:
            if time.monotonic() > until or not server.runs():
                raise
            time.sleep(0.005)


def administrator(server: Server) -> str:
    """A token of master's administrator."""
    form = {"grant_type": "password", "client_id": "admin-cli", "username": server.username}
    return token(server, form | {"password": server.password}, "master")


class Admin:
    """Calls of a server's admin API on one kept-alive connection."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self._token, self._until = "", 0.0

    def call(self, method: str, path: str, document: Any = None) -> tuple[bytes, str]:
        """Body and Location. Raises RuntimeError unless it is done."""
        if time.monotonic() > self._until:
            self._token, self._until = administrator(self.server), time.monotonic() + 30
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        body = None if document is None else json.dumps(document)
        self._connection.request(method, f"/admin/realms{path}", body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content, answer.headers.get("Location", "").rpartition("/")[2]

    def get(self, path: str) -> Any:
        return json.loads(self.call("GET", path)[0])

    def cost(self, work: Callable[[], object]) -> tuple[float, float]:
        """Seconds of the server's CPU, and on the clock, that `work` takes."""
        cpu, begun = self.server.cpu_seconds(), time.perf_counter()
        work()
        return self.server.cpu_seconds() - cpu, time.perf_counter() - begun


def client_form(algorithm: str, secret: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": f"bench-{algorithm}", "client_secret": secret}


def prepare(server: Server, secret: str) -> None:
    """The realm, a client for each algorithm, and one whose tokens are for the first of them."""
    admin = administrator(server)
    # Without TLS, and from what Keycloak may take for outside.
    call(f"{server.url}/admin/realms", token=admin, document={"realm": REALM, "enabled": True, "sslRequired": "none"})
    for algorithm in ALGORITHMS:
        document = {
            "clientId": f"bench-{algorithm}",
            "secret": secret,
            "serviceAccountsEnabled": True,
            "attributes": {"access.token.signed.response.alg": algorithm},
        }
        call(f"{server.url}/admin/realms/{REALM}/clients", token=admin, document=document)
        token(server, client_form(algorithm, secret))
    audience = {
        "name": "audience",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {"included.client.audience": "bench-RS256", "access.token.claim": "true"},
    }
    document |= {"clientId": "bench-caller", "attributes": {}, "protocolMappers": [audience]}
    call(f"{server.url}/admin/realms/{REALM}/clients", token=admin, document=document)


def new_secret() -> str:
    return secrets.token_urlsafe(32)
