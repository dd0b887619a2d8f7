"""curl, with a certificate, before a real nginx, HAProxy or Envoy, or keyturn itself: with the files of the how-tos."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from harness.authority import SERVERS, Authority, Holder, authority, self_signed
from harness.certificates import envoy, rfc9440
from harness.process import ServerProcess, free_ports, running
from keyturn.jose import jwt
from keyturn.jose.client_certificate import read_certificate

pytestmark = pytest.mark.full

CONFIGURATIONS = Path(__file__).parents[2] / "docs" / "how-to" / "proxies"
PROGRAMS = {"nginx": "nginx", "haproxy": "haproxy", "rfc9440": "haproxy", "envoy": "envoy"}
FILES = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg", "envoy": "envoy.yaml"}
RFC_9440 = re.compile(r"# +(http-request set-header Client-Cert .*)")


@dataclass
class Before:
    """keyturn with what stands before it, and the clients' authority."""

    server: ServerProcess
    clients: Authority
    directory: Path
    port: int
    trusted: Path

    def token(self, holder: Holder | None, *more: str, client_id: str = "backend", form: str = "") -> tuple[int, Any]:
        """What curl gets from the token endpoint; 0 where there is no connection."""
        shown: list[str] = []
        if holder is not None:
            certificate, key = holder.files(self.directory)
            shown = ["--cert", str(certificate), "--key", str(key)]
        url = f"https://localhost:{self.port}/realms/demo/protocol/openid-connect/token"
        body = f"grant_type=client_credentials&client_id={client_id}{form}"
        command = ["curl", "-s", "--cacert", str(self.trusted), *shown, *more, "-d", body, "-w", "\n%{http_code}", url]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout
        content, _, status = answer.rpartition("\n")
        return int(status or 0), json.loads(content) if content.startswith("{") else content


