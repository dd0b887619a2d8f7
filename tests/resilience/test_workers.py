"""A server of two worker processes is one server: what one is told, both know, and what one has seen, both have."""

import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from harness import assertions
from harness.process import ServerProcess, running
from harness.workers import Kept, one_to_each, until, workers_of
from keyturn.jose.x509 import certificate_der, development_tls

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel which process has a connection"),
]

TOKEN = "/realms/demo/protocol/openid-connect/token"
SERVICE = {"grant_type": "client_credentials", "client_id": "svc", "client_secret": "s3cret"}
CLIENTS: tuple[dict[str, object], ...] = (
    {
        "clientId": "svc",
        "secret": "s3cret",
        "serviceAccountsEnabled": True,
        "protocolMappers": [
            {
                "name": "audience",
                "protocol": "openid-connect",
                "protocolMapper": "oidc-audience-mapper",
                "config": {"included.client.audience": "svc", "access.token.claim": "true"},
            }
        ],
    },
    {
        "clientId": "signer",
        "serviceAccountsEnabled": True,
        "clientAuthenticatorType": "client-jwt",
        "attributes": {"use.jwks.string": "true", "jwks.string": assertions.jwks(assertions.key())},
    },
)


@dataclass(frozen=True)
class Served:
    """The server, and a connection to each of its workers."""

    server: ServerProcess
    one: Kept
    other: Kept
    administrator: str
    uuid: str

    def change(self, by: Kept, **fields: object) -> None:
        """Changes the client by the admin API of one worker."""
        answer = by.request("PUT", f"/admin/realms/demo/clients/{self.uuid}", token=self.administrator, document=fields)
        assert answer.status == 204, answer.body


def write_pair(directory: Path, name: str) -> bytes:
    """Puts a certificate for `name` and its key where the server finds them; the certificate."""
    made = development_tls(None, (name,), now=time.time()).server
    directory.joinpath("cert.pem").write_bytes(made.certificate)
    directory.joinpath("key.pem").write_bytes(made.key)
    return made.certificate


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[ServerProcess]:
    write_pair(directory, "before.example")
    config = directory / "keyturn.toml"
    config.write_text(f'tls-certificate = "{directory}/cert.pem"\ntls-key = "{directory}/key.pem"\nworkers = 2\n')
    with running(directory, "--config", str(config)) as started:
        assert started.admin("POST", "", {"realm": "demo", "enabled": True}).status == 201
        for client in CLIENTS:
            assert started.admin("POST", "/demo/clients", client).status == 201
        yield started
        assert started.stop() == 0
        assert "Traceback" not in started.log.read_text()


@pytest.fixture
def served(server: ServerProcess) -> Iterator[Served]:
    token = server.admin_token()
    found = server.admin("GET", "/demo/clients?clientId=svc").json()
    with one_to_each(server) as kept:
        one, other = kept.values()
        yield Served(server, one, other, token, found[0]["id"])


def test_a_change_is_in_force_in_every_worker_when_it_is_answered(served: Served) -> None:
    for kept in (served.one, served.other):
        for _ in range(2):  # from the second time on, the request is one that came before
            assert kept.request("POST", TOKEN, form=SERVICE).status == 200
    for number in range(10):
        writer, reader = (served.one, served.other) if number % 2 else (served.other, served.one)
        served.change(writer, enabled=False)
        assert reader.request("POST", TOKEN, form=SERVICE).status == 401
        served.change(reader, enabled=True)
        assert writer.request("POST", TOKEN, form=SERVICE).status == 200
        assert reader.request("POST", TOKEN, form=SERVICE).status == 200


def test_what_verifies_tokens_and_what_is_revoked_is_the_same_in_every_worker(served: Served) -> None:
    discovery, certs = "/realms/demo/.well-known/openid-configuration", "/realms/demo/protocol/openid-connect/certs"
    introspection = f"{TOKEN}/introspect"
    for path in (discovery, certs):
        assert served.one.request("GET", path).body == served.other.request("GET", path).body
    token = served.one.request("POST", TOKEN, form=SERVICE).json()["access_token"]
    credentials = {"client_id": "svc", "client_secret": "s3cret", "token": token}
    for _ in range(2):
        assert served.other.request("POST", introspection, form=credentials).json()["active"]
    revoked = served.one.request("POST", "/realms/demo/protocol/openid-connect/revoke", form=credentials)
    assert revoked.status == 200
    assert not served.other.request("POST", introspection, form=credentials).json()["active"]
    keys = len(served.other.request("GET", certs).json()["keys"])
    component = {
        "name": "more",
        "providerId": "ecdsa-generated",
        "providerType": "org.keycloak.keys.KeyProvider",
        "config": {"priority": ["200"]},
    }
    made = served.one.request("POST", "/admin/realms/demo/components", token=served.administrator, document=component)
    assert made.status == 201, made.body
    assert len(served.other.request("GET", certs).json()["keys"]) == keys + 1


def test_an_assertion_counts_once_though_both_workers_get_it_at_once(served: Served) -> None:
    issuer = f"http://127.0.0.1:{served.server.http_port}/realms/demo"
    together = Barrier(2)

    def ask(kept: Kept, assertion: str) -> int:
        together.wait(20)
        form = {"grant_type": "client_credentials", "client_assertion_type": assertions.TYPE}
        return kept.request("POST", TOKEN, form=form | {"client_assertion": assertion}).status

    with ThreadPoolExecutor(2) as both:
        for _ in range(5):
            assertion = assertions.assertion("signer", issuer, time.time())
            answers = both.map(ask, (served.one, served.other), (assertion, assertion))
            assert sorted(answers) == [200, 400]


