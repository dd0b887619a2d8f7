"""The processes of the demonstration: the server, the protected service, and commands in bash."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]
BIN: Final = Path(sys.executable).parent
"""Where ``keyturn`` and ``kcadm.sh`` are."""
_READY_WITHIN: Final = 30.0


class DemoError(Exception):
    """The demonstration cannot go on; the message says why."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@dataclass
class Stage:
    """A throw-away directory and the processes that were started in it."""

    directory: Path
    variables: dict[str, str]
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, arguments: Sequence[str], ready: str, variables: Mapping[str, str] | None = None) -> None:
        """Starts a process of its own session and waits until `ready`, a URL, answers 200. Raises DemoError."""
        log = self.directory / f"process-{len(self.processes) + 1}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                arguments,
                cwd=CHECKOUT,
                env={**self.variables, **(variables or {})},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.processes.append(process)
        until = time.monotonic() + _READY_WITHIN
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() > until:
                raise DemoError(f"{arguments[0]} did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)

    def bash(self, commands: str, variables: Mapping[str, str] | None = None) -> tuple[str, str]:
        """Runs commands in which ``/opt/keycloak/bin/kcadm.sh`` is keyturn's; their output and messages.

        Raises:
            DemoError: the last of them failed.
        """
        kcadm = f'/opt/keycloak/bin/kcadm.sh() {{ "{BIN / "kcadm.sh"}" "$@"; }}'
        done = subprocess.run(
            ["bash", "-c", f"{kcadm}\n{commands}"],
            env={**self.variables, **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise DemoError(f"a command ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def last_words(self) -> list[str]:
        """The ends of what the processes have logged."""
        logs = sorted(self.directory.glob("process-*.log"))
        return [line for log in logs for line in log.read_text(errors="replace").splitlines()[-20:]]

    def close(self) -> None:
        """Ends the processes, the last one first, and removes the directory."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def clean_environment(home: Path) -> dict[str, str]:
    """This process's variables without settings of keyturn, and with a home of its own, so that nothing is touched."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KEYTURN_", "KC_", "MAKE"))}
    return {**kept, "HOME": str(home)}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # a URL of our own
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
