"""Secrets that would be known anywhere go through every endpoint and many errors; then nothing of them is anywhere.

Not in the log at its most talkative, in either form, nor on standard output, in the metrics, the process list, the
answers of refused requests, or in the clear in any file.
"""

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.database import ON_POSTGRESQL
from harness.process import Answer, ServerProcess, running
from keyturn.jose import jwk
from keyturn.jose.seal import format_seal_key, new_seal_key

pytestmark = pytest.mark.slow

BOOTSTRAP = "CANARY-bootstrap-4f1c9a"
BOOTSTRAP_CLIENT = "CANARY-bootstrap-client-77e2"
CLIENT_SECRET = "CANARY-client-secret-b3d05e"
SECOND_SECRET = "CANARY-second-secret-91ac"
PASSWORD = "CANARY-password-e8806f"
SMTP = "CANARY-smtp-password-13fd"
WRONG = "CANARY-wrong-guess-2d9b"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


@dataclass
class Canary:
    """A server, what must not be found, and what it has answered to requests that it refused."""

    server: ServerProcess
    secrets: dict[str, str]
    refusals: list[tuple[str, Answer]] = field(default_factory=list)

    def call(self, method: str, path: str, **options: Any) -> Answer:
        answer = self.server.request(method, path, **options)
        if answer.status >= 400:
            self.refusals.append((f"{method} {path}", answer))
        return answer

    def token(self, realm: str = "demo", **form: str) -> Answer:
        return self.call("POST", f"/realms/{realm}/protocol/openid-connect/token", form=form)

    def raw(self, data: bytes) -> None:
        """Sends bytes that no client would send."""
        with socket.create_connection(("127.0.0.1", self.server.http_port), timeout=20) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass


@pytest.fixture(params=["text", "json"])
def canary(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Canary]:
    seal_key = format_seal_key(new_seal_key()).splitlines()[1]
    variables = {
        "KEYTURN_BOOTSTRAP_ADMIN_USERNAME": "admin",
        "KEYTURN_BOOTSTRAP_ADMIN_PASSWORD": BOOTSTRAP,
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_ID": "robot",
        "KEYTURN_BOOTSTRAP_ADMIN_CLIENT_SECRET": BOOTSTRAP_CLIENT,
        "KEYTURN_SEAL_KEY": seal_key,
    }
    given = (BOOTSTRAP, BOOTSTRAP_CLIENT, CLIENT_SECRET, SECOND_SECRET, PASSWORD, SMTP, WRONG)
    secrets = {"the seal key": seal_key, **{text: text for text in given}}
    flags = ("--log-level", "debug", "--log-format", request.param)
    with running(tmp_path, *flags, variables=variables) as server:
        yield Canary(server, secrets)


def test_no_secret_is_anywhere(canary: Canary) -> None:
    bearer = administer(canary)
    use(canary)
    refuse(canary, bearer)
    break_requests(canary, bearer)
    assert len(canary.refusals) > 60
    find_nothing(canary)
    assert canary.server.stop() == 0
    find_nothing_in_files(canary)


