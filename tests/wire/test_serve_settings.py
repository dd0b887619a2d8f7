"""Settings at work: bootstrap, issuer, proxies, certificates, logs, ports."""

import json
import os
import pty
import shutil
import ssl
import stat
import subprocess
from pathlib import Path

import pytest

from harness.process import ADMIN, KEYTURN, environment, free_ports, running

pytestmark = pytest.mark.slow


def issuer(answer: bytes) -> str:
    return str(json.loads(answer)["issuer"])


def test_without_an_administrator_a_password_goes_to_an_owner_only_file(tmp_path: Path) -> None:
    with running(tmp_path, variables={}) as server:
        path = server.data / "initial-admin-password"
        password = path.read_text().strip()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(password) >= 20
        assert str(path) in server.stdout
        assert password not in server.stdout + server.log.read_text()
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin"}
        assert server.token(**form, password=password).status == 200
        server.stop()
        ports = (server.http_port, server.https_port, server.management_port)
    path.unlink()
    with running(tmp_path, variables={}, ports=ports) as server:
        assert not path.exists()
        assert "master is new" not in server.stdout


def test_on_a_terminal_the_password_is_shown_once_and_written_nowhere(tmp_path: Path) -> None:
    ports = free_ports(3)
    listening = ["--http-port", str(ports[0]), "--https-port", str(ports[1]), "--management-port", str(ports[2])]
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*KEYTURN, "serve", "--data", str(tmp_path / "data"), *listening],
        stdout=terminal,
        stderr=subprocess.PIPE,
        env=environment(tmp_path, {}),
    )
    os.close(terminal)
    shown = b""
    while b"written nowhere" not in shown:
        shown += os.read(controller, 4096)
    process.terminate()
    assert process.communicate()[1] == b""
    os.close(controller)
    password = shown.partition(b"password: ")[2].split()[0]
    assert len(password) >= 20
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or password not in path.read_bytes(), path


def test_keycloaks_bootstrap_variables_make_user_and_service_account(tmp_path: Path) -> None:
    variables = {
        "KC_BOOTSTRAP_ADMIN_USERNAME": "root",
        "KC_BOOTSTRAP_ADMIN_PASSWORD": "p",
        "KC_BOOTSTRAP_ADMIN_CLIENT_ID": "robot",
        "KC_BOOTSTRAP_ADMIN_CLIENT_SECRET": "s",
        "KC_DB": "postgres",
    }
    with running(tmp_path, variables=variables) as server:
        assert server.token(grant_type="password", client_id="admin-cli", username="root", password="p").status == 200
        token = server.token(grant_type="client_credentials", client_id="robot", client_secret="s").json()[
            "access_token"
        ]
        headers = {"authorization": f"Bearer {token}"}
        users = server.request("GET", "/admin/realms/master/users", headers=headers).json()
        assert [user["username"] for user in users] == ["root"]
        log = server.log.read_text()
        assert "KC_DB has no meaning here" in log
        assert "postgres" not in log


def test_a_secret_alone_makes_keycloaks_temp_admin_and_no_user(tmp_path: Path) -> None:
    with running(tmp_path, variables={"KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": "s"}) as server:
        answer = server.token(grant_type="client_credentials", client_id="temp-admin", client_secret="s")
        headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        assert server.request("GET", "/admin/realms/master/users", headers=headers).json() == []
        client = server.request("GET", "/admin/realms/master/clients?clientId=temp-admin", headers=headers).json()[0]
        assert client["attributes"]["is_temporary_admin"] == "true"


def test_a_full_hostname_pins_the_issuer(tmp_path: Path) -> None:
    with running(tmp_path, "--hostname", "https://sso.example.org:123/auth") as server:
        answer = server.request("GET", "/realms/master/.well-known/openid-configuration", headers={"Host": "evil"})
        assert issuer(answer.body) == "https://sso.example.org:123/auth/realms/master"


def test_proxy_headers_count_when_they_are_switched_on(tmp_path: Path) -> None:
    path, headers = "/realms/master/.well-known/openid-configuration", {"X-Forwarded-Host": "b", "Host": "a"}
    with running(tmp_path, "--proxy-headers", "xforwarded", "--proxy-trusted-addresses", "127.0.0.1") as server:
        assert issuer(server.request("GET", path, headers=headers).body) == "http://b/realms/master"
        outside = server.request("GET", path, headers={**headers, "X-Forwarded-For": "8.8.8.8"})
        assert (outside.status, outside.json()["error_description"]) == (403, "HTTPS required")
        ports = (server.http_port, server.https_port, server.management_port)
        server.stop()
    with running(tmp_path, ports=ports) as server:
        assert issuer(server.request("GET", path, headers=headers).body) == "http://a/realms/master"


def test_ports_that_are_0_are_off(tmp_path: Path) -> None:
    with running(tmp_path, ports=(free_ports(1)[0], 0, 0)) as server:
        assert server.request("GET", "/health").status == 200
        assert "https" not in server.stdout
        assert not (server.data / "tls").exists()


def test_a_given_certificate_is_the_one_that_is_served(tmp_path: Path) -> None:
    with running(tmp_path / "a") as first:
        first.stop()
        pair = first.data / "tls"
    flags = ("--tls-certificate", str(pair / "certificate.pem"), "--tls-key", str(pair / "key.pem"))
    with running(tmp_path / "b", *flags) as server:
        served = ssl.get_server_certificate(("127.0.0.1", server.https_port))
        assert served.split() == (pair / "certificate.pem").read_text().split()
        assert not (server.data / "tls").exists()
        assert "truststore" not in server.stdout


