"""Tokens per second of the server's own CPU time, beside what signing alone costs in the same run.

    make bench

Starts ``keyturn serve`` with its default settings on a database of its own, loads the token endpoint over kept-alive
connections, and prints for RS256 and ES256: tokens per CPU second of the server process, the bare signing rate of the
same crypto library, their ratio, latency, and ``openssl speed``. Rounds of load and of bare signing alternate, so that
a busy machine slows both. Also prints the time from process start to the first token, and the resident memory.
"""

import argparse
import json
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import Load

from keyturn.jose import jwk

ALGORITHMS = ("RS256", "ES256")
ADMIN = "bench-admin"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_megabytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) / 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serve(data: Path, password: str, *options: str) -> Iterator[Server]:
    """A server on `data` with these further options; ended when the block ends."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KEYTURN_", "KC_"))}
    environment |= {"KEYTURN_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KEYTURN_BOOTSTRAP_ADMIN_PASSWORD": password}
    command = [
        *(Path(sys.executable).parent / "keyturn", "serve", "--data", data),
        *("--http-port", port, "--https-port", free_port(), "--management-port", free_port(), *options),
    ]
    with (data.parent / "server.log").open("ab") as log:
        process = subprocess.Popen(list(map(str, command)), env=environment, stdout=log, stderr=log)
    try:
        yield Server(process, port, password)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def call(url: str, *, token: str | None = None, form: dict[str, str] | None = None, document: Any = None) -> Any:
    """One request; the JSON of the answer. Raises urllib.error.URLError."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    content = urllib.parse.urlencode(form).encode() if form is not None else None
    if document is not None:
        content, headers["Content-Type"] = json.dumps(document).encode(), "application/json"
    with urllib.request.urlopen(urllib.request.Request(url, content, headers)) as answer:
        body = answer.read()
        return json.loads(body) if body else None


def token(server: Server, form: dict[str, str], realm: str = "bench", patience: float = 30) -> str:
    """A token, as soon as the server answers."""
    until = time.monotonic() + patience
    while True:
        try:
            answer = call(f"{server.url}/realms/{realm}/protocol/openid-connect/token", form=form)
            return str(answer["access_token"])
        except OSError:
            if time.monotonic() > until or server.process.poll() is not None:
                raise
            time.sleep(0.005)


def client_form(algorithm: str, secret: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": f"bench-{algorithm}", "client_secret": secret}


def prepare(server: Server, secret: str) -> None:
    """The realm and a client for each algorithm."""
    form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": server.password}
    admin = token(server, form, "master")
    call(f"{server.url}/admin/realms", token=admin, document={"realm": "bench", "enabled": True})
    for algorithm in ALGORITHMS:
        call(
            f"{server.url}/admin/realms/bench/clients",
            token=admin,
            document={
                "clientId": f"bench-{algorithm}",
                "secret": secret,
                "serviceAccountsEnabled": True,
                "attributes": {"access.token.signed.response.alg": algorithm},
            },
        )
        token(server, client_form(algorithm, secret))


def bare_rate(algorithm: str, seconds: float) -> float:
    """Signatures per CPU second of the crypto library alone, on as many bytes as a token has."""
    key = jwk.generate(algorithm, now=time.time())
    content = secrets.token_bytes(900)
    count, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for _ in range(20):
            key.sign(content)
        count += 20
    return count / (time.process_time() - start)


def openssl_rate(algorithm: str, seconds: int) -> str:
    """What ``openssl speed`` of the machine says, per second."""
    if shutil.which("openssl") is None:
        return "no openssl here"
    name = {"RS256": "rsa2048", "ES256": "ecdsap256"}[algorithm]
    output = subprocess.run(
        ["openssl", "speed", "-seconds", str(seconds), name], capture_output=True, text=True, check=True
    )
    numbers = output.stdout.strip().splitlines()[-1].split()
    return f"{float(numbers[-2]):,.0f}"


def start_to_first_token(data: Path, password: str, secret: str) -> tuple[float, float]:
    """Seconds from the start of the process to the first token, on an existing database; and the idle memory in MB."""
    start = time.monotonic()
    with serve(data, password) as server:
        token(server, client_form("RS256", secret))
        return time.monotonic() - start, server.resident_megabytes()


def pin(process_id: int, core: int) -> None:
    """Keeps a process on one core, where there are two."""
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(process_id, {sorted(os.sched_getaffinity(0))[core]})


def measure(server: Server, secret: str, options: argparse.Namespace) -> None:
    path = "/realms/bench/protocol/openid-connect/token"
    for algorithm in ALGORITHMS:
        load = Load(server.port, path, urllib.parse.urlencode(client_form(algorithm, secret)).encode())
        load.run(options.connections, 1)
        rates, bare, latencies = [], [], []
        for _ in range(options.rounds):
            bare.append(bare_rate(algorithm, options.seconds / 2))
            before = server.cpu_seconds()
            result = load.run(options.connections, options.seconds)
            rates.append(result.count / (server.cpu_seconds() - before))
            latencies.append(result)
        rate, alone = statistics.median(rates), statistics.median(bare)
        p50, p99 = (statistics.median(getattr(r, name) for r in latencies) * 1000 for name in ("p50", "p99"))
        print(
            f"{algorithm}: {rate:,.0f} tokens per CPU second; signing alone {alone:,.0f}; ratio {rate / alone:.0%}; "
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms; openssl speed {openssl_rate(algorithm, 2)} a second"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    secret, password = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        with serve(data, password) as server:
            prepare(server, secret)
        starts = [start_to_first_token(data, password, secret) for _ in range(options.rounds)]
        print(f"start to first token: {statistics.median(s for s, _ in starts):.2f} s; {starts[0][1]:.0f} MB resident")
        with serve(data, password) as server:
            token(server, client_form("RS256", secret))
            pin(server.process.pid, 0)
            pin(0, 1)
            measure(server, secret, options)
            print(f"resident after the load: {server.resident_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