def administer(canary: Canary) -> dict[str, str]:
    """Everything that keeps a secret, by the administrator; gives the header that lets one in."""
    answer = canary.token("master", grant_type="password", client_id="admin-cli", username="admin", password=BOOTSTRAP)
    assert answer.status == 200, answer.body
    canary.secrets["the administrator's token"] = answer.json()["access_token"]
    canary.secrets["the administrator's refresh token"] = answer.json()["refresh_token"]
    bearer = {"authorization": f"Bearer {answer.json()['access_token']}"}

    def call(method: str, path: str, document: Any = None) -> Answer:
        answer = canary.call(method, f"/admin/realms{path}", document=document, headers=bearer)
        assert answer.status < 300, (method, path, answer.body)
        return answer

    smtp = {"host": "localhost", "from": "a@example.com", "user": "u", "password": SMTP, "auth": "true"}
    call("POST", "", {"realm": "demo", "enabled": True, "smtpServer": smtp})
    events = {"eventsEnabled": True, "adminEventsEnabled": True, "adminEventsDetailsEnabled": True}
    call("PUT", "/demo/events/config", events)
    client = {"clientId": "app", "secret": CLIENT_SECRET, "serviceAccountsEnabled": True}
    uuid = call("POST", "/demo/clients", client).headers["location"].rpartition("/")[2]
    call("PUT", f"/demo/clients/{uuid}", {"directAccessGrantsEnabled": True, "secret": SECOND_SECRET})
    call("PUT", f"/demo/clients/{uuid}", {"secret": CLIENT_SECRET, "attributes": {"client.secret.rotated": WRONG}})
    assert call("GET", f"/demo/clients/{uuid}/client-secret").json()["value"] == CLIENT_SECRET
    made = call("POST", "/demo/clients", {"clientId": "made", "serviceAccountsEnabled": True})
    path = f"/demo/clients/{made.headers['location'].rpartition('/')[2]}/client-secret"
    canary.secrets["a made secret"] = call("GET", path).json()["value"]
    canary.secrets["a regenerated secret"] = call("POST", path).json()["value"]
    named = path.replace("client-secret", "credentials")
    canary.secrets["a named secret"] = call("POST", named, {"type": "secret", "name": "spare"}).json()["secret"]
    rotated = {"type": "secret", "name": "before", "replaces": "secret", "overlap": 60}
    canary.secrets["a secret that replaces another"] = call("POST", named, rotated).json()["secret"]
    call("GET", named)
    person = {
        "username": "ada",
        "enabled": True,
        "email": "ada@example.com",
        "firstName": "Ada",
        "lastName": "Byron",
        "credentials": [{"type": "password", "value": PASSWORD}],
    }
    user = call("POST", "/demo/users", person).headers["location"].rpartition("/")[2]
    call("PUT", f"/demo/users/{user}/reset-password", {"type": "password", "value": PASSWORD})
    key = jwk.generate("RS256", certificate_subject="demo", now=1_700_000_000)
    pem = key.to_pem()
    canary.secrets["a private key"] = "".join(pem.splitlines()[1:-1])
    canary.secrets["a line of a private key"] = pem.splitlines()[3]
    component = {
        "name": "given",
        "providerId": "rsa",
        "providerType": "org.keycloak.keys.KeyProvider",
        "config": {"privateKey": [pem], "priority": ["200"], "algorithm": ["RS256"]},
    }
    call("POST", "/demo/components", component)
    users = [{"username": "eve", "credentials": [{"type": "password", "value": PASSWORD}]}]
    imported = {"clientId": "imported", "secret": CLIENT_SECRET, "serviceAccountsEnabled": True}
    canary.call(
        "POST",
        "/admin/realms/demo/partialImport",
        headers=bearer,
        document={"ifResourceExists": "SKIP", "users": users, "clients": [imported]},
    )
    call("POST", "", {"realm": "other", "enabled": True, "clients": [imported], "users": users})
    for read in ("", "/clients", "/users", "/components", "/keys"):
        call("GET", f"/demo{read}")
    for read in ("/admin-events?max=1000", "/events?max=1000"):  # who may read events may not read secrets
        assert_absent(canary, call("GET", f"/demo{read}").body, read)
    return bearer


def use(canary: Canary) -> None:
    """Every endpoint of the realm, as it is meant to be used."""
    mine = {"client_id": "app", "client_secret": CLIENT_SECRET}
    own = canary.token(grant_type="client_credentials", scope="openid", **mine)
    person = canary.token(grant_type="password", username="ada", password=PASSWORD, scope="openid", **mine)
    robot = canary.token("master", grant_type="client_credentials", client_id="robot", client_secret=BOOTSTRAP_CLIENT)
    for answer in (own, person, robot):
        assert answer.status == 200, answer.body
        for name in ("access_token", "refresh_token", "id_token"):
            if name in answer.json():
                canary.secrets[f"{name} {len(canary.secrets)}"] = answer.json()[name]
    tokens = person.json()
    basic = {"authorization": "Basic " + base64.b64encode(f"app:{CLIENT_SECRET}".encode()).decode()}
    canary.secrets["Basic credentials"] = basic["authorization"].partition(" ")[2]
    protocol = "/realms/demo/protocol/openid-connect"
    form = {"grant_type": "client_credentials"}
    assert canary.call("POST", f"{protocol}/token", form=form, headers=basic).status == 200
    for hint in ("access_token", "refresh_token"):
        question = {"token": tokens[hint], "token_type_hint": hint, **mine}
        assert canary.call("POST", f"{protocol}/token/introspect", form=question).status == 200
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert canary.call("GET", f"{protocol}/userinfo", headers=bearer).status == 200
    again = canary.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"], **mine)
    assert again.status == 200
    canary.secrets["a refreshed token"] = again.json()["refresh_token"]
    assert canary.call("POST", f"{protocol}/revoke", form={"token": own.json()["access_token"], **mine}).status == 200
    logout = {"refresh_token": again.json()["refresh_token"], **mine}
    assert canary.call("POST", f"{protocol}/logout", form=logout).status == 204