def test_development_names_are_in_the_certificate(tmp_path: Path) -> None:
    with running(tmp_path, "--tls-development-name", "keycloak", "--tls-development-name", "10.0.0.7") as server:
        context = ssl.create_default_context(cafile=str(server.ca))
        certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.https_port)))
        assert b"keycloak" in certificate
        assert context.cert_store_stats()["x509_ca"] == 1
        old = server.ca.read_bytes()
        server.stop()
        ports = (server.http_port, server.https_port, server.management_port)
    with running(tmp_path, ports=ports) as server:
        assert server.ca.read_bytes() == old, "fewer names need no new CA"
        server.stop()
    with running(tmp_path, "--tls-development-name", "other", ports=ports) as server:
        assert server.ca.read_bytes() != old, "the CA is constrained to its names"
        assert server.request("GET", "/health", tls=True).status == 200


def test_json_logs_are_one_object_a_line(tmp_path: Path) -> None:
    variables = {**ADMIN, "KEYTURN_NO_SUCH": "x"}
    with running(tmp_path, "--log-format", "json", variables=variables) as server:
        server.token(grant_type="client_credentials", client_id="nobody\n{}", client_secret="canary-secret")
        server.stop()
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert lines[0]["level"] == "WARNING"
    assert "KEYTURN_NO_SUCH" in lines[0]["message"]
    assert "canary-secret" not in server.log.read_text()


def test_a_file_gives_settings_and_flags_override_it(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    config = tmp_path / "keyturn.toml"
    config.write_text(f'hostname = "http://pinned"\nlog-level = "error"\nhttp-port = {port}\n')
    with running(tmp_path, "--config", str(config)) as server:
        assert server.http_port != port
        answer = server.request("GET", "/realms/master/.well-known/openid-configuration")
        assert issuer(answer.body) == "http://pinned/realms/master"


def test_management_has_metrics_and_the_http_port_has_not(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.token(grant_type="client_credentials", client_id="nobody", client_secret="x")
        server.request("GET", "/realms/" + "a" * 50)
        text = server.request("GET", "/metrics", management=True).body.decode()
        assert 'keyturn_http_requests_total{endpoint="token",method="POST",status="401"} 1\n' in text
        assert 'keyturn_events_total{type="CLIENT_LOGIN_ERROR",realm="master",error="client_not_found"} 1\n' in text
        assert 'keyturn_build_info{version="' in text
        assert server.request("GET", "/metrics").status == 404
        assert server.request("GET", "/realms/master", management=True).status == 404
        assert server.request("POST", "/health", management=True).status == 405
        assert server.request("HEAD", "/health/ready", management=True).body == b""


@pytest.mark.sqlite
def test_ready_is_503_when_the_store_cannot_be_read(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for name in ("keyturn.db", "keyturn.db-wal", "keyturn.db-shm"):
            path = server.data / name
            if path.exists():
                path.write_bytes(b"no database" * 1000)
        answer = server.request("GET", "/health/ready", management=True)
        assert (answer.status, answer.json()["status"]) == (503, "DOWN")
        assert server.request("GET", "/health/live", management=True).status == 200
        server.process.kill()


@pytest.mark.sqlite
def test_reseal_changes_the_key_and_everything_can_still_be_read(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.make_client("r", "svc", "svc-secret")
        data = server.data
        reseal = [*KEYTURN, "reseal", "--data", str(data)]
        busy = subprocess.run(reseal, capture_output=True, text=True, check=False, env=environment(tmp_path))
        assert busy.returncode == 1
        assert "in use by another keyturn" in busy.stderr
        server.stop()
        ports = (server.http_port, server.https_port, server.management_port)
    before = (data / "seal.key").read_text()
    backup = shutil.copytree(data, tmp_path / "backup")
    done = subprocess.run(reseal, capture_output=True, text=True, check=True, env=environment(tmp_path))
    assert "sealed with the key" in done.stdout
    assert (data / "seal.key").read_text() != before
    assert (data / "seal.key").read_text().strip() not in done.stdout + done.stderr
    with running(tmp_path, ports=ports) as server:
        assert (
            server.token("r", grant_type="client_credentials", client_id="svc", client_secret="svc-secret").status
            == 200
        )
        server.stop()
    assert (backup / "seal.key").read_text() == before


@pytest.mark.sqlite
def test_a_seal_key_that_is_given_is_not_written_to_the_data_directory(tmp_path: Path) -> None:
    with running(tmp_path / "other") as other:
        other.stop()
        key = (other.data / "seal.key").read_text().strip()
    with running(tmp_path, variables={**ADMIN, "KEYTURN_SEAL_KEY": key}) as server:
        server.stop()
        assert not (server.data / "seal.key").exists()
        ports = (server.http_port, server.https_port, server.management_port)
    reseal = [*KEYTURN, "reseal", "--data", str(server.data)]
    variables = environment(tmp_path, {"KEYTURN_SEAL_KEY": key})
    alone = subprocess.run(reseal, capture_output=True, text=True, check=False, env=variables)
    assert "--new-seal-key-file is needed" in alone.stderr
    new = tmp_path / "new.key"
    subprocess.run([*reseal, "--new-seal-key-file", str(new)], capture_output=True, check=True, env=variables)
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    with running(tmp_path, "--seal-key-file", str(new), ports=ports) as server:
        assert server.admin("GET", "").status == 200