def listening(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Waits until somebody listens on the port."""
    until = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the proxy has not started")


def make_clients(server: ServerProcess) -> None:
    assert server.admin("POST", "", {"realm": "demo", "enabled": True}).status == 201
    exact = {"x509.subjectdn": "CN=backend,O=Acme", "x509.allow.regex.pattern.comparison": "false"}
    bound = {"tls.client.certificate.bound.access.tokens": "true"}
    client = {"clientId": "backend", "clientAuthenticatorType": "client-x509", "attributes": exact | bound}
    assert server.admin("POST", "/demo/clients", client | {"serviceAccountsEnabled": True}).status == 201


def _options(program: str, directory: Path, configuration: Path) -> list[str]:
    """What keeps it in the foreground, and away from what else runs on this machine."""
    match program:
        case "nginx":
            return ["-c", str(configuration), "-p", str(directory), "-e", "stderr", "-g", "daemon off; pid proxy.pid;"]
        case "envoy":
            return ["-c", str(configuration), "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error"]
        case _:
            return ["-f", str(configuration), "-db"]


@contextmanager
def proxied(directory: Path, kind: str) -> Iterator[Before]:
    program = PROGRAMS[kind]
    places = [str(Path(sys.executable).parent), "/usr/sbin"]
    binary = shutil.which(program) or shutil.which(program, path=os.pathsep.join(places))
    if binary is None or shutil.which("curl") is None:
        pytest.skip(f"needs {program} and curl")
    (port,), clients, own = free_ports(1), authority("Clients' CA"), authority("Servers' CA")
    certificate, key = own.issue("localhost", x509.DNSName("localhost"), usage=[SERVERS]).files(directory)
    (directory / "server.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    (directory / "server.key").write_bytes(key.read_bytes())
    (directory / "clients-ca.pem").write_text(clients.pem)
    (directory / "trusted.pem").write_text(own.pem)
    flags = ("--proxy-headers", "xforwarded", "--proxy-trusted-addresses", "127.0.0.1")
    with running(directory / "keyturn", *flags, "--proxy-client-certificate", kind) as server:
        make_clients(server)
        file = CONFIGURATIONS / FILES[program]
        text = file.read_text().replace("8443", str(port)).replace("127.0.0.1:8080", f"127.0.0.1:{server.http_port}")
        text = text.replace("port_value: 8080", f"port_value: {server.http_port}")
        text = text.replace(f"/etc/{program}/tls", str(directory))
        if kind == "rfc9440":
            header = RFC_9440.search(text)
            assert header is not None
            text = text.replace("    default_backend", f"    {header[1]}\n    default_backend")
        configuration = directory / file.name
        configuration.write_text(text)
        command = [binary, *_options(program, directory, configuration)]
        process = subprocess.Popen(command, cwd=directory, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            listening(process, port)
            yield Before(server, clients, directory, port, directory / "trusted.pem")
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_client_behind_a_real_proxy(tmp_path: Path, kind: str) -> None:
    with proxied(tmp_path, kind) as before:
        backend, other = before.clients.issue("backend"), before.clients.issue("other")
        status, answer = before.token(backend)
        assert status == 200, answer
        claims = jwt.parse(answer["access_token"]).claims
        assert claims["cnf"] == {"x5t#S256": read_certificate(backend.der).thumbprint}
        assert claims["iss"] == f"https://localhost:{before.port}/realms/demo"
        told = (
            "X-Forwarded-Host: other.example.org",
            "X-Forwarded-Port: 1",
            "X-Forwarded-Proto: http",
            "X-Forwarded-Prefix: /a",
        )
        _, again = before.token(backend, *(part for header in told for part in ("-H", header)))
        assert jwt.parse(again["access_token"]).claims["iss"] == claims["iss"], "callers say nothing of it"
        assert before.token(other)[0] == 401
        assert before.token(None)[0] == 401
        stranger = authority("Clients' CA").issue("backend")
        assert before.token(stranger)[0] in (0, 400, 401), "of another authority of the same name"
        encoded = subprocess.run(
            ["openssl", "base64", "-A"], input=backend.der, capture_output=True, check=True
        ).stdout.decode()
        for smuggled in (
            {"ssl-client-verify": "SUCCESS", "ssl-client-cert": backend.pem.replace("\n", "%0A")},
            {"ssl-client-verify": "0", "ssl-client-cert": encoded},
            rfc9440(backend.certificate),
            envoy(backend.certificate),
            {"Ssl_Client_Cert": encoded, "Ssl_Client_Verify": "0"},
        ):
            sent = [part for name, value in smuggled.items() for part in ("-H", f"{name}: {value}")]
            assert before.token(None, *sent)[0] == 401
            assert before.token(other, *sent)[0] == 401


def test_a_client_before_keyturn_itself(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    clients = authority("Clients' CA")
    (tmp_path / "clients-ca.pem").write_text(clients.pem)
    (port,) = free_ports(1)
    flags = ("--mtls-port", str(port), "--https-trust-store-file", str(tmp_path / "clients-ca.pem"))
    with running(tmp_path / "keyturn", *flags) as server:
        make_clients(server)
        before = Before(server, clients, tmp_path, port, server.ca)
        backend = clients.issue("backend")
        status, answer = before.token(backend)
        assert status == 200, answer
        issuer = jwt.parse(answer["access_token"]).claims["iss"]
        assert issuer == f"https://localhost:{server.https_port}/realms/demo", "there is one issuer"
        assert before.token(None)[0] == 0
        assert before.token(self_signed("backend"))[0] == 0
        path = "/realms/demo/.well-known/openid-configuration"
        metadata = server.request("GET", path, tls=True).json()
        assert metadata["issuer"] == issuer
        alias = f"https://localhost:{port}/realms/demo/protocol/openid-connect/token"
        assert metadata["mtls_endpoint_aliases"]["token_endpoint"] == alias
        assert metadata["token_endpoint"].startswith(issuer)
