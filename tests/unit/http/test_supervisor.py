"""The supervisor alone: each test runs a program with it, whose workers only wait."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyturn.http.supervisor import Lifeline, pause_after

pytestmark = pytest.mark.slow

_PROGRAM = """
import logging, os, select, signal, sys
from keyturn.http import supervisor
from keyturn.http.supervisor import Lifeline, Supervisor, WorkerFailed

logging.basicConfig(stream=sys.stdout, format="log %(message)s", level="INFO")

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def wait(lifeline, *, ready=True):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGHUP, lambda *_: say("worker", lifeline.number, "reloads"))
    if ready:
        say("worker", lifeline.number, os.getpid())
        lifeline.tell_ready()
    while not select.select([lifeline.supervisor], [], [], 60)[0]:
        pass
    say("worker", lifeline.number, "is alone")
    return 0

def reload():
    say("reload")
    return True

{definitions}

supervisor._FIRST_PAUSE = 0.01
try:
    Supervisor(
        2,
        work,
        announce=lambda: say("all"),
        reload=reload,
        withdraw=lambda: say("withdraw"),
        grace=lambda: 1.0,
    ).run()
    say("end")
except WorkerFailed as error:
    say("failed:", error)
"""


class Program:
    """The program as it runs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []

    def hears(self, start: str) -> str:
        """The rest of the next line that begins so."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if line.startswith(start):
                return line.rstrip("\n").removeprefix(start).strip()
        raise AssertionError(f"nothing begins with {start!r}: {self.said}")

    def workers(self) -> dict[int, int]:
        """The processes of both workers, by number, once all are ready."""
        self.hears("all")
        found = [line.split() for line in self.said if line.startswith("worker")]
        return {int(number): int(process) for _, number, process in found}


@contextlib.contextmanager
def program(definitions: str) -> Iterator[Program]:
    text = _PROGRAM.replace("{definitions}", textwrap.dedent(definitions))
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


WAITING = "work = wait"


@pytest.fixture
def waiting() -> Iterator[Program]:
    with program(WAITING) as running:
        yield running


def test_a_worker_that_is_killed_is_replaced_and_the_other_stays(waiting: Program) -> None:
    before = waiting.workers()
    os.kill(before[0], signal.SIGKILL)
    assert waiting.hears("log") == (
        f"worker 1, process {before[0]}, was ended by SIGKILL; another one takes its place in 0 seconds"
    )
    replaced = waiting.hears("worker 0")
    assert waiting.hears("log") == f"worker 1 serves again, as process {replaced}"
    os.kill(before[1], 0)


def test_a_worker_that_ends_again_and_again_is_replaced_after_a_pause(waiting: Program) -> None:
    process: Any = waiting.workers()[0]
    for pause in ("0", "0.01", "0.02"):
        os.kill(int(process), signal.SIGKILL)
        assert waiting.hears("log").endswith(f"another one takes its place in {pause} seconds")
        process = waiting.hears("worker 0")
        waiting.hears("log")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_when_it_is_told_to_stop(waiting: Program, number: signal.Signals) -> None:
    before = waiting.workers()
    waiting.process.send_signal(number)
    waiting.hears("withdraw")
    waiting.hears("end")
    for process in before.values():
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_workers_notice_that_it_was_killed(waiting: Program) -> None:
    waiting.workers()
    waiting.process.kill()
    assert {waiting.hears("worker") for _ in range(2)} == {"0 is alone", "1 is alone"}


def test_workers_reload_once_it_has(waiting: Program) -> None:
    waiting.workers()
    waiting.process.send_signal(signal.SIGHUP)
    waiting.hears("reload")
    assert {waiting.hears("worker") for _ in range(2)} == {"0 reloads", "1 reloads"}


def test_workers_do_not_reload_what_it_could_not() -> None:
    with program("work = wait\ndef reload():\n    say('wrong')\n    return False") as running:
        running.workers()
        running.process.send_signal(signal.SIGHUP)
        running.hears("wrong")
        running.process.send_signal(signal.SIGTERM)
        running.hears("end")
        assert not [line for line in running.said if line.endswith("reloads")]


def test_where_one_cannot_start_at_all_none_stays() -> None:
    definitions = """
    def work(lifeline):
        if lifeline.number == 0:
            return wait(lifeline)
        lifeline.tell_failure("the disk is full")
        return 1
    """
    with program(definitions) as running:
        assert running.hears("failed:") == "worker 2 cannot start: the disk is full"


def test_it_gives_up_where_nobody_serves_and_nobody_can_start(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    definitions = f"""
    def work(lifeline):
        if os.path.exists({str(mark)!r}):
            raise ValueError("no more")
        return wait(lifeline)
    """
    with program(definitions) as running:
        workers = running.workers()
        mark.touch()
        for process in workers.values():
            os.kill(process, signal.SIGKILL)
        assert running.hears("failed:") == "no worker can start any more: it has ended with status 1"


def test_workers_that_do_not_end_in_time_are_killed() -> None:
    definitions = """
    supervisor._PATIENCE = -0.99
    def work(lifeline):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("worker", lifeline.number, os.getpid())
        lifeline.tell_ready()
        while True:
            signal.pause()
    """
    with program(definitions) as running:
        running.workers()
        running.process.send_signal(signal.SIGTERM)
        assert running.hears("log") == "workers that have not ended in time are killed"
        running.hears("end")


def test_where_no_process_can_be_made_the_others_serve_and_it_is_tried_again(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    definitions = f"""
    real = os.fork
    def fork():
        if os.path.exists({str(mark)!r}):
            os.unlink({str(mark)!r})
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return real()
    os.fork = fork
    work = wait
    """
    with program(definitions) as running:
        before = running.workers()
        mark.touch()
        os.kill(before[0], signal.SIGKILL)
        running.hears("log worker 1, process")
        failure = "worker 1 cannot be started: Resource temporarily unavailable"
        assert running.hears("log") == f"{failure}; it is tried again in 0.01 seconds"
        running.hears("worker 0")
        os.kill(before[1], 0)


def test_pauses_end_growing() -> None:
    assert [pause_after(crashes) for crashes in (1, 2, 3, 100, 10_000)] == [0, 0.25, 0.5, 30, 30]


def test_a_worker_that_has_told_once_writes_nothing_more_to_where_it_told(caplog: pytest.LogCaptureFixture) -> None:
    news, told = os.pipe()
    lifeline = Lifeline(0, told, 0)
    lifeline.tell_ready()
    assert os.read(news, 10) == b"+"
    os.close(news)
    listening, reused = os.pipe()
    assert told in {listening, reused}, "the descriptor is somebody else's now"
    lifeline.tell_failure("the disk is full")
    os.set_blocking(listening, False)
    with pytest.raises(BlockingIOError):
        os.read(listening, 10)
    os.close(listening)
    os.close(reused)
    assert "worker 1 has failed: the disk is full" in caplog.text
