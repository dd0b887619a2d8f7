"""The parts of one process that serves, made from the settings."""

import logging
import os
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from keyturn.config import Settings, SettingsError
from keyturn.events.log import LogSink
from keyturn.events.recorder import Recorder
from keyturn.http import openapi
from keyturn.http.app import create_app
from keyturn.http.at_once import from_memory
from keyturn.http.client_certificates import ClientCertificates
from keyturn.http.flushing import Flushing, between_nodes
from keyturn.http.gathered_signing import GatheredSigning, open_signer
from keyturn.http.gauges import Watched
from keyturn.http.health import HealthService
from keyturn.http.listeners import Listener, PortServer
from keyturn.http.metrics import ManagementService, Metrics, Sinks
from keyturn.http.oauth2 import TokenService
from keyturn.http.origin import Forwarding, InvalidHostname, MutualTls
from keyturn.http.outbound import Outbound
from keyturn.http.protocol import Connections
from keyturn.http.realms import RealmService
from keyturn.http.reload import Load
from keyturn.http.repeated import RepeatedRequests
from keyturn.http.services import Services
from keyturn.http.shared_metrics import Board, SharedMetrics
from keyturn.http.tls import Tls
from keyturn.http.token_protocol import TokenProtocol
from keyturn.http.traces import Traces
from keyturn.model.client_secret import ROTATION
from keyturn.model.trusted_issuer import SPIFFE
from keyturn.oauth2.failures import Failures
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import Registry
from keyturn.store.data_directory import DataDirectory
from keyturn.store.revisions import Revisions
from keyturn.store.spi import Store

if TYPE_CHECKING:
    from keyturn.http.client_trust import ClientTrust

