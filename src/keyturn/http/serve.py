"""Puts a server together from its settings, and runs it until it is told to stop: in this process, or in several."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Final

import uvloop
from anyio import to_thread

from keyturn.admin.randomness import random_id
from keyturn.config import Settings, SettingsError
from keyturn.events.recorder import Recorder
from keyturn.http.bootstrap import FirstAdministrator, bootstrap
from keyturn.http.flushing import Flushing
from keyturn.http.housekeeping import keep_tidy
from keyturn.http.listeners import Listener, bind, close_all, raise_descriptor_limit
from keyturn.http.logs import configure_logs
from keyturn.http.memory import return_large_blocks
from keyturn.http.now_and_then import keep_up, show
from keyturn.http.parts import Place, Prepared, Servers, certificates_of, forwarding_of, outbound_of, servers_of
from keyturn.http.reload import Load, Reloading
from keyturn.http.shared_metrics import Board
from keyturn.http.supervisor import Lifeline, Supervisor
from keyturn.http.tls import Tls, open_tls
from keyturn.oauth2.failures import Failures
from keyturn.store.backends import open_store
from keyturn.store.data_directory import DataDirectory
from keyturn.store.recording import saver
from keyturn.store.revisions import Revisions, shared_revisions
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Store, StoreError
from keyturn.store.sql import SqlStore

_LOGGER: Final = logging.getLogger("keyturn.http")

_WORKER_THREADS = 8
"""For the store and for passwords: argon2 takes 7 MiB a password, and SQLite has one writer."""


@dataclass(frozen=True, slots=True)
class Started:
    """What is to be told about a server that is up."""

    settings: Settings
    data: Path
    tls: Tls | None
    administrator: FirstAdministrator | None


def run(settings: Settings, *, load: Load, on_terminal: bool, announce: Callable[[Started], None]) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what is in flight.

    Args:
        load: reads the settings again.
        on_terminal: whether ``announce`` is read by a person: only then is a made-up password told.
        announce: called once, when all ports accept connections.

    Raises:
        SettingsError, StoreError, WorkerFailed: it cannot start; the message is one line.
    """
    descriptors = raise_descriptor_limit()
    return_large_blocks()
    listeners = _bind(settings)
    try:
        forwarding_of(settings)
        with DataDirectory(settings.data) as directory:
            with _opened(settings, directory) as store:
                administrator = bootstrap(store, settings, directory.path, on_terminal=on_terminal, clock=time.time)
                tls = open_tls(settings, directory.path, time.time()) if settings.https_port else None
                started = Started(settings, directory.path, tls, administrator)
                prepared = Prepared(directory, listeners, tls, descriptors, load, on_terminal)
                if settings.workers == 1:
                    _work(prepared, settings, store, Place(ready=lambda: announce(started)))
                    return
            # Its connections must not be carried over into other processes: each opens the database for itself.
            _supervise(prepared, settings, lambda: announce(started))
    finally:
        close_all(listeners)


def _supervise(prepared: Prepared, settings: Settings, announce: Callable[[], None]) -> None:
    def use(settings: Settings) -> None:
        nonlocal prepared
        forwarding_of(settings)
        certificates_of(settings)
        prepared = replace(prepared, tls=_renewed(prepared, settings))
        configure_logs(settings.log_level, settings.log_format)

    def work(lifeline: Lifeline) -> int:
        settings, number = reloading.settings, lifeline.number
        place = Place(lifeline.tell_ready, number, revisions[number], board, flushing, failures, lifeline.supervisor)
        try:
            with _opened(settings, prepared.directory, place.revisions) as store:
                _work(prepared, settings, store, place)
        except (SettingsError, StoreError) as error:
            lifeline.tell_failure(str(error))
            return 1
        return 0

    reloading = Reloading(settings, prepared.load, use)
    workers = settings.workers
    revisions, board, flushing = shared_revisions(workers), Board(workers), Flushing(workers)
    failures = Failures(Lock())
    gc.collect()
    gc.freeze()  # the collector of a worker would write to memory that all of them share
    Supervisor(
        workers,
        work,
        announce=announce,
        reload=lambda: _hang_up(prepared, reloading),
        withdraw=lambda: close_all(prepared.listeners),
        grace=lambda: reloading.settings.shutdown_timeout,
    ).run()


def _work(prepared: Prepared, settings: Settings, store: SqlStore, place: Place) -> None:
    recorder = Recorder(saver(store, random_id))
    servers = servers_of(prepared, settings, store, recorder, place)
    # What is there now stays: the collector need not look at it again.
    gc.freeze()
    recorder.start()
    try:
        with (
            store.following(settings.max_staleness),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_serve(prepared, settings, store, servers, place, recorder))
    finally:
        recorder.stop()
        if servers.traces is not None:
            servers.traces.stop()