def test_a_guesser_is_slowed_by_what_both_workers_have_seen(served: Served) -> None:
    guess = SERVICE | {"client_secret": "guess"}
    settings = {"attributes": {"keyturn.throttle.after": "3", "keyturn.throttle.longest": "600"}}
    path = "/admin/realms/demo"
    assert served.one.request("PUT", path, token=served.administrator, document=settings).status == 204
    try:
        by_turns = (served.one, served.other, served.one, served.other)
        assert [kept.request("POST", TOKEN, form=guess).status for kept in by_turns] == [401] * 4
        answers = [kept.request("POST", TOKEN, form=guess).status for _ in range(8) for kept in by_turns]
        assert answers.count(401) <= 4, "each that is looked at, once a second is over, doubles the wait"
        assert set(answers[::2]) >= {429} <= set(answers[1::2])
    finally:
        off = {"attributes": {"keyturn.throttle.after": ""}}
        assert served.one.request("PUT", path, token=served.administrator, document=off).status == 204


def test_sessions_of_one_worker_are_those_of_the_other(served: Served) -> None:
    path = "/realms/master/protocol/openid-connect/"
    login = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
    refreshed = served.one.request("POST", f"{path}token", form=login).json()
    for kept in (served.other, served.one):
        form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": refreshed["refresh_token"]}
        answer = kept.request("POST", f"{path}token", form=form)
        assert answer.status == 200, answer.body
        refreshed = answer.json()
    out = {"client_id": "admin-cli", "refresh_token": refreshed["refresh_token"]}
    assert served.one.request("POST", f"{path}logout", form=out).status == 204
    assert served.other.request("POST", f"{path}token", form=form).status == 400


def test_events_of_one_worker_are_there_when_the_other_is_asked(served: Served) -> None:
    realm = {"realm": "demo", "eventsEnabled": True}
    path = "/admin/realms/demo"
    assert served.one.request("PUT", path, token=served.administrator, document=realm).status == 204
    for number in range(3):
        form = SERVICE | {"client_secret": f"wrong {number}"}
        assert served.one.request("POST", TOKEN, form=form).status == 401
        events = f"{path}/events?type=CLIENT_LOGIN_ERROR"
        assert len(served.other.request("GET", events, token=served.administrator).json()) == number + 1


def test_settings_and_certificate_are_read_again_and_no_connection_ends(served: Served, directory: Path) -> None:
    for kept in (served.one, served.other):
        assert kept.request("POST", TOKEN, form=SERVICE).status == 200
    config, own = directory / "keyturn.toml", f"http://127.0.0.1:{served.server.http_port}/realms/demo"
    before, shown = config.read_text(), presented(served.server)
    replaced = certificate_der(write_pair(directory, "after.example"))
    assert replaced != shown
    config.write_text(before.replace("workers = 2", 'workers = 3\nhostname = "https://sso.example"'))
    served.server.process.send_signal(signal.SIGHUP)
    for kept in (served.one, served.other):
        until(partial(has_issuer, kept, "https://sso.example/realms/demo"))
        assert kept.request("POST", TOKEN, form=SERVICE).status == 200
    assert {presented(served.server) for _ in range(8)} == {replaced}
    assert served.server.log.read_text().count("these settings count from the next start: workers") == 1
    config.write_text(before)
    served.server.process.send_signal(signal.SIGHUP)
    for kept in (served.one, served.other):
        until(partial(has_issuer, kept, own))


def test_a_certificate_that_cannot_be_used_changes_nothing(served: Served, directory: Path) -> None:
    shown, key = presented(served.server), directory / "key.pem"
    good = key.read_bytes()
    key.write_bytes(b"no key")
    served.server.process.send_signal(signal.SIGHUP)
    until(lambda: "the settings stay as they are: --tls-certificate" in served.server.log.read_text())
    key.write_bytes(good)
    assert {presented(served.server) for _ in range(4)} == {shown}
    assert served.one.request("POST", TOKEN, form=SERVICE).status == 200


def test_metrics_are_those_of_both_workers(served: Served) -> None:
    name = 'keyturn_http_requests_total{endpoint="userinfo",method="GET",status="401"}'
    for kept in (served.one, served.other):
        for _ in range(3):
            assert kept.request("GET", "/realms/demo/protocol/openid-connect/userinfo").status == 401

    def told() -> bool:
        lines = served.server.request("GET", "/metrics", management=True).body.decode().splitlines()
        return f"{name} 6" in lines

    until(told)


def test_a_worker_that_is_killed_takes_only_its_own_connections_with_it(served: Served) -> None:
    before = workers_of(served.server)
    victim = served.one.worker(before)
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    assert served.other.request("POST", TOKEN, form=SERVICE).status == 200
    with pytest.raises(OSError, match=r"."):
        served.one.request("POST", TOKEN, form=SERVICE)
    for _ in range(5):
        assert served.server.token("demo", **SERVICE).status == 200
    until(lambda: len(workers_of(served.server)) == 2 and victim not in workers_of(served.server))
    with one_to_each(served.server) as kept:
        one, other = kept.values()
        again = Served(served.server, one, other, served.administrator, served.uuid)
        again.change(one, enabled=False)
        assert other.request("POST", TOKEN, form=SERVICE).status == 401
        again.change(other, enabled=True)
        assert one.request("POST", TOKEN, form=SERVICE).status == 200


def has_issuer(kept: Kept, issuer: str) -> bool:
    """Whether the discovery document says so."""
    document = kept.request("GET", "/realms/demo/.well-known/openid-configuration").json()
    return bool(document["issuer"] == issuer)


def presented(server: ServerProcess) -> bytes:
    """The certificate that a new connection meets."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", server.https_port), 20) as connection,
        context.wrap_socket(connection) as secured,
    ):
        certificate = secured.getpeercert(binary_form=True)
    assert certificate is not None
    return certificate
