"""Nothing that a caller sends becomes a header, a line of the log, or a part of the issuer that it should not be."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from urllib.parse import quote

import pytest

from harness.deployment import BASE_URL, PASSWORD, Deployment, claims_of
from keyturn.events.event import Event
from keyturn.events.log import LogSink
from keyturn.http.logs import configure_logs

INJECTED = ["x\r\nset-cookie: a=b", "x\nset-cookie: a=b", "x\rset-cookie: a=b", "x\x00", "x\u2028y", "x\x85y"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example/realms/x",
        "evil.example#",
        "evil.example?",
        "user@evil.example",
        "evil.example:80:80",
        "evil.example:99999",
        "evil example",
        "evil.example\\",
        'evil.example"',
        "<evil>",
        "evil.example,keyturn.test",
        "[::1",
        "%65vil.example",
        "a" * 300,
        "",
    ],
)
def test_a_host_that_is_none_reaches_no_issuer(shared_server: Deployment, host: str) -> None:
    answer = shared_server.request("GET", "/realms/demo/.well-known/openid-configuration", headers={"host": host})
    if host == "evil.example,keyturn.test":  # a comma is allowed in a name (RFC 3986 §3.2.2), and stays in it
        assert answer.json()["issuer"] == f"https://{host}/realms/demo"
    else:
        assert answer.status_code == 400
        assert host not in answer.text or not host


@pytest.mark.parametrize("text", INJECTED, ids=ascii)
def test_a_realm_has_no_name_that_breaks_a_header(server: Deployment, text: str) -> None:
    answer = server.admin("POST", "", {"realm": text, "enabled": True})
    if answer.status_code == 201:  # it stands encoded wherever it stands
        path = f"/realms/{quote(text)}"
        assert server.request("GET", f"{path}/.well-known/openid-configuration").json()["issuer"] == BASE_URL + path
        userinfo = server.request("GET", f"{path}/protocol/openid-connect/userinfo")
        assert userinfo.status_code == 401
        assert "set-cookie" not in userinfo.headers
    else:
        assert (answer.status_code, "not allowed" in answer.text) == (400, True)
        assert server.request("GET", f"/realms/{quote(text)}").status_code == 404


@pytest.mark.parametrize("text", INJECTED, ids=ascii)
def test_the_location_of_what_is_new_is_one_line(server: Deployment, text: str) -> None:
    for path, document in (
        ("/demo/roles", {"name": text}),
        ("/demo/clients", {"clientId": text, "id": text}),
        ("/demo/client-scopes", {"name": text.replace(" ", ""), "id": text}),
        ("/demo/groups", {"name": text}),
    ):
        answer = server.admin("POST", path, document)
        assert answer.status_code in {201, 400}, answer.text
        assert "set-cookie" not in answer.headers
        location = answer.headers.get("location", "")
        assert location.isascii()
        assert location.isprintable()


def test_a_realms_name_stays_within_its_quotes(server: Deployment) -> None:
    name = 'a" error="b\\'
    assert server.admin("POST", "", {"realm": 'a" error"b', "enabled": True}).status_code == 201
    assert server.admin("POST", "", {"realm": name, "enabled": True}).status_code == 400
    path = "/realms/" + quote('a" error"b') + "/protocol/openid-connect/userinfo"
    assert server.request("GET", path).headers["www-authenticate"] == 'Bearer realm="a\\" error\\"b"'


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://keyturn.test:8443.evil.example", "*"])
def test_a_foreign_page_reads_no_token(server: Deployment, origin: str) -> None:
    server.client("page", "secret", webOrigins=["https://page.example"])
    form = {"grant_type": "client_credentials", "client_id": "page", "client_secret": "secret"}
    refused = server.protocol("token", form, headers={"origin": origin})
    assert (refused.status_code, refused.json()) == (403, {"error": "Invalid origin"})
    assert "access-control-allow-origin" not in refused.headers
    admin = server.admin("GET", "/demo/clients", headers={"origin": origin})
    assert admin.status_code == 403
    assert "access-control-allow-origin" not in admin.headers


def test_a_page_of_the_clients_own_reads_its_token(server: Deployment) -> None:
    server.client("page", "secret", webOrigins=["https://page.example"])
    form = {"grant_type": "client_credentials", "client_id": "page", "client_secret": "secret"}
    answer = server.protocol("token", form, headers={"origin": "https://page.example"})
    assert answer.headers["access-control-allow-origin"] == "https://page.example"


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[tuple[str, StringIO]]:
    """What is logged, in one form or the other; pytest's own handlers come back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    configure_logs("debug", request.param, stream)
    yield request.param, stream
    root.handlers[:] = handlers
    root.setLevel(level)


FORGED = "x\n2026-11-24 08:14:49,061 INFO    keyturn.http: all is well\r\n\x1b[2J\u2028\x85"


def test_an_event_is_one_line_whatever_it_tells(log: tuple[str, StringIO]) -> None:
    event = Event(
        type="LOGIN", realm=FORGED, realm_id="", time=0.0, address=FORGED, client_id=FORGED, details={"reason": FORGED}
    )
    LogSink().record(event)
    assert_whole(*log, count=1)


def test_an_errors_text_begins_no_line(log: tuple[str, StringIO]) -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        logging.getLogger("keyturn.http").exception("a request to %r failed", FORGED)
    form, stream = log
    if form == "json":
        assert_whole(form, stream, count=1)
    else:
        first, *rest = stream.getvalue().splitlines()
        assert "a request to" in first
        assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_nobody_fills_the_log_with_one_request(log: tuple[str, StringIO]) -> None:
    LogSink().record(
        Event(
            type="LOGIN_ERROR",
            realm="demo",
            realm_id="",
            time=0.0,
            address="",
            error="x",
            details={"a": "y" * 10**6},
        )
    )
    assert len(log[1].getvalue()) < 1000


def assert_whole(form: str, stream: StringIO, *, count: int) -> None:
    lines = stream.getvalue().splitlines()
    assert len(lines) == count
    for line in lines:
        assert line.isprintable()
        if form == "json":
            json.loads(line)


def test_proxy_headers_of_nobody_count_for_nothing(server: Deployment) -> None:
    headers = {"x-forwarded-for": "127.0.0.1", "x-forwarded-host": "evil.example", "x-forwarded-prefix": "/evil"}
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": PASSWORD}
    answer = server.protocol("token", form, realm="master", headers=headers).json()
    assert claims_of(answer["access_token"])["iss"] == f"{BASE_URL}/realms/master"
