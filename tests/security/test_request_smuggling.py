"""One reading of where a request ends (RFC 9112 §6.3, §11.2): what two readers could take for two requests is refused.

Raw bytes to a real server, since every client and every in-process transport would tidy them up.
"""

import re
import socket
from collections.abc import Iterator

import pytest

from harness.process import ServerProcess, running

pytestmark = pytest.mark.slow

TOKEN = b"/realms/master/protocol/openid-connect/token"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
BODY = b"grant_type=password&client_id=admin-cli&username=admin&password=admin"
INNER = b"GET /realms/master HTTP/1.1\r\nHost: smuggled\r\n\r\n"
STATUS = re.compile(rb"HTTP/1\.1 (\d+)")


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(tmp_path_factory.mktemp("smuggling")) as started:
        yield started


def send(process: ServerProcess, *parts: bytes) -> bytes:
    """What comes back until the server hangs up, which every request here asks for or provokes."""
    with socket.create_connection(("127.0.0.1", process.http_port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in STATUS.findall(answers)]


def post(headers: bytes, body: bytes, *, version: bytes = b"HTTP/1.1") -> bytes:
    return b"POST %b %b\r\nHost: localhost\r\n%b%b\r\n%b" % (TOKEN, version, FORM, headers, body)


LAST = b"GET /realms/master HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

AMBIGUOUS = {
    "length and chunks": post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + INNER),
    "chunks and length": post(
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"5\r\nhello\r\n0\r\n\r\n" + INNER
    ),
    "two lengths": post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!"),
    "the same length twice": post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"),
    "a list of lengths": post(b"Content-Length: 5, 5\r\n", b"hello"),
    "a length with a plus": post(b"Content-Length: +5\r\n", b"hello"),
    "a negative length": post(b"Content-Length: -5\r\n", b"hello"),
    "a hexadecimal length": post(b"Content-Length: 0x5\r\n", b"hello"),
    "a length beyond 64 bits": post(b"Content-Length: 99999999999999999999\r\n", b"hello"),
    "a blank before the colon": post(b"Content-Length : 5\r\n", b"hello"),
    "another transfer coding": post(b"Transfer-Encoding: identity\r\n", b"hello"),
    "an unknown transfer coding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + INNER),
    "chunked, but not last": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + INNER),
    "two transfer codings": post(
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n" + INNER
    ),
    "a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "a folded header": post(b"X-A: a\r\n b\r\nContent-Length: 0\r\n", b""),
    "a folded transfer coding": post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n" + INNER),
    "bare line feeds": b"POST " + TOKEN + b" HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n" + INNER,
    "a bare carriage return": post(b"X: a\rContent-Length: 3\r\n", b"abc"),
    "a chunk that ends with a line feed": post(b"Transfer-Encoding: chunked\r\n", b"5\nhello\n0\n\n"),
    "a chunk extension that ends so": post(b"Transfer-Encoding: chunked\r\n", b"5;a\nhello\r\n0\r\n\r\n"),
    "a negative chunk": post(b"Transfer-Encoding: chunked\r\n", b"-5\r\nhello\r\n0\r\n\r\n"),
    "a chunk with a prefix": post(b"Transfer-Encoding: chunked\r\n", b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": post(b"Transfer-Encoding: chunked\r\n", b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    "a chunk without its end": post(b"Transfer-Encoding: chunked\r\n", b"5\r\nhelloXX0\r\n\r\n"),
    "trailers that frame": post(b"Transfer-Encoding: chunked\r\n", b"0\r\nContent-Length: 5\r\n\r\n" + INNER),
    "a NUL in a value": post(b"X: a\x00b\r\nContent-Length: 0\r\n", b""),
    "a NUL in a name": post(b"X\x00: a\r\nContent-Length: 0\r\n", b""),
    "a newer version": b"GET /realms/master HTTP/1.2\r\nHost: localhost\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a tunnel": b"CONNECT elsewhere:1 HTTP/1.1\r\nHost: localhost\r\n\r\n" + INNER,
    "a blank in the path": b"GET /realms/master x HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused_and_hung_up_on(process: ServerProcess, name: str) -> None:
    assert statuses(send(process, AMBIGUOUS[name])) == [400]


def test_ordinary_requests_in_one_go_are_answered_one_by_one(process: ServerProcess) -> None:
    ordinary = post(b"Content-Length: %d\r\n" % len(BODY), BODY)
    chunked = post(b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY))
    assert statuses(send(process, ordinary, chunked + ordinary, LAST)) == [200, 200, 200, 200]


def test_a_request_inside_a_body_is_not_answered(process: ServerProcess) -> None:
    """Where nobody reads a body there is still only one request."""
    for path in (b"/realms/master", TOKEN, b"/nowhere", b"/admin/realms"):
        request = b"GET %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (path, len(INNER), INNER)
        assert len(statuses(send(process, request + LAST))) == 2


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_asking_for_another_protocol_changes_nothing(process: ServerProcess, protocol: bytes) -> None:
    """Java's client asks for h2c with its first request. What comes behind that request is thrown away."""
    head = post(b"Connection: Upgrade\r\nUpgrade: %b\r\nContent-Length: %d\r\n" % (protocol, len(BODY)), b"")
    assert statuses(send(process, head + BODY + INNER)) == [200]
    assert statuses(send(process, head + BODY[:9], BODY[9:])) == [200]
    nothing = post(b"Connection: Upgrade\r\nUpgrade: %b\r\nContent-Length: 0\r\n" % protocol, INNER)
    assert statuses(send(process, nothing)) == [400]


def test_an_old_client_gets_one_answer(process: ServerProcess) -> None:
    request = post(b"Content-Length: %d\r\n" % len(BODY), BODY, version=b"HTTP/1.0")
    assert statuses(send(process, request + INNER)) == [200]


def test_two_hosts_or_none_are_refused(process: ServerProcess) -> None:
    for hosts in (b"", b"Host: a\r\nHost: b\r\n", b"Host: a\r\nHost: a\r\n", b"Host: \r\n"):
        request = b"POST %b HTTP/1.1\r\n%b%bConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (
            TOKEN,
            hosts,
            FORM,
            len(BODY),
            BODY,
        )
        assert statuses(send(process, request)) == [400]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/realms/m%61ster", 400),
        (b"/realms/x/../master", 400),
        (b"/realms/./master", 400),
        (b"//realms/master", 400),
        (b"/realms//master", 400),
        (b"/realms/master;a=b", 400),
        (b"/realms/%2e%2e/admin/realms", 400),
        (b"/%61dmin/realms", 400),
        (b"/realms/%zz", 400),
        (b"/realms%2fmaster", 404),
        (b"/realms/master%2Fprotocol%2Fopenid-connect%2Fcerts", 404),
        (b"/realms/master/protocol%2fopenid-connect/certs", 404),
        (b"/realms/..%2fmaster", 404),
        (b"/realms/%00", 404),
        (b"/realms/%ff%fe", 404),
        (b"/realms/" + b"a" * 5000, 404),
        (b"/realms/master", 200),
    ],
)
def test_a_path_has_one_spelling(process: ServerProcess, path: bytes, status: int) -> None:
    """What a proxy lets through by its path is what is served: no detour leads to the same place."""
    request = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path
    assert statuses(send(process, request)) == [status]