def refuse(canary: Canary, bearer: dict[str, str]) -> None:
    """The same with something wrong."""
    mine = {"client_id": "app", "client_secret": CLIENT_SECRET}
    cc = {"grant_type": "client_credentials"}
    refresh, access = canary.secrets["a refreshed token"], canary.secrets["the administrator's token"]
    token = "/realms/demo/protocol/openid-connect/token"
    forms: list[dict[str, str]] = [
        {**cc, "client_id": "app", "client_secret": WRONG},
        {**cc, "client_id": "nobody", "client_secret": CLIENT_SECRET},
        {**cc, "client_secret": CLIENT_SECRET},
        {**cc, **mine, "client_assertion_type": "x", "client_assertion": access, "scope": "nothing"},
        {**mine, "grant_type": "nothing"},
        {**mine, "grant_type": "password", "username": "ada", "password": WRONG},
        {**mine, "grant_type": "password", "username": "nobody", "password": PASSWORD},
        {**mine, "grant_type": "password", "password": PASSWORD},
        {**mine, "grant_type": "refresh_token", "refresh_token": refresh},
        {**mine, "grant_type": "refresh_token", "refresh_token": access},
        {**mine, "grant_type": "refresh_token", "refresh_token": CLIENT_SECRET},
        {**mine, "grant_type": "authorization_code", "code": PASSWORD},
    ]
    for form in forms:
        assert canary.call("POST", token, form=form).status >= 400, form
        assert canary.call("POST", f"{token}?client_secret={CLIENT_SECRET}", form=form).status >= 400
        canary.call("POST", token.replace("demo", "nowhere"), form=form)
        for endpoint in ("token/introspect", "revoke", "logout"):
            canary.call("POST", token.replace("token", endpoint), form={**form, "token": refresh})
    for authorization in (
        f"Basic {CLIENT_SECRET}",
        "Basic " + base64.b64encode(f"app:{WRONG}".encode()).decode(),
        "Basic " + base64.b64encode(f"app:%zz{CLIENT_SECRET}".encode()).decode(),
        f"Bearer {CLIENT_SECRET}",
        f"Bearer {refresh}",
        f"Bearer {access}x",
        f"Negotiate {PASSWORD}",
    ):
        headers = {"authorization": authorization}
        assert canary.call("POST", token, form=cc, headers=headers).status >= 400
        assert canary.call("GET", token.replace("token", "userinfo"), headers=headers).status == 401
        assert canary.call("GET", "/admin/realms/demo/clients", headers=headers).status == 401
    for document in (
        {"clientId": "app", "secret": SECOND_SECRET},
        {"clientId": "new", "secret": {"value": SECOND_SECRET}},
        {"clientId": "new", "secret": [SECOND_SECRET]},
        {"clientId": "new", "secret": SECOND_SECRET * 20},
        {"clientId": "new", "secrets": SECOND_SECRET},
        {"clientId": "new", "secret": SECOND_SECRET, "redirectUris": ["a b"]},
        [SECOND_SECRET],
    ):
        answer = canary.call("POST", "/admin/realms/demo/clients", document=document, headers=bearer)
        assert answer.status >= 400, document
    for path, broken in (
        ("/demo/users", {"username": "ada", "credentials": [{"type": "password", "value": PASSWORD}]}),
        ("/demo/users", {"username": "new", "credentials": [{"type": "password", "value": {"a": PASSWORD}}]}),
        ("/demo/users", {"username": "new", "credentials": PASSWORD}),
        ("/demo/components", {"name": "x", "providerId": "rsa", "config": {"privateKey": [CLIENT_SECRET]}}),
        ("", {"realm": "demo", "enabled": True, "smtpServer": {"password": SMTP}}),
        ("", {"realm": "a/b", "clients": [{"clientId": "x", "secret": CLIENT_SECRET}]}),
        ("/demo/partialImport", {"users": [{"credentials": PASSWORD}]}),
    ):
        canary.call("POST", f"/admin/realms{path}", document=broken, headers=bearer)


