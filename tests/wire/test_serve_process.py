"""The server as a process: starting, stopping, and what it says when it cannot start."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.process import ADMIN, KEYTURN, ServerProcess, environment, free_ports, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(tmp_path_factory.mktemp("serve"), "--tls-development-name", "keycloak") as started:
        yield started


def refused(directory: Path, *flags: str, variables: dict[str, str] | None = None) -> str:
    """The one line that a server which cannot start leaves on standard error."""
    ports = free_ports(3)
    listening = ["--http-port", str(ports[0]), "--https-port", str(ports[1]), "--management-port", str(ports[2])]
    result = subprocess.run(
        [*KEYTURN, "serve", "--data", str(directory / "data"), *listening, *flags],
        capture_output=True,
        text=True,
        env=environment(directory, {**ADMIN, **(variables or {})}),
        timeout=60,
        check=False,
    )
    assert result.returncode not in {0, None}
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("keyturn: ")
    return lines[0]


def test_serves_on_three_ports(server: ServerProcess) -> None:
    for answer in (
        server.request("GET", "/health/ready"),
        server.request("GET", "/health/ready", tls=True),
        server.request("GET", "/health/ready", management=True),
    ):
        assert (answer.status, answer.json()["status"]) == (200, "UP")
    discovery = server.request("GET", "/realms/master/.well-known/openid-configuration", tls=True).json()
    assert discovery["issuer"] == f"https://localhost:{server.https_port}/realms/master"


def test_the_start_text_gives_the_ready_truststore_line(server: ServerProcess) -> None:
    line = f"kcadm.sh config truststore --trustpass keyturn {server.data}/tls/truststore.p12"
    assert line in server.stdout
    assert f"https://127.0.0.1:{server.https_port}" in server.stdout


def test_answers_have_no_server_and_no_date_header(server: ServerProcess) -> None:
    headers = server.request("GET", "/realms/master").headers
    assert "server" not in headers
    assert "date" not in headers
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.sqlite
def test_keys_and_database_are_the_owners_alone(server: ServerProcess) -> None:
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    for name in ("tls/key.pem", "tls/ca-key.pem", "seal.key", "keyturn.db"):
        assert stat.S_IMODE((server.data / name).stat().st_mode) == 0o600, name


def test_a_second_server_is_told_that_the_data_directory_is_in_use(server: ServerProcess) -> None:
    line = refused(server.data.parent)
    assert f"{server.data} is in use by another keyturn, process {server.process.pid}" in line


def test_a_port_in_use_is_one_line(server: ServerProcess, tmp_path: Path) -> None:
    line = refused(tmp_path, "--https-port", str(server.https_port))
    assert (
        line == f"keyturn: --https-port: cannot listen on port {server.https_port} of 127.0.0.1: address already in use"
    )
    assert not (tmp_path / "data").exists()


def test_half_a_certificate_is_one_line(tmp_path: Path) -> None:
    assert "--tls-certificate is given without --tls-key" in refused(tmp_path, "--tls-certificate", "c.pem")


def test_a_key_of_another_certificate_is_one_line(server: ServerProcess, tmp_path: Path) -> None:
    pair = (
        "--tls-certificate",
        str(server.data / "tls/certificate.pem"),
        "--tls-key",
        str(server.data / "tls/ca-key.pem"),
    )
    assert "the key is not the certificate's" in refused(tmp_path, *pair)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_data_directory_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    assert "cannot be written to" in refused(tmp_path)


def test_a_file_in_place_of_the_data_directory_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert "cannot be written to" in refused(tmp_path)


def test_a_host_that_is_not_this_machines_is_one_line(tmp_path: Path) -> None:
    assert "cannot listen on port" in refused(tmp_path, "--host", "192.0.2.1")


def test_an_unknown_option_is_one_line_with_the_nearest(tmp_path: Path) -> None:
    assert refused(tmp_path, "--hostnam", "x") == "keyturn: unknown option --hostnam; did you mean --hostname?"


def test_a_hostname_that_is_none_is_one_line(tmp_path: Path) -> None:
    assert "neither a host name nor an http(s) URL" in refused(tmp_path, "--hostname", "a/b")


def test_a_login_survives_a_restart_and_so_do_certificates(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        login = server.token(grant_type="password", client_id="admin-cli", username="admin", password="admin")
        ca, certificate = server.ca.read_bytes(), (server.data / "tls/certificate.pem").read_bytes()
        truststore = (server.data / "tls/truststore.p12").read_bytes()
        assert server.stop() == 0
        ports = (server.http_port, server.https_port, server.management_port)
    with running(tmp_path, ports=ports) as server:
        assert server.ca.read_bytes() == ca
        assert (server.data / "tls/certificate.pem").read_bytes() == certificate
        assert (server.data / "tls/truststore.p12").read_bytes() == truststore
        again = server.token(
            grant_type="refresh_token", client_id="admin-cli", refresh_token=login.json()["refresh_token"]
        )
        assert again.status == 200
        assert server.stop() == 0


@pytest.mark.sqlite
def test_a_wrong_seal_key_or_a_newer_schema_stops_the_start(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.stop()
        key = (server.data / "seal.key").read_text()
    with running(tmp_path / "data") as other:  # makes a key of its own
        other.stop()
        (tmp_path / "data/seal.key").write_text((other.data / "seal.key").read_text())
    assert "but this database was sealed with" in refused(tmp_path)
    (tmp_path / "data/seal.key").unlink()
    assert "seal key" in (line := refused(tmp_path))
    assert "missing" in line
    (tmp_path / "data/seal.key").write_text(key)
    with sqlite3.connect(tmp_path / "data/keyturn.db") as database:
        database.execute("UPDATE schema_version SET version_num = '9999'")
        database.execute("UPDATE meta SET value = '9999' WHERE name = 'schema_serves'")
    database.close()
    assert "newer than this keyturn's" in refused(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_finishes_what_is_in_flight_and_exits_with_0(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as server:
        body = b"grant_type=password&client_id=admin-cli&username=admin&password=admin"
        head = (
            f"POST /realms/master/protocol/openid-connect/token HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection:
            connection.sendall(head + body[:10])
            # Answered one after the other, so the head of ours has been read when this answer is here.
            assert server.request("GET", "/health/live").status == 200
            ended: list[int] = []
            stopping = threading.Thread(target=lambda: ended.append(server.stop(number)))
            stopping.start()
            while _accepts(server.http_port):
                pass
            connection.sendall(body[10:])
            answer = b""
            while part := connection.recv(65536):
                answer += part
            stopping.join(20)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"access_token" in answer
        assert ended == [0]
        assert server.stdout.endswith("keyturn has stopped\n")


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_what_is_in_flight_too_long_is_not_waited_for(tmp_path: Path) -> None:
    with (
        running(tmp_path, "--shutdown-timeout", "1") as server,
        socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection,
    ):
        connection.sendall(b"POST /realms/master/protocol/openid-connect/token HTTP/1.1\r\nHost: a\r\n")
        connection.sendall(b"Content-Length: 10\r\n\r\n")
        assert server.request("GET", "/health/live").status == 200
        assert server.stop() == 0
