"""The walk-through, byte for byte, in bash, with our kcadm in the place of Keycloak's, against a server with TLS."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.process import ServerProcess, running

WALKTHROUGH = Path(__file__).with_name("walkthrough.sh")
KCADM = "/opt/keycloak/bin/kcadm.sh"
BEFORE = f"""
set -e
{KCADM}() {{ {sys.executable} -m keyturn.cli.kcadm.main "$@"; }}
{KCADM} config truststore "$CA"
"""
REALM = f"{KCADM} create realms -s realm=my-app-realm -s enabled=true\n"
AFTER = """
echo "user: $SERVICE_ACCOUNT_USER_ID role: $REALM_ROLE_ID"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    flags = ("--tls-development-name", "keycloak", "--log-level", "warning")
    with running(tmp_path_factory.mktemp("walkthrough"), *flags) as server:
        yield server


@pytest.mark.slow
def test_runs_as_it_is_written(server: ServerProcess, tmp_path: Path) -> None:
    log_in, rest = WALKTHROUGH.read_text().split("\n\n", 1)
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "CA": str(server.ca),
        "KEYTURN_CONNECT_TO": f"keycloak:8443:127.0.0.1:{server.https_port}",
        "KEYCLOAK_ADMIN_USER": "admin",
        "KEYCLOAK_ADMIN_PASSWORD": "admin",
    }
    # The last command ends with a backslash, which takes the empty line behind it.
    script = f"{BEFORE}{log_in}\n{REALM}{rest}\n{AFTER}"
    done = subprocess.run(
        ["bash"], input=script, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    secret, ids = done.stdout.splitlines()
    assert re.fullmatch(r"user: [0-9a-f-]{36} role: [0-9a-f-]{36}", ids)
    answer = server.token(
        "my-app-realm", grant_type="client_credentials", client_id="backend-service", client_secret=secret
    )
    assert answer.status == 200
    payload = answer.json()["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert "backend-access" in claims["realm_access"]["roles"]