_LOGGER: Final = logging.getLogger("keyturn.http")
_PREVIEWS: Final = (ROTATION, SPIFFE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is the same in every process of a server."""

    directory: DataDirectory
    listeners: list[Listener]
    tls: Tls | None
    descriptors: int
    load: Load
    on_terminal: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process stands among those of its server. The defaults are those of one that is alone."""

    ready: Callable[[], None]
    number: int = 0
    revisions: Revisions | None = None
    board: Board | None = None
    flushing: Flushing | None = None
    failures: Failures | None = None
    """Of clients, counted by all processes together."""
    supervisor: int | None = None
    """Becomes readable when the supervisor has gone."""


@dataclass(frozen=True, slots=True)
class Servers:
    """What listens, and what it serves with. `shared` tells the metrics of all workers, where there are several."""

    public: tuple[PortServer, ...]
    management: tuple[PortServer, ...]
    health: HealthService
    services: Services
    shared: SharedMetrics | None
    tls: Tls | None
    trust: "ClientTrust | None"
    watched: Watched
    traces: Traces | None

    @property
    def all(self) -> tuple[PortServer, ...]:
        """Those of every port."""
        return (*self.public, *self.management)

    def take(self, settings: Settings, tls: Tls | None) -> None:
        """Meets the clients to come with the certificate of `tls`, and stops as these settings say."""
        if self.tls is not None and tls is not None:
            self.tls.follow(tls)
            self.watched.tls = tls
            if self.trust is not None:
                self.trust.renew(tls.new_context, tls.authorities)
        for server in self.all:
            server.give(settings.shutdown_timeout)


def forwarding_of(settings: Settings) -> Forwarding:
    """How the address of a request is found. Raises SettingsError."""
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


def _features(settings: Settings) -> frozenset[str]:
    for name in settings.features:
        if name not in _PREVIEWS:
            _LOGGER.warning("there is no preview %s to turn on; there are %s", name, ", ".join(_PREVIEWS))
    return frozenset(settings.features)


def servers_of(prepared: Prepared, settings: Settings, store: Store, recorder: Recorder, place: Place) -> Servers:
    """The servers of this process, none of which listens yet. Raises SettingsError."""
    listeners, tls = prepared.listeners, prepared.tls
    registry = Registry(store, features=_features(settings), failures=place.failures)
    watched = Watched(registry, RepeatedRequests(os.urandom(32)), Connections(prepared.descriptors), tls)
    metrics = Metrics(recorder, gauges=watched.gauges)
    traces = None if settings.trace_endpoint is None else Traces(settings.trace_endpoint, settings.trace_one_in)
    store.tell_times(metrics.count_store if traces is None else traces.timing(metrics.count_store))
    shared = None if place.board is None else SharedMetrics(metrics, place.board, place.number)
    health = HealthService(lambda: _check(store))
    services = Services(
        store=store,
        registry=registry,
        facts=FactFinder(store, registry, time.time, os.urandom),
        forwarding=forwarding_of(settings),
        events=Sinks(LogSink(), metrics, recorder),
        clock=time.time,
        random=os.urandom,
        flush_events=_flush(store, recorder, place),
        outbound=outbound_of(settings, listeners, tls),
        certificates=certificates_of(settings),
    )
    signer = open_signer() if settings.batch_signing == "auto" else None
    tokens = TokenService(services, signer.takes if signer else None)
    app = metrics.watching(create_app(services, health, tokens))
    if traces is not None:
        app = traces.watching(app)
    protocol = partial(
        TokenProtocol,
        at_once=from_memory(tokens, RealmService(services)),
        count=metrics.count,
        repeated=watched.repeated,
        signing=GatheredSigning(signer) if signer else None,
        connections=watched.connections,
        trace=None if traces is None else traces.record,
    )
    management = ManagementService((shared or metrics).text, openapi.or_else(health.handle))
    grace = settings.shutdown_timeout
    by_flag = {listener.flag: listener for listener in listeners}
    public = []
    if "--http-port" in by_flag:
        public.append(PortServer(by_flag["--http-port"], app, grace=grace, protocol=protocol))
    trust = None if tls is None else _trust(settings, tls, store)
    for flag, context, own in [] if tls is None else _tls_ports(settings, tls, trust, protocol):
        public.append(PortServer(by_flag[flag], app, grace=grace, context=context, protocol=own))
    other = []
    if "--management-port" in by_flag:
        other.append(PortServer(by_flag["--management-port"], management.handle, grace=grace))
    return Servers(tuple(public), tuple(other), health, services, shared, tls, trust, watched, traces)


def _flush(store: Store, recorder: Recorder, place: Place) -> Callable[[], None]:
    own = recorder.flush
    return between_nodes(
        store, own, own if place.flushing is None else partial(place.flushing.flush, place.number, own)
    )


def certificates_of(settings: Settings) -> ClientCertificates | None:
    """Where clients' certificates come from. Raises SettingsError: anybody could send one."""
    if settings.proxy_client_certificate == "none":
        return ClientCertificates() if settings.mtls_port or settings.https_client_auth != "none" else None
    if not settings.proxy_trusted_addresses:
        raise SettingsError("--proxy-client-certificate: --proxy-trusted-addresses must name the proxies")
    return ClientCertificates(settings.proxy_client_certificate, settings.proxy_trusted_addresses)


def _trust(settings: Settings, tls: Tls, store: Store) -> "ClientTrust | None":
    """Whom the ports believe that ask for certificates, if there are any."""
    if settings.https_client_auth == "none" and not settings.mtls_port:
        return None
    from keyturn.http.client_trust import ClientTrust  # most servers never need it

    return ClientTrust(store, tls.authorities, tls.new_context)


def _tls_ports(
    settings: Settings, tls: Tls, trust: "ClientTrust | None", protocol: partial[TokenProtocol]
) -> Iterator[tuple[str, ssl.SSLContext, Callable[..., TokenProtocol]]]:
    """The ports with TLS: flag, context, and what speaks on their connections."""
    asks = settings.https_client_auth != "none"
    if not asks:
        yield "--https-port", tls.context, protocol
    if trust is None:
        return
    from keyturn.http.mutual_tls import MutualTlsProtocol

    mutual = partial(MutualTlsProtocol, *protocol.args, **protocol.keywords, trust=trust)
    if asks:
        mode = ssl.CERT_OPTIONAL if settings.https_client_auth == "request" else ssl.CERT_REQUIRED
        yield "--https-port", trust.listener(mode), partial(mutual, is_mtls_port=False)
    if settings.mtls_port:
        yield "--mtls-port", trust.listener(ssl.CERT_REQUIRED), partial(mutual, is_mtls_port=True)


def outbound_of(settings: Settings, listeners: list[Listener], tls: Tls | None) -> Outbound:
    """What may be fetched: from public addresses, from those that are allowed, and from the server's own ports."""
    public = (listener for listener in listeners if listener.flag != "--management-port")
    ports = {socket.getsockname()[1] for listener in public for socket in listener.sockets}
    own_authority = None if tls is None else tls.ca
    trusted = (file for file in (settings.outbound_trusted_certificates, own_authority) if file is not None)
    return Outbound(settings.outbound_allowed_addresses, ports, trusted)


def _check(store: Store) -> None:
    with store.read() as reader:
        assert reader.revision >= 0
