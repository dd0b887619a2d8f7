"""Puts a server together from its settings, and runs it until it is told to stop."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import ssl
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from anyio import to_thread

from keyturn.admin.randomness import random_id
from keyturn.config import Settings, SettingsError
from keyturn.events.log import LogSink
from keyturn.events.recorder import Recorder
from keyturn.http import openapi
from keyturn.http.app import create_app
from keyturn.http.at_once import from_memory
from keyturn.http.bootstrap import FirstAdministrator, bootstrap
from keyturn.http.client_certificates import ClientCertificates
from keyturn.http.gathered_signing import GatheredSigning, open_signer
from keyturn.http.health import HealthService
from keyturn.http.housekeeping import keep_tidy
from keyturn.http.listeners import Listener, PortServer, bind, close_all, raise_descriptor_limit
from keyturn.http.memory import return_large_blocks
from keyturn.http.metrics import ManagementService, Metrics, Sinks
from keyturn.http.oauth2 import TokenService
from keyturn.http.origin import Forwarding, InvalidHostname, MutualTls
from keyturn.http.outbound import Outbound
from keyturn.http.protocol import Connections
from keyturn.http.realms import RealmService
from keyturn.http.repeated import RepeatedRequests
from keyturn.http.services import Services
from keyturn.http.tls import Tls, open_tls
from keyturn.http.token_protocol import TokenProtocol
from keyturn.model.client_secret import ROTATION
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import Registry
from keyturn.store.backends import open_store
from keyturn.store.data_directory import DataDirectory
from keyturn.store.recording import saver
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Store
from keyturn.store.sql import SqlStore

_log = logging.getLogger(__name__)

_WORKER_THREADS = 8
"""For the store and for passwords: argon2 takes 7 MiB a password, and SQLite has one writer."""


@dataclass(frozen=True, slots=True)
class Started:
    """What is to be told about a server that is up."""

    settings: Settings
    data: Path
    tls: Tls | None
    administrator: FirstAdministrator | None


def run(settings: Settings, *, on_terminal: bool, announce: Callable[[Started], None]) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what is in flight.

    Args:
        on_terminal: whether ``announce`` is read by a person: only then is a made-up password told.
        announce: called once, when all ports accept connections.

    Raises:
        SettingsError, StoreError: it cannot start; the message is one line.
    """
    connections = Connections(raise_descriptor_limit())
    return_large_blocks()
    listeners = _bind(settings)
    try:
        forwarding = _forwarding(settings)
        with DataDirectory(settings.data) as directory, _opened(settings, directory) as store:
            administrator = bootstrap(store, settings, directory.path, on_terminal=on_terminal, clock=time.time)
            tls = open_tls(settings, directory.path, time.time()) if settings.https_port else None
            started = Started(settings, directory.path, tls, administrator)
            recorder = Recorder(saver(store, random_id))
            servers = _servers(settings, listeners, tls, store, forwarding, recorder, connections)
            # What is there now stays: the collector need not look at it again.
            gc.freeze()
            recorder.start()
            try:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    tidying = keep_tidy(store, time.time, settings.housekeeping_interval)
                    runner.run(_serve(servers, tidying, lambda: announce(started)))
            finally:
                recorder.stop()
    finally:
        close_all(listeners)


@dataclass(frozen=True, slots=True)
class _Servers:
    public: tuple[PortServer, ...]
    management: tuple[PortServer, ...]
    health: HealthService

    @property
    def all(self) -> tuple[PortServer, ...]:
        return (*self.public, *self.management)


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


def _forwarding(settings: Settings) -> Forwarding:
    try:
        return Forwarding(
            settings.proxy_headers, settings.proxy_trusted_addresses, settings.hostname, _mutual_tls(settings)
        )
    except InvalidHostname as error:
        flag = "--mtls-url" if error.args == (settings.mtls_url,) else "--hostname"
        raise SettingsError(f"{flag}: {str(error)!r} is neither a host name nor an http(s) URL") from None


def _mutual_tls(settings: Settings) -> MutualTls | None:
    if settings.mtls_port:
        return MutualTls(settings.mtls_port, settings.https_port, settings.mtls_url)
    shown = settings.https_client_auth != "none" or settings.proxy_client_certificate != "none"
    return MutualTls() if shown else None


def open_database(settings: Settings, directory: DataDirectory, keys: SealKeys | None = None) -> SqlStore:
    """The database of the settings, or else that in the data directory. Raises StoreError."""
    keys = keys or seal_keys(settings, directory.path)
    return open_store(settings.database or directory.database, keys, time.time)


@contextlib.contextmanager
def _opened(settings: Settings, directory: DataDirectory) -> Iterator[Store]:
    store = open_database(settings, directory)
    try:
        with store.following(settings.max_staleness):
            yield store
    finally:
        store.close()


def _features(settings: Settings) -> frozenset[str]:
    for name in settings.features:
        if name != ROTATION:
            _log.warning("there is no preview %s to turn on; there is %s", name, ROTATION)
    return frozenset(settings.features)


