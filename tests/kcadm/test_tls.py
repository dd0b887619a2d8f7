"""What kcadm trusts: truststores of each format, and nothing besides."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kcadm.conftest import Kcadm
from keyturn.jose.jwk import generate
from keyturn.jose.truststore import to_pem, write_pkcs12_truststore
from keyturn.jose.x509 import certificate_der, development_ca, development_certificate, self_signed

PASSWORD = "trust me"
UNTRUSTED = "unable to find valid certification path to requested target\n"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = b'{"a":1}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that does not trust this server breaks off."""


@dataclass(frozen=True)
class TLSServer:
    """Where it is, and its CA."""

    url: str
    port: int
    ca: bytes


@contextmanager
def _running(chain: Path, ca: bytes) -> Iterator[TLSServer]:
    """A server that shows the certificates in `chain`, which holds its key, too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield TLSServer(f"https://127.0.0.1:{server.server_port}", server.server_port, ca)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TLSServer]:
    names = ["localhost", "127.0.0.1"]
    ca = development_ca(names, now=time.time())
    issued = development_certificate(ca, names, now=time.time())
    chain = tmp_path_factory.mktemp("tls") / "chain.pem"
    chain.write_bytes(issued.certificate + issued.key)
    with _running(chain, ca.certificate) as server:
        yield server


def _get(server: TLSServer, *more: str, url: str | None = None) -> tuple[str, ...]:
    return ("get", "x", "--server", url or server.url, "--realm", "m", "--token", "t", *more)


@pytest.fixture
def pkcs12(tls_server: TLSServer, home: Path) -> str:
    path = home / "trust.p12"
    path.write_bytes(write_pkcs12_truststore([tls_server.ca], PASSWORD))
    return str(path)


def test_refuses_a_server_that_nobody_vouches_for(kcadm: Kcadm, tls_server: TLSServer) -> None:
    printed = kcadm(*_get(tls_server))
    assert printed.status == 1
    assert printed.err.endswith(UNTRUSTED)


def test_trusts_a_pkcs12_truststore(kcadm: Kcadm, tls_server: TLSServer, pkcs12: str) -> None:
    assert kcadm(*_get(tls_server, "--truststore", pkcs12, "--trustpass", PASSWORD)).status == 0


def test_trusts_a_pem_file_without_a_password(kcadm: Kcadm, tls_server: TLSServer, home: Path) -> None:
    path = home / "ca.pem"
    path.write_bytes(tls_server.ca)
    assert kcadm(*_get(tls_server, "--truststore", str(path))).status == 0


def test_a_truststore_in_the_session_file_is_used_by_every_command(
    kcadm: Kcadm, tls_server: TLSServer, pkcs12: str, home: Path
) -> None:
    assert kcadm("config", "truststore", "--trustpass", PASSWORD, pkcs12).status == 0
    assert kcadm(*_get(tls_server)).status == 0
    assert kcadm("config", "truststore", "--delete").status == 0
    assert kcadm(*_get(tls_server)).status == 1


def test_takes_the_truststores_password_from_the_environment(
    kcadm: Kcadm, tls_server: TLSServer, pkcs12: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_it = kcadm(*_get(tls_server, "--truststore", pkcs12))
    assert needs_it.err == "Console is not active, but truststore password is required\n"
    monkeypatch.setenv("KC_CLI_TRUSTSTORE_PASSWORD", PASSWORD)
    assert kcadm(*_get(tls_server, "--truststore", pkcs12)).status == 0


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_opens_no_truststore(password: str, kcadm: Kcadm, tls_server: TLSServer, pkcs12: str) -> None:
    printed = kcadm(*_get(tls_server, "--truststore", pkcs12, "--trustpass", password))
    assert (printed.status, printed.err) == (1, f"Failed to load truststore: {pkcs12}\n")


def test_another_ca_does_not_do(kcadm: Kcadm, tls_server: TLSServer, home: Path) -> None:
    path = home / "other.pem"
    path.write_bytes(development_ca(["localhost"], now=time.time()).certificate)
    printed = kcadm(*_get(tls_server, "--truststore", str(path)))
    assert printed.err.endswith(UNTRUSTED)


def test_a_self_signed_server_is_not_trusted_only_because_there_is_a_truststore(
    kcadm: Kcadm, pkcs12: str, tmp_path: Path
) -> None:
    key = generate("ES256", now=time.time())
    certificate = self_signed(key.material, "127.0.0.1", now=time.time())
    chain = tmp_path / "self-signed.pem"
    chain.write_text(to_pem([certificate_der(certificate)]) + key.to_pem())
    with _running(chain, certificate) as other:
        printed = kcadm(*_get(other, "--truststore", pkcs12, "--trustpass", PASSWORD))
    assert printed.err.endswith(UNTRUSTED)


def test_a_certificate_for_another_name_does_not_do(
    kcadm: Kcadm, tls_server: TLSServer, pkcs12: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYTURN_CONNECT_TO", f"keycloak:8443:127.0.0.1:{tls_server.port}")
    other = _get(tls_server, "--truststore", pkcs12, "--trustpass", PASSWORD, url="https://keycloak:8443")
    printed = kcadm(*other)
    assert printed.status == 1
    assert "Certificate for <keycloak> doesn't match any of the subject alternative names" in printed.err


def test_insecure_checks_nothing_and_says_so(kcadm: Kcadm, tls_server: TLSServer) -> None:
    printed = kcadm(*_get(tls_server, "--insecure"))
    assert printed.status == 0
    assert printed.err.startswith("The server is configured to use TLS but there is no truststore specified.\n")


def test_says_what_answers_when_it_is_not_tls(kcadm: Kcadm, tls_server: TLSServer) -> None:
    printed = kcadm(*_get(tls_server, url=tls_server.url.replace("https", "http")))
    assert printed.err == f"HTTP request error: 127.0.0.1:{tls_server.port} failed to respond\n"