def _hang_up(prepared: Prepared, reloading: Reloading) -> bool:
    """What SIGHUP means: settings are read again, or the terminal that the server runs in has gone, and it stops."""
    if prepared.on_terminal and not sys.stdout.isatty():
        os.kill(os.getpid(), signal.SIGTERM)
        return False
    return reloading.reload()


def _renewed(prepared: Prepared, settings: Settings) -> Tls | None:
    """The certificate as it is now. Raises SettingsError."""
    return None if prepared.tls is None else open_tls(settings, prepared.directory.path, time.time())


def seal_keys(settings: Settings, data: Path) -> SealKeys:
    """Where the seal key of the database in `data` comes from. Raises StoreError."""
    environment = {}
    if settings.seal_key:
        environment["KEYTURN_SEAL_KEY"] = settings.seal_key
    if settings.seal_key_file:
        environment["KEYTURN_SEAL_KEY_FILE"] = os.fspath(settings.seal_key_file)
    return SealKeys.from_environment(data, environment)


def _bind(settings: Settings) -> list[Listener]:
    wanted = (
        ("--http-port", settings.http_port),
        ("--https-port", settings.https_port),
        ("--mtls-port", settings.mtls_port),
        ("--management-port", settings.management_port),
    )
    listeners: list[Listener] = []
    try:
        listeners.extend(bind(flag, settings.host, port) for flag, port in wanted if port)
    except SettingsError:
        close_all(listeners)
        raise
    return listeners


def open_database(
    settings: Settings, directory: DataDirectory, keys: SealKeys | None = None, revisions: Revisions | None = None
) -> SqlStore:
    """The database of the settings, or else that in the data directory. Raises StoreError."""
    keys = keys or seal_keys(settings, directory.path)
    return open_store(settings.database or directory.database, keys, time.time, revisions)


@contextlib.contextmanager
def _opened(settings: Settings, directory: DataDirectory, revisions: Revisions | None = None) -> Iterator[SqlStore]:
    store = open_database(settings, directory, revisions=revisions)
    try:
        yield store
    finally:
        store.close()


async def _serve(
    prepared: Prepared, settings: Settings, store: Store, servers: Servers, place: Place, recorder: Recorder
) -> None:
    to_thread.current_default_thread_limiter().total_tokens = _WORKER_THREADS
    stop = asyncio.Event()

    def told_to_stop() -> None:
        if stop.is_set():  # told twice: do not wait for anybody
            for server in servers.all:
                server.hurry()
        servers.health.drain()
        stop.set()

    def supervisor_has_gone(lifeline: int) -> None:
        loop.remove_reader(lifeline)
        _LOGGER.error("the supervisor has gone: this worker ends, too")
        told_to_stop()

    def use(settings: Settings) -> None:
        outbound = outbound_of(settings, prepared.listeners, prepared.tls)
        taken = forwarding_of(settings), certificates_of(settings), outbound
        servers.take(settings, _renewed(prepared, settings))
        servers.services.take(*taken)
        configure_logs(settings.log_level, settings.log_format)

    loop = asyncio.get_running_loop()
    reloading = Reloading(settings, prepared.load, use, tell=place.supervisor is None)
    loop.add_signal_handler(signal.SIGTERM, told_to_stop)
    loop.add_signal_handler(signal.SIGHUP, lambda: _hang_up(prepared, reloading))
    if place.supervisor is None:
        loop.add_signal_handler(signal.SIGINT, told_to_stop)
    else:
        loop.add_reader(place.supervisor, supervisor_has_gone, place.supervisor)
    for server in servers.all:
        await server.start()
    place.ready()
    async with _in_the_background(_now_and_then(settings, store, servers, place, recorder)):
        await stop.wait()
        await asyncio.gather(*(server.stop() for server in servers.public))
        await asyncio.gather(*(server.stop() for server in servers.management))


def _now_and_then(
    settings: Settings, store: Store, servers: Servers, place: Place, recorder: Recorder
) -> Iterator[Coroutine[Any, Any, None]]:
    if place.number == 0:  # one is enough
        yield keep_tidy(store, time.time, settings.housekeeping_interval)
    if settings.workers > 1 and settings.database is None:  # PostgreSQL's has a follower
        yield keep_up(store)
    if servers.shared is not None:
        yield show(servers.shared)
    if place.flushing is not None:
        yield place.flushing.answer(place.number, recorder.flush)


@contextlib.asynccontextmanager
async def _in_the_background(work: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
