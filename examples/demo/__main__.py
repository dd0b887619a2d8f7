"""Runs the demonstration: ``make demo``, or ``make demo KEEP=1`` to have everything left running."""

import base64
import json
import os
import secrets
import ssl
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from examples.demo.processes import BIN, DemoError, Stage, clean_environment, free_ports
from examples.demo.terminal import command, output, result, say, title
from examples.demo.walkthrough import GET_SECRET, OTHER_CLIENT, WALKTHROUGH, Step

from keyturn.client import ClientSecretBasic, TokenSource

_MEANINGS: Final = {
    "iss": "who issued it: the realm, under the address at which it was asked",
    "exp": "until when it is good",
    "sub": "the service account's id",
    "azp": "the client it was issued to",
    "realm_access": "the realm roles, which the service looks at",
    "scope": "the client scopes that shaped it",
    "jti": "its own id",
}


@dataclass(frozen=True, slots=True)
class Demo:
    """What the steps share."""

    stage: Stage
    https_port: int
    service_port: int

    @property
    def data(self) -> Path:
        return self.stage.directory / "data"

    @property
    def ca(self) -> Path:
        return self.data / "tls" / "ca.pem"

    @property
    def issuer(self) -> str:
        return f"https://localhost:{self.https_port}/realms/my-app-realm"

    @property
    def service(self) -> str:
        return f"http://127.0.0.1:{self.service_port}"


def main() -> int:
    """Run all steps; 0 if each did what it should."""
    keep = os.environ.get("KEEP", "") not in {"", "0"}
    directory = Path(tempfile.mkdtemp(prefix="keyturn-demo-"))
    https_port, http_port, management_port, service_port = free_ports(4)
    password = secrets.token_urlsafe(12)
    variables = {
        **clean_environment(directory),
        "KEYCLOAK_ADMIN_USER": "admin",
        "KEYCLOAK_ADMIN_PASSWORD": password,
        # The name keycloak leads to this machine, without an entry in /etc/hosts.
        "KEYTURN_CONNECT_TO": f"keycloak:8443:127.0.0.1:{https_port}",
    }
    demo = Demo(Stage(directory, variables), https_port, service_port)
    started = time.monotonic()
    try:
        start_server(demo, http_port, management_port, password)
        secret, other_secret = administer(demo)
        use(demo, secret, other_secret)
        print(f"\nThat was everything, in {time.monotonic() - started:.1f} seconds.")
        if keep:
            how_to_go_on(demo, password, secret)
        return 0
    except DemoError as error:
        print(f"\nkeyturn: the demonstration stopped: {error}", file=sys.stderr)
        for line in demo.stage.last_words():
            print(f"  {line}", file=sys.stderr)
        keep = False
        return 1
    except KeyboardInterrupt:
        keep = False
        return 130
    finally:
        if not keep:
            demo.stage.close()


def start_server(demo: Demo, http_port: int, management_port: int, password: str) -> None:
    """Step 1."""
    title(1, "Start the server")
    say(
        "One process, its database a file in a fresh directory. It makes a development CA, since it is given no "
        "certificate."
    )
    flags = [
        *("--data", str(demo.data)),
        *("--https-port", str(demo.https_port)),
        *("--http-port", str(http_port)),
        *("--management-port", str(management_port)),
        *("--tls-development-name", "keycloak"),
    ]
    command(f"keyturn serve {' '.join(flags)}")
    begun = time.monotonic()
    first = {"KEYTURN_BOOTSTRAP_ADMIN_USERNAME": "admin", "KEYTURN_BOOTSTRAP_ADMIN_PASSWORD": password}
    ready = f"http://127.0.0.1:{management_port}/health/ready"
    demo.stage.start([str(BIN / "keyturn"), "serve", *flags], ready, first)
    result(f"ready after {time.monotonic() - begun:.1f} seconds: https://localhost:{demo.https_port}")
    say("kcadm.sh takes no PEM, so the CA is there as a truststore, too:")
    trust = f"/opt/keycloak/bin/kcadm.sh config truststore --trustpass keyturn {demo.data}/tls/truststore.p12"
    command(trust)
    demo.stage.bash(trust)


