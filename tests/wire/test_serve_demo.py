"""The demonstration, as `make demo` runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def demo(directory: Path, keep: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env={**os.environ, "KEEP": keep, "TMPDIR": str(directory)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_shows_everything_and_leaves_nothing(tmp_path: Path) -> None:
    done = demo(tmp_path, "")
    assert done.returncode == 0, done.stdout + done.stderr
    for shown in ("Created new client", '"realm_access": {"roles": ["backend-access"', "Hello, backend-service!"):
        assert shown in done.stdout
    for status in ("200 with the token", "401 without a token", "403 with the token of other-service"):
        assert f"→ {status}" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_keeps_everything_running_and_says_how_to_go_on(tmp_path: Path) -> None:
    done = demo(tmp_path, "1")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    stop = next(line for line in lines if line.strip().startswith("$ kill "))
    pids = [int(word) for word in stop.partition("kill ")[2].partition(";")[0].split()]
    try:
        listing = next(line for line in lines if "KEYTURN_CONNECT_TO=" in line).partition("$ ")[2]
        again = subprocess.run(["bash", "-c", listing], capture_output=True, text=True, check=True)
        assert "backend-service" in again.stdout
        start = next(number for number, line in enumerate(lines) if "CLIENT_ID=backend-service" in line)
        call = lines[start].partition("$ ")[2] + "\n" + lines[start + 1]
        called = subprocess.run(["bash", "-c", call], cwd=ROOT, capture_output=True, text=True, check=True)
        assert "Hello, backend-service!" in called.stdout
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
