"""Spans reach a collector as OTLP says, of those requests that are to be traced."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from harness.connection import Port, token_request
from harness.realm import make_realm
from keyturn.http.body import Message, Receive, Scope, Send
from keyturn.http.trace_context import Parent, parent_of
from keyturn.http.traces import Traces

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(HTTPServer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def spans(self) -> list[dict[str, Any]]:
        return [
            span
            for _, document in self.taken
            for resource in document["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.path, json.loads(body)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(collector: Collector) -> str:
    return f"http://127.0.0.1:{collector.server_port}"


def test_a_span_says_what_was_asked_for_and_how_it_ended(collector: Collector) -> None:
    traces = Traces(address(collector), 1)
    traces.record(Parent(TRACE, SPAN, sampled=True), "token", "POST", 503, 0.25)
    traces.record(None, "admin/clients", "GET", 200, 0.01)
    traces.stop()
    (first, second), ((path, document), *_) = collector.spans, collector.taken
    assert path == "/v1/traces"
    assert (first["traceId"], first["parentSpanId"], first["name"]) == (TRACE, SPAN, "POST token")
    assert int(first["endTimeUnixNano"]) - int(first["startTimeUnixNano"]) == 250_000_000
    assert first["status"] == {"code": 2}
    assert len(second["traceId"]) == 32
    assert "parentSpanId" not in second
    assert {"key": "http.response.status_code", "value": {"intValue": "200"}} in second["attributes"]
    name = {"key": "service.name", "value": {"stringValue": "keyturn"}}
    assert name in document["resourceSpans"][0]["resource"]["attributes"]


def test_who_is_traced_decides_and_of_the_others_one_in_so_many_is(collector: Collector) -> None:
    traces = Traces(address(collector), 10)
    for _ in range(30):
        traces.record(None, "token", "POST", 200, 0)
    traces.record(Parent(TRACE, SPAN, sampled=False), "token", "POST", 200, 0)
    traces.record(Parent(TRACE, SPAN, sampled=True), "token", "POST", 200, 0)
    traces.stop()
    assert [span.get("parentSpanId") for span in collector.spans] == [None, None, None, SPAN]


def test_a_collector_that_is_gone_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    traces = Traces("http://127.0.0.1:9", 1)
    traces.record(None, "token", "POST", 200, 0)
    traces.stop()
    assert "traces are lost" in caplog.text


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b"00-x", f"00-{'0' * 32}-{SPAN}-01".encode(), f"00-{TRACE}-{'0' * 16}-01".encode()),
        *(f"{version}-{TRACE}-{SPAN}-01".encode() for version in ("ff", "0", "FE")),
        *(f"00-{TRACE}-{SPAN}-{rest}".encode() for rest in ("01-", "01-more", "1", "01 ")),
    ],
)
def test_what_is_no_trace_is_none(value: bytes) -> None:
    assert parent_of([(b"traceparent", value)]) is None


@pytest.mark.parametrize(("value", "sampled"), [("00", True), ("cc", True), ("00", False)])
def test_who_traces_a_request_is_read_of_this_version_and_of_later_ones(value: str, sampled: bool) -> None:
    flags = "03" if sampled else "02"
    later = "" if value == "00" else "-what-may-come"
    headers = [(b"traceparent", f"{value}-{TRACE}-{SPAN}-{flags}{later}".encode())]
    assert parent_of(headers) == Parent(TRACE, SPAN, sampled)
    assert parent_of(headers * 2) is None


def test_what_the_database_does_for_a_request_is_told_below_it(collector: Collector, tmp_path: Path) -> None:
    store, traces, counted = make_realm(tmp_path).store, Traces(address(collector), 1), list[str]()
    store.tell_times(traces.timing(lambda operation, _: counted.append(operation)))

    def used() -> None:
        with store.read():
            pass
        with store.write():
            pass

    async def serving(_scope: Scope, _receive: Receive, send: Send) -> None:
        await to_thread.run_sync(used)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def answered(_message: Message) -> None:
        pass

    async def silent() -> Message:
        return {"type": "http.disconnect"}

    async def ask(flags: str) -> None:
        headers = [(b"traceparent", f"00-{TRACE}-{SPAN}-{flags}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/admin/realms/demo/clients", "headers": headers}
        await traces.watching(serving)(scope, silent, answered)

    asyncio.run(ask("01"))
    asyncio.run(ask("00"))
    used()
    traces.stop()
    request, *stored = collector.spans
    assert [span["name"] for span in collector.spans] == ["GET admin/clients", "store read", "store write"]
    assert {span["parentSpanId"] for span in stored} == {request["spanId"]}
    assert {span["traceId"] for span in collector.spans} == {TRACE}
    began, ended = int(request["startTimeUnixNano"]), int(request["endTimeUnixNano"])
    assert all(began <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) <= ended for span in stored)
    assert counted == ["read", "write"] * 3


def test_tokens_are_traced_whether_they_came_before_or_not(
    collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> None:
    realm = make_realm(tmp_path_factory.mktemp("realm"))
    realm.add_client(client_id="robot", secret="robots-own", service_accounts_enabled=True)
    port, traces = Port(realm), Traces(address(collector), 1)
    connection = port.connect(trace=traces.record)
    request = token_request(realm.name, {"grant_type": "client_credentials"}, ("robot", "robots-own"))
    traced = request.replace(b"host: ", f"traceparent: 00-{TRACE}-{SPAN}-01\r\nhost: ".encode())
    connection.exchange(request)
    for each in (traced, traced, request, request):
        assert connection.receive(each).startswith(b"HTTP/1.1 200 ")
    port.close()
    traces.stop()
    assert [span.get("parentSpanId") for span in collector.spans] == [SPAN, SPAN, None, None]
    assert {span["name"] for span in collector.spans} == {"POST token"}


def test_a_method_that_callers_made_up_is_not_told(collector: Collector) -> None:
    traces = Traces(address(collector), 1)

    async def refusing(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 405, "headers": []})

    async def answered(_message: Message) -> None:
        pass

    async def silent() -> Message:
        return {"type": "http.disconnect"}

    async def ask() -> None:
        scope = {"type": "http", "method": "BREW" * 100, "path": "/", "headers": []}
        await traces.watching(refusing)(scope, silent, answered)

    asyncio.run(ask())
    traces.stop()
    assert [span["name"] for span in collector.spans] == ["other other"]


@pytest.mark.parametrize("rest", ["127.0.0.1:9", "127.0.0.1:1x", "127.0.0.1/\x01"])
def test_a_password_in_the_address_of_a_collector_is_not_told(rest: str, caplog: pytest.LogCaptureFixture) -> None:
    traces = Traces(f"http://user:canary@{rest}", 1)
    traces.record(None, "token", "POST", 200, 0)
    traces.stop()
    assert "traces are lost" in caplog.text
    assert "canary" not in caplog.text


def test_a_collector_that_refuses_is_told_without_its_address(
    collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Handler, "do_POST", lambda handler: handler.send_error(401))
    traces = Traces(address(collector).replace("//", "//user:canary@"), 1)
    traces.record(None, "token", "POST", 200, 0)
    traces.stop()
    assert "401" in caplog.text
    assert "canary" not in caplog.text
