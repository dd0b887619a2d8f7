"""A keyturn server in a process of its own, on loopback, with a fresh database."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from parity.certificates import Authority

_READY_WITHIN_S = 60
_STOPPED_WITHIN_S = 20
_ATTEMPTS = 5
ADMINISTRATOR = "admin"
PASSWORD = "admin"


class DidNotStart(RuntimeError):
    """The server ended or stayed silent; its log says why."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_pair() -> int:
    """The lower one of two ports of 127.0.0.1, one after the other, that nobody listened on a moment ago."""
    while True:
        with socket.socket() as probe, socket.socket() as above:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                above.bind(("127.0.0.1", port + 1))
                return port


def believing(authority: Authority, directory: Path) -> tuple[str, ...]:
    """What has a server ask for certificates over HTTPS, and believe `authority`, whose file is in `directory`."""
    trusted = directory / "clients.pem"
    trusted.write_text(authority.pem)
    return "--https-client-auth=request", f"--https-trust-store-file={trusted}"


@contextmanager
def running_server(directory: Path, authority: Authority, *flags: str) -> Iterator[str]:
    """Runs `keyturn serve` with its data and log in `directory` and these `flags`; the value is its address.

    HTTPS is one port above; there clients may show certificates, about which it believes `authority`.

    Raises DidNotStart.
    """
    log = directory / "keyturn.log"
    flags += believing(authority, directory)
    for _ in range(_ATTEMPTS):  # somebody else may take the port meanwhile
        port = free_pair()
        process = _start(port, directory / "data", log, *flags)
        url = f"http://127.0.0.1:{port}"
        try:
            if _becomes_ready(process, url):
                yield url
                return
        finally:
            process.terminate()
            process.wait(_STOPPED_WITHIN_S)
    raise DidNotStart(log.read_text())


def _start(port: int, data: Path, log: Path, *more: str) -> subprocess.Popen[bytes]:
    settings = {
        "KEYTURN_BOOTSTRAP_ADMIN_USERNAME": ADMINISTRATOR,
        "KEYTURN_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
        "KEYTURN_LOG_LEVEL": "warning",
    }
    flags = [f"--data={data}", f"--http-port={port}", f"--https-port={port + 1}", "--management-port=0", *more]
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "keyturn.cli.main", "serve", *flags],
            env={name: value for name, value in os.environ.items() if not name.startswith(("KEYTURN_", "KC_"))}
            | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def _becomes_ready(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + _READY_WITHIN_S
    with httpx.Client(verify=False, timeout=5) as http:  # one client, and no authorities that take 0.1 s to read
        while process.poll() is None and time.monotonic() < deadline:
            try:
                return http.get(f"{url}/realms/master").is_success
            except httpx.TransportError:
                time.sleep(0.05)
    return False
