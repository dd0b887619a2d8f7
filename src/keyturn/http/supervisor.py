"""Keeps several worker processes running, replaces those that end, and ends them when it is told to stop.

It serves nobody itself: no thread, no event loop, no database connection, so that forking it is safe at any time.
"""

import contextlib
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

_LOGGER: Final = logging.getLogger("keyturn.supervisor")

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_STEADY: Final = 10.0
"""Seconds after which a worker that ends is no longer taken for one that cannot run."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 30.0
"""Seconds before a worker is replaced that ends soon, again and again: doubled each time, from none."""
_TRIES: Final = 5
"""Replacements in a row that cannot start, while nobody serves, until the supervisor gives up."""
_PATIENCE: Final = 10.0
"""Seconds beyond their grace after which workers that were told to stop are killed."""
_READY: Final = b"+"


class WorkerFailed(Exception):
    """Workers cannot start. The message is one line."""


def pause_after(crashes: int) -> float:
    """Seconds before a worker is replaced that has ended soon, so many times in a row."""
    return 0.0 if crashes == 1 else min(_FIRST_PAUSE * 2.0 ** min(crashes - 2, 20), _LONGEST_PAUSE)


class Lifeline:
    """What ties one worker to its supervisor. `number` counts the workers from 0; a replacement has the same."""

    def __init__(self, number: int, news: int, supervisor: int) -> None:
        self.number: Final = number
        self._news: int | None = news
        self.supervisor: Final = supervisor
        """A file descriptor that becomes readable when the supervisor has gone, however it ended."""

    def tell_ready(self) -> None:
        """The worker accepts connections."""
        self._tell(_READY)

    def tell_failure(self, text: str) -> None:
        """The worker cannot start, or could not end as it should; `text` says why."""
        if self._news is None:  # nobody listens any more
            _LOGGER.error("worker %d has failed: %s", self.number + 1, text)
            return
        self._tell(text.encode("utf-8", "replace")[:1000])

    def _tell(self, content: bytes) -> None:
        assert self._news is not None
        news, self._news = self._news, None
        with contextlib.suppress(OSError):  # whoever listened has gone
            os.write(news, content)
        os.close(news)


@dataclass(slots=True)
class _Worker:
    number: int
    process: int
    begun: float
    news: int | None
    """Where it says that it is ready, or why not; None once it has."""
    reloads: int
    ready: bool = False
    failure: str = ""


class Supervisor:
    """Runs so many `workers`: processes that do `work` until they get SIGTERM.

    Args:
        work: gives the status that the worker ends with.
        announce: called once, when all of them are ready.
        reload: called on SIGHUP; whether the workers are to get one, too.
        withdraw: called when it is told to stop: nobody new is to be accepted.
        grace: seconds that workers have to finish, as it is at that moment.
        clock: a monotonic one.
    """

    def __init__(
        self,
        workers: int,
        work: Callable[[Lifeline], int],
        *,
        announce: Callable[[], None],
        reload: Callable[[], bool],
        withdraw: Callable[[], None],
        grace: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wanted = workers
        self._work = work
        self._announce = announce
        self._reload = reload
        self._withdraw = withdraw
        self._grace = grace
        self._clock = clock
        self._workers: dict[int, _Worker] = {}
        self._due: dict[int, float] = {}
        """By the number of a worker that has ended, when it is replaced."""
        self._crashes: dict[int, int] = {}
        self._announced = False
        self._unready = 0
        """Replacements that could not start since the last one that could."""
        self._reloads = 0
        self._killed_at: float | None = None
        """When those that still run are killed; None while nobody has told it to stop."""
        self._failure: str | None = None
        self._caught: list[int] = []
        self._alive: tuple[int, int] = (-1, -1)
        self._wake: tuple[int, int] = (-1, -1)

    def run(self) -> None:
        """Supervises until all workers have ended after SIGTERM or SIGINT. Raises WorkerFailed."""
        with self._signals():
            try:
                for number in range(self._wanted):
                    if self._failure is None:
                        self._start(number)
                while self._workers or self._due:
                    self._turn()
            finally:
                self._kill()
        if self._failure is not None:
            raise WorkerFailed(self._failure)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        self._alive, self._wake = os.pipe(), os.pipe()
        for end in self._wake:
            os.set_blocking(end, False)
        before = {number: signal.signal(number, lambda caught, _: self._caught.append(caught)) for number in _SIGNALS}
        woken = signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)
            for end in (*self._alive, *self._wake):
                os.close(end)

    def _start(self, number: int) -> None:
        news, told = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # Until the worker has put its own in place, a signal must not meet the supervisor's handlers there.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            process = os.fork()
            if process == 0:
                os.close(news)
                self._become_worker(Lifeline(number, told, self._alive[0]))
        except OSError as error:  # no memory, or as many processes as may be
            os.close(news)
            self._not_begun(number, error)
            return
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.close(told)
        self._workers[number] = _Worker(number, process, self._clock(), news, self._reloads)

    def _not_begun(self, number: int, error: OSError) -> None:
        """Those that serve go on; it is tried again."""
        failure = f"worker {number + 1} cannot be started: {error.strerror}"
        if not self._announced:
            self._give_up(failure)
            return
        crashes = self._crashes[number] = self._crashes.get(number, 0) + 1
        pause = pause_after(crashes)
        _LOGGER.error("%s; it is tried again in %g seconds", failure, pause)
        self._due[number] = self._clock() + pause

    def _become_worker(self, lifeline: Lifeline) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            others = [worker.news for worker in self._workers.values() if worker.news is not None]
            for descriptor in (self._alive[1], *self._wake, *others):  # who keeps the first keeps all workers alive
                os.close(descriptor)
            for number in (signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            # A terminal sends these to everybody in it: what they mean for workers is for the supervisor to say.
            for number in (signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            status = self._work(lifeline)
        except BaseException:  # nothing may get past here: behind it is the supervisor's own code
            _LOGGER.exception("worker %d has failed", lifeline.number + 1)
        finally:
            os._exit(status)

    def _turn(self) -> None:
        """Waits for something to happen, and does what it takes."""
        listened = {worker.news: worker for worker in self._workers.values() if worker.news is not None}
        readable, _, _ = select.select([self._wake[0], *listened], [], [], self._pause())
        if self._wake[0] in readable:
            os.read(self._wake[0], 4096)
        for news in readable:
            if news in listened:
                self._hear(listened[news], news)
        caught, self._caught = self._caught, []
        for number in caught:
            if number == signal.SIGCHLD:
                self._reap()
            elif number == signal.SIGHUP:
                self._hang_up()
            else:
                self._stop()
        self._keep_time()

    def _pause(self) -> float | None:
        due = [*self._due.values(), *(() if self._killed_at is None else (self._killed_at,))]
        return max(min(due) - self._clock(), 0) if due else None

    def _hear(self, worker: _Worker, news: int) -> None:
        content = os.read(news, 4096)
        os.close(news)
        worker.news = None
        worker.ready = content == _READY
        if not worker.ready:
            worker.failure = content.decode("utf-8", "replace")
            return
        self._unready = 0
        if worker.reloads != self._reloads and worker.number in self._workers:  # not one that has ended since
            os.kill(worker.process, signal.SIGHUP)
        if self._announced:
            _LOGGER.info("worker %d serves again, as process %d", worker.number + 1, worker.process)
        elif len(self._workers) == self._wanted and all(each.ready for each in self._workers.values()):
            self._announced = True
            self._announce()

    def _reap(self) -> None:
        for worker in list(self._workers.values()):
            ended, status = os.waitpid(worker.process, os.WNOHANG)
            if ended:
                del self._workers[worker.number]
                if worker.news is not None:
                    self._hear(worker, worker.news)
                self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: _Worker, status: int) -> None:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"has ended with status {status}"
        name = f"worker {worker.number + 1}, process {worker.process},"
        if self._killed_at is not None:
            if status not in {0, -signal.SIGTERM}:  # the latter: it had not come to look out for it
                _LOGGER.error("%s %s", name, how)
            return
        why = worker.failure or f"it {how}"
        if not self._announced:
            self._give_up(f"worker {worker.number + 1} cannot start: {why}")
            return
        self._unready += not worker.ready
        if self._unready >= _TRIES and not any(each.ready for each in self._workers.values()):
            self._give_up(f"no worker can start any more: {why}")
            return
        now = self._clock()
        crashes = 1 if now - worker.begun >= _STEADY else self._crashes.get(worker.number, 0) + 1
        self._crashes[worker.number] = crashes
        pause = pause_after(crashes)
        self._due[worker.number] = now + pause
        reason = f": {worker.failure}" if worker.failure else ""
        _LOGGER.error("%s %s%s; another one takes its place in %g seconds", name, how, reason, pause)

    def _hang_up(self) -> None:
        if self._killed_at is None and self._reload():
            self._reloads += 1
            for worker in self._workers.values():
                if worker.ready:
                    os.kill(worker.process, signal.SIGHUP)

    def _stop(self) -> None:
        """Lets the workers finish; told once more, they do not wait for anybody."""
        self._withdraw()
        self._due.clear()
        if self._killed_at is None:
            self._killed_at = self._clock() + self._grace() + _PATIENCE
        for worker in self._workers.values():
            os.kill(worker.process, signal.SIGTERM)

    def _give_up(self, failure: str) -> None:
        self._failure = failure
        self._stop()

    def _keep_time(self) -> None:
        now = self._clock()
        if self._killed_at is not None and now >= self._killed_at:
            _LOGGER.error("workers that have not ended in time are killed")
            self._kill()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._start(number)

    def _kill(self) -> None:
        for worker in self._workers.values():
            os.kill(worker.process, signal.SIGKILL)
            os.waitpid(worker.process, 0)
        self._workers.clear()
