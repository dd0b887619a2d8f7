"""One call for all who want its outcome."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyturn.resource_server.single_flight import FlightLost, SingleFlight


def test_who_waits_too_long_gives_up_and_the_next_call_is_a_new_one() -> None:
    flight: SingleFlight[str] = SingleFlight(patience=0.01)
    begun, finish = threading.Event(), threading.Event()

    def hang() -> str:
        begun.set()
        finish.wait(30)
        return "late"

    with ThreadPoolExecutor() as pool:
        first = pool.submit(flight.run, hang)
        assert begun.wait(10)
        with pytest.raises(FlightLost):
            flight.run(lambda: "never called: it waits for the first")
        assert flight.run(lambda: "new") == "new"
        finish.set()
        assert first.result() == "late"
    assert not flight.under_way


def test_a_task_that_waits_too_long_gives_up() -> None:
    flight: SingleFlight[str] = SingleFlight(patience=0.01)

    async def wait() -> None:
        finish = asyncio.Event()

        async def hang() -> str:
            await finish.wait()
            return "late"

        with pytest.raises(FlightLost):
            await flight.run_async(hang)
        finish.set()

    asyncio.run(wait())
    assert flight.run(lambda: "new") == "new"


def test_an_event_loop_that_ends_takes_its_call_with_it() -> None:
    flight: SingleFlight[str] = SingleFlight(patience=30)

    async def leave() -> None:
        async def hang() -> str:
            await asyncio.Event().wait()
            return "never"

        flight.start_async(hang)
        await asyncio.to_thread(bool)  # let it begin

    asyncio.run(leave())
    assert flight.run(lambda: "new") == "new"


def test_an_exception_is_everybodys() -> None:
    flight: SingleFlight[str] = SingleFlight(patience=30)

    def fail() -> str:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        flight.run(fail)
    assert not flight.under_way


def test_both_libraries_import_without_the_servers_dependencies() -> None:
    server = ["alembic", "argon2", "httptools", "sqlalchemy", "starlette", "uvicorn", "uvloop", "joserfc"]
    check = f"sys.exit(sorted(set({server!r}) & set(sys.modules)) or 0)"
    code = f"import sys, keyturn.client, keyturn.resource_server; {check}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