def break_requests(canary: Canary, bearer: dict[str, str]) -> None:
    """What is no request, no JSON and no form, with secrets in it all the same."""
    authorization = f"Authorization: {bearer['authorization']}\r\n".encode()
    basic = f"Authorization: Basic {canary.secrets['Basic credentials']}\r\n".encode()
    start = b"POST /realms/demo/protocol/openid-connect/token HTTP/1.1\r\nHost: localhost\r\n"
    for head in (authorization, basic):
        canary.raw(start + head + b"Broken\r\n\r\n")
        canary.raw(start + head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")
        canary.raw(start + head + b"X: " + b"a" * 100_000 + b"\r\n\r\n")
        canary.raw(start + head + b"Content-Length: 500\r\n\r\nclient_secret=" + CLIENT_SECRET.encode())
        canary.raw(start + head + b"Host: twice\r\nContent-Length: 0\r\n\r\n")
    for body in (
        f'{{"clientId": "x", "secret": "{SECOND_SECRET}"',
        f'{{"secret": "{SECOND_SECRET}", "clientId": nothing}}',
        f'{{"secret": "{SECOND_SECRET}\\ud800", "clientId": "x"}}',
        f"{SECOND_SECRET}",
        f'"{SECOND_SECRET}"',
    ):
        for path in ("/demo/clients", "/demo/users", "", "/demo/partialImport"):
            content = body.encode()
            head = (
                b"POST /admin/realms%b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                % path.encode()
            )
            canary.raw(head + authorization + b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
    for form in (b"client_secret=%b&client_secret=%b", b"client_secret=%b&x=%%zz&y=%b", b"\xff%b=%b"):
        content = form % (CLIENT_SECRET.encode(), SECOND_SECRET.encode())
        head = start + b"Content-Type: application/x-www-form-urlencoded\r\n"
        canary.raw(head + b"Content-Length: %d\r\n\r\n%b" % (len(content), content))


def spellings(secret: str) -> set[bytes]:
    """The secret as it might stand somewhere."""
    encoded = base64.b64encode(secret.encode()).rstrip(b"=")[:-2]  # its end depends on what follows
    return {secret.encode(), json.dumps(secret)[1:-1].encode(), encoded, secret.encode().hex().encode()}


def assert_absent(canary: Canary, content: bytes, where: str) -> None:
    for name, secret in canary.secrets.items():
        for spelling in spellings(secret):
            assert spelling not in content, f"{name} is in {where}"


def find_nothing(canary: Canary) -> None:
    """While it runs: answers, metrics, the process list, the log, the files."""
    for request, answer in canary.refusals:
        body = answer.body + repr(answer.headers).encode()
        if "client_secret=" not in request:
            assert_absent(canary, body, f"the answer to {request}: {body!r}")
    metrics = canary.server.request("GET", "/metrics", management=True)
    assert metrics.status == 200
    assert_absent(canary, metrics.body, "the metrics")
    for command_line in processes(canary.server.process.pid):
        assert_absent(canary, command_line, "the process list")
    find_nothing_in_files(canary)


def processes(pid: int) -> Iterator[bytes]:
    """The command lines of the server and of what it has started."""
    if sys.platform != "linux":
        yield subprocess.check_output(["ps", "-ww", "-o", "args=", "-p", str(pid)])
        return
    yield Path(f"/proc/{pid}/cmdline").read_bytes()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from processes(int(child))


def find_nothing_in_files(canary: Canary) -> None:
    log = canary.server.log.read_bytes()
    assert b"CLIENT_LOGIN" in log
    assert_absent(canary, log, "the log")
    assert_absent(canary, canary.server.stdout.encode(), "standard output")
    files = [path for path in canary.server.data.rglob("*") if path.is_file()]
    assert ON_POSTGRESQL or canary.server.data / "keyturn.db" in files
    assert not (canary.server.data / "seal.key").exists()
    for path in files:
        assert_absent(canary, path.read_bytes(), str(path))
