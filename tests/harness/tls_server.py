"""A port of a realm's server with TLS, in this process: real sockets and handshakes."""

import asyncio
import json
import os
import ssl
import threading
from collections.abc import Mapping
from functools import partial
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

import uvloop

from harness.authority import Authority, Holder
from harness.realm import RealmUnderTest
from harness.realm_server import RealmServer
from harness.tokens import Answer
from keyturn.config import load
from keyturn.http.app import create_app
from keyturn.http.at_once import from_memory
from keyturn.http.client_certificates import ClientCertificates
from keyturn.http.client_trust import ClientTrust
from keyturn.http.health import HealthService
from keyturn.http.listeners import PortServer, bind
from keyturn.http.mutual_tls import MutualTlsProtocol
from keyturn.http.oauth2 import TokenService
from keyturn.http.realms import RealmService
from keyturn.http.repeated import RepeatedRequests
from keyturn.http.tls import open_tls


class TlsServer:
    """Asks clients for certificates. Those whom `authorities` vouch for may be anybody."""

    def __init__(
        self,
        realm: RealmUnderTest,
        directory: Path,
        *authorities: Authority,
        certificates: ClientCertificates | None = None,
        mode: ssl.VerifyMode = ssl.CERT_OPTIONAL,
    ) -> None:
        self.realm, self.directory = realm, directory
        directory.mkdir(exist_ok=True)
        tls = open_tls(load({}, {}).settings, directory, 1_790_000_000.0)
        assert tls.ca is not None
        self.ca = tls.ca
        known = tuple(authority.der for authority in authorities)
        self.trust = ClientTrust(realm.store, known, tls.new_context)
        services = RealmServer(realm, certificates or ClientCertificates()).services
        self._tokens, realms = TokenService(services), RealmService(services)
        self.repeated = RepeatedRequests(os.urandom(32))
        protocol = partial(
            MutualTlsProtocol,
            trust=self.trust,
            is_mtls_port=False,
            at_once=from_memory(self._tokens, realms),
            count=lambda *_: None,
            repeated=self.repeated,
        )
        app = create_app(services, HealthService(lambda: None), self._tokens)
        listener = bind("--https-port", "127.0.0.1", 0)
        self.port: int = listener.sockets[0].getsockname()[1]
        self._server = PortServer(listener, app, grace=1, context=self.trust.listener(mode), protocol=protocol)
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            self._loop = runner.get_loop()
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self._server.start()
        self._ready.set()
        await self._stop.wait()
        await self._server.stop()

    def connect(self, holder: Holder | None = None) -> HTTPSConnection:
        """A connection with the holder's certificate. Raises ssl.SSLError, OSError, at the latest when it is used."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if holder is not None:
            context.load_cert_chain(*holder.files(self.directory))
        return HTTPSConnection("localhost", self.port, timeout=10, context=context)

    def token(
        self, form: Mapping[str, str], holder: Holder | None = None, over: HTTPSConnection | None = None
    ) -> Answer:
        """What the token endpoint answers to `form`, over a new connection unless there is one."""
        connection = over or self.connect(holder)
        try:
            return exchange(connection, "POST", f"/realms/{self.realm.name}/protocol/openid-connect/token", form)
        finally:
            if over is None:
                connection.close()

    def close(self) -> None:
        """Ends it."""
        self.trust.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


def exchange(
    connection: HTTPSConnection,
    method: str,
    path: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request over a connection that stays open, in one piece: what comes in two is not remembered."""
    body = b"" if form is None else urlencode(form).encode()
    sent = {"host": f"localhost:{connection.port}", "content-length": str(len(body)), **(headers or {})}
    if form is not None:
        sent["content-type"] = "application/x-www-form-urlencoded"
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    if connection.sock is None:
        connection.connect()
    connection.sock.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
    response = HTTPResponse(connection.sock, method=method)
    response.begin()
    content = response.read()
    return Answer(response.status, json.loads(content) if content else {})