def administer(demo: Demo) -> tuple[str, str]:
    """The walk-through, and a second client; the secrets of both."""
    say("")
    say("Now what people do with Keycloak, word for word. kcadm.sh is keyturn's own here; Keycloak's does the same.")
    secret, other_secret = "", secrets.token_urlsafe(24)
    for number, step in enumerate((*WALKTHROUGH, OTHER_CLIENT), start=2):
        out = run(demo, number, step, {"OTHER_SECRET": other_secret})
        if step is GET_SECRET:
            secret = out.strip()
    return secret, other_secret


def run(demo: Demo, number: int, step: Step, variables: dict[str, str]) -> str:
    """Shows and runs one step; its output."""
    title(number, step.title)
    say(step.meaning)
    command(step.commands)
    out, messages = demo.stage.bash(step.commands, variables)
    output(messages)
    output(out)
    return out


def use(demo: Demo, secret: str, other_secret: str) -> None:
    """From the secret to the protected service."""
    title(8, "Get an access token with the secret")
    say("This is what the backend service does itself, here with keyturn's client library:")
    command(
        'source = TokenSource(ClientSecretBasic("backend-service", secret), issuer=issuer, ssl_context=context)\n'
        "source.token().access_token"
    )
    token = get_token(demo, "backend-service", secret)
    output(f"{token[:60]}…")
    say("A token is three parts with dots between them: header, claims, signature. Anybody can read the first two:")
    for part in token.split(".")[:2]:
        show_json(decoded(part))
    title(9, "Start a service that wants the role backend-access")
    say(
        "It checks signature, issuer, expiry and role by itself: it got the realm's public keys, and asks nobody again."
    )
    flags = ["--issuer", demo.issuer, "--ca", str(demo.ca), "--port", str(demo.service_port)]
    command(f"python -m examples.protected_service {' '.join(flags)}")
    demo.stage.start([sys.executable, "-m", "examples.protected_service", *flags], f"{demo.service}/health")
    title(10, "Call it")
    call(demo, token, 200, "with the token of backend-service")
    call(demo, None, 401, "without a token")
    other = get_token(demo, "other-service", other_secret)
    call(demo, other, 403, "with the token of other-service, which lacks the role")


def get_token(demo: Demo, client_id: str, secret: str) -> str:
    """An access token of `client_id`."""
    context = ssl.create_default_context(cafile=str(demo.ca))
    source = TokenSource(ClientSecretBasic(client_id, secret), issuer=demo.issuer, ssl_context=context)
    return source.token().access_token


def decoded(part: str) -> dict[str, Any]:
    """A part of a token as JSON."""
    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return document


def show_json(document: dict[str, Any]) -> None:
    """A JSON object, with what is worth knowing below its members."""
    for name, value in document.items():
        output(f"  {json.dumps(name)}: {json.dumps(value)}")
        note = _MEANINGS.get(name)
        if name == "exp":
            note = f"{note}: {datetime.fromtimestamp(value, UTC):%H:%M:%S} UTC"
        if note:
            output(f"      {note}")


def call(demo: Demo, token: str | None, expected: int, how: str) -> None:
    """Calls the protected service. Raises DemoError where it answers anything but what is expected."""
    shown = f"curl {demo.service}/" + (f" -H 'Authorization: Bearer {token[:12]}…'" if token else "")
    command(shown)
    answer = httpx.get(f"{demo.service}/", headers={"Authorization": f"Bearer {token}"} if token else {})
    output(f"HTTP {answer.status_code}  {answer.headers.get('www-authenticate', '')}".rstrip())
    output(answer.text)
    if answer.status_code != expected:
        raise DemoError(f"{expected} was expected {how}, not {answer.status_code}")
    result(f"{answer.status_code} {how}")


def how_to_go_on(demo: Demo, password: str, secret: str) -> None:
    """What can be done with what is left running."""
    pids = " ".join(str(process.pid) for process in demo.stage.processes)
    directory = demo.stage.directory
    kcadm = f"HOME={directory} KEYTURN_CONNECT_TO={demo.stage.variables['KEYTURN_CONNECT_TO']} {BIN}/kcadm.sh"
    print("\nEverything is still running. Go on with, for instance:")
    command(f"{kcadm} get clients -r my-app-realm --fields clientId")
    command(
        f"CLIENT_ID=backend-service CLIENT_SECRET={secret} \\\n"
        f"  {BIN}/python examples/call_service.py --issuer {demo.issuer} --ca {demo.ca} {demo.service}/"
    )
    print(f"   The administrator is admin, with the password {password}. Stop it and remove everything:")
    command(f"kill {pids}; rm -r {directory}")


if __name__ == "__main__":
    sys.exit(main())
