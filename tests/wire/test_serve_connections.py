"""What a connection may ask of the server: bounds on the head, other protocols, garbage."""

import socket
import ssl
from collections.abc import Iterator

import pytest

from harness.process import ServerProcess, running

pytestmark = pytest.mark.slow

LIVE = b"GET /health/live HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(tmp_path_factory.mktemp("connections")) as started:
        yield started


def exchange(server: ServerProcess, *sent: bytes) -> bytes:
    """Everything that comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection:
        for part in sent:
            connection.sendall(part)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    answer = b""
    try:
        while part := connection.recv(65536):
            answer += part
    except ConnectionResetError:  # it hung up while we were still sending
        pass
    return answer


def test_a_head_of_ordinary_size_is_served(server: ServerProcess) -> None:
    token = b"Authorization: Bearer " + b"x" * 40_000 + b"\r\n"
    assert exchange(server, LIVE + token + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        LIVE + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        LIVE + b"".join(b"X-%d: a\r\n" % number for number in range(300)) + b"\r\n",
    ],
)
def test_a_head_that_is_too_large_is_refused_with_431(server: ServerProcess, head: bytes) -> None:
    answer = exchange(server, head)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"connection: close" in answer


def test_a_header_without_end_does_not_fill_the_memory(server: ServerProcess) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection,
        pytest.raises((BrokenPipeError, ConnectionResetError)),
    ):
        connection.sendall(LIVE + b"X: " + b"a" * 64 * 1024 * 1024)


def test_trailers_without_end_do_not_fill_the_memory(server: ServerProcess) -> None:
    head = LIVE + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: "
    with (
        socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection,
        pytest.raises((BrokenPipeError, ConnectionResetError)),
    ):
        connection.sendall(head + b"a" * 64 * 1024 * 1024)


def test_a_body_that_nobody_reads_is_not_received_for_ever(server: ServerProcess) -> None:
    head = LIVE.replace(b"GET", b"POST") + b"Content-Length: 1000000000\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection,
        pytest.raises((BrokenPipeError, ConnectionResetError)),
    ):
        connection.sendall(head + b"a" * 64 * 1024 * 1024)


def test_a_chunked_body_of_many_small_chunks_is_read(server: ServerProcess) -> None:
    head = LIVE.replace(b"GET", b"POST") + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = exchange(server, head + (b"40\r\n" + b"a" * 64 + b"\r\n") * 9000 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\x00\x01", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_garbage_is_answered_with_400_and_no_word_more(server: ServerProcess, garbage: bytes) -> None:
    answer = exchange(server, garbage)
    assert answer == b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def test_a_missing_host_is_a_bad_request(server: ServerProcess) -> None:
    request = b"GET /realms/master HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert exchange(server, request).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_offers_http2_gets_http1(server: ServerProcess) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQBAAAAAAIAAAAA\r\n\r\n"
    answer = exchange(server, LIVE + upgrade)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b'{"status":"UP","checks":[]}')


def test_requests_in_a_row_are_answered_in_order(server: ServerProcess) -> None:
    answer = exchange(server, LIVE + b"\r\n" + LIVE.replace(b"live", b"none") + b"Connection: close\r\n\r\n")
    assert answer.index(b"HTTP/1.1 200 OK") < answer.index(b"HTTP/1.1 404 Not Found")


def test_expect_100_continue_is_answered_before_the_body(server: ServerProcess) -> None:
    body = b"grant_type=none"
    head = (
        b"POST /realms/master/protocol/openid-connect/token HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        b"Expect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(body)
        assert b"unsupported_grant_type" in read_all(connection)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_speaks_tls_1_2_and_1_3(server: ServerProcess, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(server.ca))
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    for name in ("localhost", "127.0.0.1"):
        with (
            socket.create_connection(("127.0.0.1", server.https_port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            assert connection.selected_alpn_protocol() == "http/1.1"


def test_the_log_tells_nothing_of_garbage(server: ServerProcess) -> None:
    before = server.log.read_text()
    exchange(server, b"GET /\xff HTTP/1.1\r\n\r\n")
    assert server.log.read_text() == before
