"""The client's certificate where a proxy ends TLS: from the header that its kind writes, and from no other."""

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from keyturn.config import CertificateHeader
from keyturn.http.origin import Network, is_within
from keyturn.jose.client_certificate import ClientCertificate, read_certificate

_HEADERS: Final[Mapping[CertificateHeader, bytes]] = {
    "rfc9440": b"client-cert",
    "envoy": b"x-forwarded-client-cert",
    "nginx": b"ssl-client-cert",
    "haproxy": b"ssl-client-cert",
}
_VERIFIED: Final[Mapping[CertificateHeader, bytes]] = {"nginx": b"SUCCESS", "haproxy": b"0"}
"""What must be in ``ssl-client-verify``."""

_VERIFY: Final = b"ssl-client-verify"
_MAXIMUM_LENGTH: Final = 16 * 1024
_BYTES: Final = re.compile(r":([A-Za-z0-9+/]+={0,2}):")  # RFC 8941 §3.3.5
_MARKS: Final = {separator: re.compile(rf'\\.|["{separator}]') for separator in ",;"}


class ClientCertificates:
    """Finds the certificate that a request came with.

    Args:
        header: what kind of proxy it is.
        trusted: the proxies. The header counts from them alone: they must remove or replace what callers send.
    """

    def __init__(self, header: CertificateHeader, trusted: Iterable[Network]) -> None:
        self._kind = header
        self._header = _HEADERS[header]
        self._verified = _VERIFIED.get(header)
        self._trusted = tuple(trusted)

    def of(self, scope: Mapping[str, Any]) -> ClientCertificate | None:
        """The certificate; None where there is none that counts: more than one, one that the proxy has not verified or
        that cannot be read, or one from elsewhere.
        """
        shown = [value for name, value in scope["headers"] if name == self._header]
        client = scope.get("client")
        if len(shown) != 1 or not client or not is_within(client[0], self._trusted):
            return None
        if self._verified is not None:
            verified = [value for name, value in scope["headers"] if name == _VERIFY]
            if verified != [self._verified]:
                return None
        if len(shown[0]) > _MAXIMUM_LENGTH:
            return None
        return _read(self._kind, shown[0].decode("latin-1"))


@lru_cache(maxsize=1024)
def _read(kind: CertificateHeader, value: str) -> ClientCertificate | None:
    """Machines come back with the same certificate."""
    try:
        match kind:
            case "rfc9440":
                octets = _BYTES.fullmatch(value.strip())
                return None if octets is None else read_certificate(b64decode(octets[1], validate=True))
            case "envoy":
                # The proxy that we trust has written the last element; those before it are what it was told.
                pairs = (pair.strip().partition("=") for pair in _split(_split(value, ",")[-1], ";"))
                found = [content for name, _, content in pairs if name.lower() == "cert"]
                return read_certificate(unquote(found[0].strip('"'))) if len(found) == 1 else None
            case _:
                return read_certificate(unquote(value)) if value else None
    except ValueError:
        return None


def _split(text: str, separator: str) -> list[str]:
    """What `separator` separates, outside of quotes."""
    parts, start, quoted = [], 0, False
    for mark in _MARKS[separator].finditer(text):
        if mark[0] == '"':
            quoted = not quoted
        elif mark[0] == separator and not quoted:
            parts.append(text[start : mark.start()])
            start = mark.end()
    return [*parts, text[start:]]
