"""What requests are called: in their answer and in the log the same."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from harness.connection import Port, token_request
from harness.realm import make_realm
from keyturn.events.log import LogSink
from keyturn.http.logs import configure_logs
from keyturn.http.request_id import RequestId

BASIC = ("robot", "robots-very-own-secret")
FORM = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    realm = make_realm(tmp_path_factory.mktemp("realm"))
    realm.add_client(client_id=BASIC[0], secret=BASIC[1], service_accounts_enabled=True)
    made = Port(realm)
    yield made
    made.close()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def name_in(answer: bytes) -> str | None:
    head = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return next((line.partition(": ")[2] for line in head if line.startswith("x-request-id: ")), None)


def request(port: Port, secret: str = BASIC[1], *headers: str) -> bytes:
    head, _, body = token_request(port.realm.name, FORM, (BASIC[0], secret)).partition(b"\r\n\r\n")
    return b"\r\n".join([head, *(header.encode() for header in headers)]) + b"\r\n\r\n" + body


def test_an_answer_bears_the_name_that_its_request_brought(port: Port) -> None:
    connection = port.connect()
    connection.exchange(request(port))
    for name in ("a-1", "a-2", "a-2"):
        answer = connection.receive(request(port, BASIC[1], f"X-Request-Id: {name}"))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert name_in(answer) == name
    assert name_in(connection.receive(request(port))) is None
    assert name_in(connection.receive(request(port))) is None


@pytest.mark.parametrize("name", ["", "a b", "a" * 129, "a;b", "<script>"])
def test_a_name_that_could_break_something_is_not_taken(port: Port, name: str) -> None:
    answer = port.connect().exchange(request(port, BASIC[1], f"X-Request-Id: {name}"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert name_in(answer) != name


def test_a_refusal_is_found_in_the_log_by_its_answer(
    port: Port, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port.sink, "record", LogSink().record)
    connection = port.connect()
    names = [name_in(connection.exchange(request(port, "wrong", *more))) for more in ((), (), ("X-Request-Id: mine",))]
    told = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["requestId"] for line in told if line["loggerName"] == "keyturn.events"] == names
    assert names[2] == "mine"
    assert len(set(names)) == 3


def test_what_the_application_answers_has_a_name(port: Port) -> None:
    lines = "GET /realms/nobody HTTP/1.1\r\nHost: a\r\n"
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    brought = f"{lines}traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n\r\n"
    assert name_in(port.connect().exchange(brought.encode())) == trace
    assert len(name_in(port.connect().exchange(f"{lines}\r\n".encode())) or "") == 32


def test_a_trace_that_is_none_is_not_taken() -> None:
    for value in (b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01", b"nonsense"):
        assert RequestId([(b"traceparent", value)]).text not in value.decode()
