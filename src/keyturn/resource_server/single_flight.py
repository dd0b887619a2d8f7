"""One call at a time, shared by everybody who wants its outcome: threads and event loops alike."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

__all__ = ["FlightLost", "SingleFlight"]

T = TypeVar("T")


class FlightLost(Exception):
    """The call that one waited for was given up, or took too long."""


class SingleFlight(Generic[T]):
    """Runs a call unless one is under way, and gives its outcome, or its exception, to all who asked meanwhile.

    In an event loop the call runs as a task of its own, so that a caller who is cancelled does not take it from the
    others. `patience` is how many seconds anybody waits for a call that somebody else makes.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._flight: Future[T] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> bool:
        """Whether somebody makes the call right now."""
        return self._flight is not None

    def run(self, call: Callable[[], T]) -> T:
        """Make the call, or wait for the one under way. Do NOT use it in a thread that runs an event loop.

        Raises:
            FlightLost: as it says; other than that, what the call raises.
        """
        flight, mine = self._join()
        if not mine:
            try:
                return flight.result(self._patience)
            except TimeoutError:
                self._end(flight)
                raise FlightLost from None
        try:
            outcome = call()
        except Exception as error:
            self._end(flight)
            flight.set_exception(error)
            raise
        except BaseException:
            self._end(flight)
            flight.set_exception(FlightLost())
            raise
        self._end(flight)
        flight.set_result(outcome)
        return outcome

    async def run_async(self, call: Callable[[], Awaitable[T]]) -> T:
        """As ``run``, in an event loop.

        Raises:
            FlightLost: as it says; other than that, what the call raises.
        """
        flight = self.start_async(call)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(flight), self._patience)
        except TimeoutError:
            self._end(flight)
            raise FlightLost from None

    def start_async(self, call: Callable[[], Awaitable[T]]) -> "Future[T]":
        """Begin the call unless one is under way, in the running event loop, without waiting for it."""
        flight, mine = self._join()
        if mine:
            task = asyncio.create_task(self._fly(flight, call))
            self._tasks.add(task)  # the loop itself holds tasks weakly
            task.add_done_callback(self._tasks.discard)
        return flight

    async def _fly(self, flight: "Future[T]", call: Callable[[], Awaitable[T]]) -> None:
        try:
            outcome = await call()
        except Exception as error:  # handed to those who wait
            self._end(flight)
            flight.set_exception(error)
        except BaseException:
            self._end(flight)
            flight.set_exception(FlightLost())
            raise
        else:
            self._end(flight)
            flight.set_result(outcome)

    def _join(self) -> tuple["Future[T]", bool]:
        with self._lock:
            if self._flight is not None:
                return self._flight, False
            self._flight = Future()
            # Running futures cannot be cancelled, so nobody who waits can cancel for the others.
            self._flight.set_running_or_notify_cancel()
            return self._flight, True

    def _end(self, flight: "Future[T]") -> None:
        with self._lock:
            if self._flight is flight:
                self._flight = None
