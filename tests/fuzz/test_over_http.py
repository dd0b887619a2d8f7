"""Generated calls and spoilt bytes over real connections to a real server: it answers or hangs up, and lives on."""

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from urllib.parse import quote, urlencode

import pytest

from fuzz.calls import draw_call, encoded, path_of
from fuzz.target import Target, faults
from harness.invariants import damages, violations
from harness.process import ServerProcess, running
from keyturn.admin.http_message import AdminResponse
from keyturn.representations import decode
from keyturn.store.spi import Store
from resilience.ledger import opened

pytestmark = pytest.mark.slow

_TIMEOUT = 20
_MEGABYTES = 60
"""By how much the server may grow; it keeps up to four large documents at a time, and caches."""


class Wire:
    """A server, its database seen from beside it, and connections to it."""

    def __init__(self, server: ServerProcess, store: Store) -> None:
        self.server = server
        self.target = Target(store)
        self.token = server.admin_token()

    def exchange(self, request: bytes, *, patience: float = _TIMEOUT) -> bytes:
        """All that comes back until the server hangs up, or for `patience` seconds does not say a word."""
        parts: list[bytes] = []
        with closing(socket.create_connection(("127.0.0.1", self.server.http_port), timeout=_TIMEOUT)) as connection:
            try:
                connection.sendall(request)
                connection.settimeout(patience)
                while part := connection.recv(65536):
                    parts.append(part)
            except (BrokenPipeError, ConnectionResetError, TimeoutError):
                """What has come until then counts."""
        return b"".join(parts)

    def cut(self, request: bytes) -> None:
        """Begins a request and is gone."""
        with closing(socket.create_connection(("127.0.0.1", self.server.http_port), timeout=_TIMEOUT)) as connection:
            connection.sendall(request)

    def megabytes(self) -> int:
        """What the server holds of the memory."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024

    def is_well(self) -> bool:
        """Whether a client gets its token."""
        form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "secret"}
        return self.server.token("plant", **form).status == 200


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with running(tmp_path_factory.mktemp("wire")) as server:
        server.make_client("plant", "robot", "secret")
        assert server.admin("POST", "", {"realm": "demo", "enabled": True}).status == 201
        store = opened(server.data)
        yield Wire(server, store)
        store.close()
        assert server.stop() == 0
        assert [line for line in server.log.read_text().splitlines() if " ERROR " in line or "Traceback" in line] == []
        assert damages(server.data / "keyturn.db") == []


def _request(wire: Wire, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    fields = {
        "host": f"127.0.0.1:{wire.server.http_port}",
        "connection": "close",
        "content-length": str(len(body)),
        **headers,
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("utf-8", "replace") + body


def _parsed(answer: bytes) -> AdminResponse:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return AdminResponse(int(status.split()[1]), headers, body)


def _call_over_http(wire: Wire, random: Random) -> int:
    """The status of the answer."""
    call = draw_call(random)
    query = urlencode([(name, str(wire.target.resolved(value))) for name, value in call.query], errors="surrogatepass")
    path = path_of(wire.target.path(call.path)) + (f"?{query}" if query else "")
    headers = {
        "authorization": f"Bearer {wire.token}",
        "content-type": quote(call.content_type.encode("utf-8", "replace"), safe="/ =;+*"),
    }
    method = call.method if call.method.isascii() else "GET"
    request = _request(wire, method, path, encoded(wire.target.resolved(call.body), call.broken), headers)
    answer = wire.exchange(request)
    parsed = _parsed(answer)
    assert not list(faults(parsed)), (request[:2000], answer[:2000])
    return parsed.status


def _wire_calls(wire: Wire, calls: int, seed: int) -> None:
    random, statuses = Random(seed), Counter[int]()
    for number in range(calls):
        if number % 200 == 0:  # it lives for a minute
            wire.token = wire.server.admin_token()
        statuses[_call_over_http(wire, random)] += 1
    assert statuses[401] < calls / 20
    assert wire.is_well()
    assert violations(wire.target.store, accounts_may_be_missing=True) == []


def test_calls_over_http(wire: Wire) -> None:
    _wire_calls(wire, 300, seed=1)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_calls_over_http_at_length(wire: Wire) -> None:
    _wire_calls(wire, 8_000, seed=2)


def _whole(wire: Wire) -> list[bytes]:
    """Requests of which nothing is wrong."""
    form = b"grant_type=client_credentials&client_id=robot&client_secret=secret&scope=openid"
    as_form = {"content-type": "application/x-www-form-urlencoded"}
    authorized = {"authorization": f"Bearer {wire.token}", "content-type": "application/json"}
    token = "/realms/plant/protocol/openid-connect/token"
    chunked = {"transfer-encoding": "chunked", **as_form}
    return [
        _request(wire, "POST", token, form, as_form),
        _request(wire, "POST", f"{token}/introspect", b"token=x&client_id=robot&client_secret=secret", as_form),
        _request(wire, "POST", "/admin/realms/plant/roles", b'{"name":"spoilt","attributes":{"a":["b"]}}', authorized),
        _request(wire, "GET", "/admin/realms/plant/clients?clientId=robot&first=0", b"", authorized),
        _request(wire, "GET", "/realms/plant/.well-known/openid-configuration", b"", {}),
        _request(wire, "POST", token, b"10\r\n" + form[:16] + b"\r\n0\r\n\r\n", chunked).replace(
            b"content-length: 26\r\n", b""
        ),
    ]


def _spoilt(random: Random, request: bytes) -> bytes:
    """`request` with a few bytes changed, lost, doubled or put in."""
    spoilt = bytearray(request)
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(spoilt))
        match random.randrange(5):
            case 0:
                spoilt[at] = random.randrange(256)
            case 1:
                del spoilt[at : at + random.randrange(1, 10)]
            case 2:
                spoilt[at:at] = spoilt[at : at + random.randrange(1, 200)]
            case 3:
                spoilt[at:at] = random.choice(
                    (b"\r\n", b"\x00", b"\xff", b"%", b":", b" " * 5000, b"A" * 70_000, b"\n")
                )
            case _:
                del spoilt[at + 1 :]
        spoilt = spoilt or bytearray(b"\r")
    return bytes(spoilt)


def _spoil(wire: Wire, requests: int, seed: int) -> None:
    random, whole, before = Random(seed), _whole(wire), wire.megabytes()
    for _ in range(requests):
        request = random.choice(whole)
        if random.randrange(4) == 0:
            wire.cut(request[: random.randrange(len(request))])
            continue
        answer = wire.exchange(_spoilt(random, request), patience=0.05)  # half of them are still waited for
        assert not answer or answer.startswith(b"HTTP/1.1 "), answer[:500]
        assert not answer.startswith(b"HTTP/1.1 5"), answer[:500]
    assert wire.is_well()
    assert wire.megabytes() < before + _MEGABYTES
    assert violations(wire.target.store, accounts_may_be_missing=True) == []


def test_spoilt_and_cut_requests(wire: Wire) -> None:
    _spoil(wire, 400, seed=3)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_spoilt_and_cut_requests_at_length(wire: Wire) -> None:
    _spoil(wire, 6_000, seed=4)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"[" * 10_000_000, 400, id="ten million brackets"),
        pytest.param(b'{"name":"' + b"x" * 20_000_000 + b'"}', 400, id="a name of twenty million letters"),
        pytest.param(b'{"attributes":{' + b'"a":["b"],' * 1_000_000 + b'"a":[]}}', 400, id="a field a million times"),
        pytest.param(b'{"name":' + b"1" * 1_000_000 + b"}", 400, id="a number of a million digits"),
        pytest.param(b" " * (65 * 1024 * 1024), 413, id="more than is taken"),
    ],
)
def test_a_large_document_is_refused_in_bounded_memory(wire: Wire, body: bytes, status: int) -> None:
    before = wire.megabytes()
    headers = {"authorization": f"Bearer {wire.server.admin_token()}", "content-type": "application/json"}
    answer = wire.exchange(_request(wire, "POST", "/admin/realms/plant/roles", body, headers))
    assert answer == b"" if status == 413 and not answer else _parsed(answer).status == status
    assert wire.megabytes() < before + 4 * len(body) // 1_000_000 + _MEGABYTES
    assert wire.is_well()


@pytest.mark.parametrize("parameters", [1_000, 30_000])
def test_a_form_of_thousands_of_parameters(wire: Wire, parameters: int) -> None:
    form = "&".join(f"parameter{number}=x" for number in range(parameters)).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = _parsed(
        wire.exchange(_request(wire, "POST", "/realms/plant/protocol/openid-connect/token", form, headers))
    )
    assert answer.status == 400
    assert decode(answer.body, dict)["error"] == "invalid_request"
