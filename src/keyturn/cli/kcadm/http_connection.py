"""HTTP for one command: one connection kept open from request to request, and what went wrong in Java's words."""

import http.client
import os
import re
import select
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from keyturn.cli.kcadm import connect_to
from keyturn.cli.kcadm.errors import TransportError
from keyturn.cli.kcadm.url import check_url

__all__ = ["HTTPConnection", "Response"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 20
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_SLASHES: Final = re.compile("//+")
_UNTRUSTED: Final = (
    "(certificate_unknown) PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: "
    "unable to find valid certification path to requested target"
)
_NAME_MISMATCHES: Final = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: status, reason, headers in the order sent, body."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name, however it is spelled."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class HTTPConnection:
    """Sends the requests of one command."""

    __slots__ = ("_connection", "_origin", "_tls")

    def __init__(self, tls: Callable[[], ssl.SSLContext]) -> None:
        """`tls` makes what TLS connections are checked with; it is called when the first one is made."""
        self._tls = tls
        self._connection: http.client.HTTPConnection | None = None
        self._origin = ("", "", 0)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        """The answer to a request; a GET follows redirects.

        Raises:
            UsageError: the URL is none.
            TransportError: there is no answer.
        """
        check_url(url)
        if any(name.lower() in _FRAMING for name in headers):
            raise TransportError("null")  # how a message is framed is not the user's to say; Java has no words for it
        for _ in range(_MOST_REDIRECTS):
            response = self._send_once(method, url, headers, body)
            location = response.header("location")
            if method != "GET" or response.status not in _REDIRECTS or not location:
                return response
            target = urljoin(url, location)
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                # A token is for the server it was given for, wherever that one points to.
                headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            url = target
        raise TransportError(f"Maximum redirects ({_MOST_REDIRECTS}) exceeded")

    def _send_once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        parts = urlsplit(url)
        host, port = _host_and_port(parts, url)
        try:
            connection = self._connect(parts.scheme, host, port)
            connection.putrequest(method, _target(parts), skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(_header_text(name), _header_text(value))
            if body is not None or method in ("POST", "PUT", "DELETE"):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Response(answer.status, answer.reason, answer.getheaders(), answer.read())
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self.close()
            raise TransportError(_told(error, host, port)) from error

    def _connect(self, scheme: str, host: str, port: int) -> http.client.HTTPConnection:
        if self._connection is not None and self._origin == (scheme, host, port) and self._is_alive():
            return self._connection
        self.close()
        self._connection = (
            http.client.HTTPSConnection(host, port, context=self._tls())
            if scheme == "https"
            else http.client.HTTPConnection(host, port)
        )
        elsewhere = connect_to.destination(host, port, os.environ.get(connect_to.VARIABLE, ""))
        if elsewhere == (host, port):
            self._connection.connect()
        else:
            sock = socket.create_connection(elsewhere)
            self._connection.sock = sock if scheme == "http" else self._tls().wrap_socket(sock, server_hostname=host)
        self._origin = (scheme, host, port)
        return self._connection

    def _is_alive(self) -> bool:
        # A connection that can be read although nothing was asked was closed by the server.
        sock: socket.socket | None = self._connection.sock if self._connection else None
        return sock is not None and not select.select([sock], [], [], 0)[0]

    def __enter__(self) -> "HTTPConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _host_and_port(parts: SplitResult, url: str) -> tuple[str, int]:
    if parts.scheme not in ("http", "https"):
        # Java's HTTP client finds no host in such an address, and has nothing to say about it.
        raise TransportError(f"{parts.scheme} protocol is not supported" if parts.netloc else "null")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise TransportError(f"URI does not specify a valid host name: {url}")
    return host, port or (443 if parts.scheme == "https" else 80)


def _header_text(text: str) -> bytes:
    # A line's end would begin another header.
    return text.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace")


def _target(parts: SplitResult) -> str:
    path = _SLASHES.sub("/", parts.path) or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    if target.isascii():
        return target
    return "".join(c if c.isascii() else "".join(f"%{octet:02X}" for octet in c.encode()) for c in target)


def _told(error: Exception, host: str, port: int) -> str:
    """What Java's HTTP client says of `error`."""
    shown = f"[{host}]" if ":" in host else host
    match error:
        case ssl.SSLCertVerificationError() if error.verify_code in _NAME_MISMATCHES:
            return f"Certificate for <{host}> doesn't match any of the subject alternative names"
        case ssl.SSLCertVerificationError():
            return _UNTRUSTED
        case ssl.SSLError() if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
            return "Unsupported or unrecognized SSL message"
        case http.client.RemoteDisconnected() | http.client.BadStatusLine():
            return f"{shown}:{port} failed to respond"
        case socket.gaierror() | UnicodeError():
            return f"{host}: Name or service not known"
        case ConnectionRefusedError() | TimeoutError():
            reason = "Connection refused" if isinstance(error, ConnectionRefusedError) else "Connection timed out"
            return f"Connect to {shown}:{port} [{_with_address(host)}] failed: {reason}"
        case OSError() if error.strerror:
            return error.strerror
    return str(error)


def _with_address(host: str) -> str:
    try:
        addresses = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError:
        return host
    shown = []
    for family, _, _, _, address in addresses:
        text = str(address[0])
        if family == socket.AF_INET6:
            octets = socket.inet_pton(family, text.partition("%")[0])
            text = ":".join(f"{octets[at] << 8 | octets[at + 1]:x}" for at in range(0, 16, 2))
        shown.append(text)
    name = "" if shown and (host == shown[0] or ":" in host) else host
    return ", ".join(f"{name}/{text}" for text in shown)