def _servers(
    settings: Settings,
    listeners: list[Listener],
    tls: Tls | None,
    store: Store,
    forwarding: Forwarding,
    recorder: Recorder,
    connections: Connections,
) -> _Servers:
    metrics = Metrics(recorder)
    health = HealthService(lambda: _check(store))
    registry = Registry(store, features=_features(settings))
    services = Services(
        store=store,
        registry=registry,
        facts=FactFinder(store, registry, time.time, os.urandom),
        forwarding=forwarding,
        events=Sinks(LogSink(), metrics, recorder),
        clock=time.time,
        random=os.urandom,
        flush_events=recorder.flush,
        outbound=_outbound(settings, listeners, tls),
        certificates=_certificates(settings),
    )
    signer = open_signer() if settings.batch_signing == "auto" else None
    tokens = TokenService(services, signer.takes if signer else None)
    app = metrics.watching(create_app(services, health, tokens))
    protocol = partial(
        TokenProtocol,
        at_once=from_memory(tokens, RealmService(services)),
        count=metrics.count,
        repeated=RepeatedRequests(os.urandom(32)),
        signing=GatheredSigning(signer) if signer else None,
        connections=connections,
    )
    management = ManagementService(metrics, openapi.or_else(health.handle))
    grace = settings.shutdown_timeout
    by_flag = {listener.flag: listener for listener in listeners}
    public = []
    if "--http-port" in by_flag:
        public.append(PortServer(by_flag["--http-port"], app, grace=grace, protocol=protocol))
    for flag, context, own in [] if tls is None else _tls_ports(settings, tls, store, protocol):
        public.append(PortServer(by_flag[flag], app, grace=grace, context=context, protocol=own))
    other = []
    if "--management-port" in by_flag:
        other.append(PortServer(by_flag["--management-port"], management.handle, grace=grace))
    return _Servers(tuple(public), tuple(other), health)


def _certificates(settings: Settings) -> ClientCertificates | None:
    """Where clients' certificates come from. Raises SettingsError: anybody could send one."""
    if settings.proxy_client_certificate == "none":
        return ClientCertificates() if settings.mtls_port or settings.https_client_auth != "none" else None
    if not settings.proxy_trusted_addresses:
        raise SettingsError("--proxy-client-certificate: --proxy-trusted-addresses must name the proxies")
    return ClientCertificates(settings.proxy_client_certificate, settings.proxy_trusted_addresses)


def _tls_ports(
    settings: Settings, tls: Tls, store: Store, protocol: partial[TokenProtocol]
) -> Iterator[tuple[str, ssl.SSLContext, Callable[..., TokenProtocol]]]:
    """The ports with TLS: flag, context, and what speaks on their connections."""
    asks = settings.https_client_auth != "none"
    if not asks:
        yield "--https-port", tls.context, protocol
    if not asks and not settings.mtls_port:
        return
    from keyturn.http.client_trust import ClientTrust  # most servers never need it
    from keyturn.http.mutual_tls import MutualTlsProtocol

    trust = ClientTrust(store, tls.authorities, tls.new_context)
    mutual = partial(MutualTlsProtocol, *protocol.args, **protocol.keywords, authorities=tls.authorities)
    if asks:
        mode = ssl.CERT_OPTIONAL if settings.https_client_auth == "request" else ssl.CERT_REQUIRED
        yield "--https-port", trust.listener(mode), partial(mutual, is_mtls_port=False)
    if settings.mtls_port:
        yield "--mtls-port", trust.listener(ssl.CERT_REQUIRED), partial(mutual, is_mtls_port=True)


def _outbound(settings: Settings, listeners: list[Listener], tls: Tls | None) -> Outbound:
    """What may be fetched: from public addresses, from those that are allowed, and from the server's own ports."""
    public = (listener for listener in listeners if listener.flag != "--management-port")
    ports = {socket.getsockname()[1] for listener in public for socket in listener.sockets}
    own_authority = None if tls is None else tls.ca
    trusted = (file for file in (settings.outbound_trusted_certificates, own_authority) if file is not None)
    return Outbound(settings.outbound_allowed_addresses, ports, trusted)


def _check(store: Store) -> None:
    with store.read() as reader:
        assert reader.revision >= 0


async def _serve(servers: _Servers, tidying: Coroutine[Any, Any, None], announce: Callable[[], None]) -> None:
    to_thread.current_default_thread_limiter().total_tokens = _WORKER_THREADS
    stop = asyncio.Event()

    def told_to_stop() -> None:
        if stop.is_set():  # told twice: do not wait for anybody
            for server in servers.all:
                server.hurry()
        servers.health.drain()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop)
    for server in servers.all:
        await server.start()
    announce()
    in_the_background = asyncio.create_task(tidying)
    await stop.wait()
    await asyncio.gather(*(server.stop() for server in servers.public))
    await asyncio.gather(*(server.stop() for server in servers.management))
    in_the_background.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await in_the_background
