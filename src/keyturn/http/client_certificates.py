"""The client's certificate: that of its connection or, behind a proxy, from the header that its kind writes alone."""

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from keyturn.config import CertificateHeader
from keyturn.http.origin import Network, is_within
from keyturn.jose.client_certificate import ClientCertificate, read_certificate, read_certificates

_HEADERS: Final[Mapping[CertificateHeader, bytes]] = {
    "rfc9440": b"client-cert",
    "envoy": b"x-forwarded-client-cert",
    "nginx": b"ssl-client-cert",
    "haproxy": b"ssl-client-cert",
}
_CHAIN: Final = b"client-cert-chain"
_VERIFIED: Final[Mapping[CertificateHeader, bytes]] = {"nginx": b"SUCCESS", "haproxy": b"0"}
"""What must be in ``ssl-client-verify``."""

_VERIFY: Final = b"ssl-client-verify"
_MAXIMUM_LENGTH: Final = 16 * 1024
_BYTES: Final = re.compile(r":([A-Za-z0-9+/]+={0,2}):")  # RFC 8941 §3.3.5
_MARKS: Final = {separator: re.compile(rf'\\.|["{separator}]') for separator in ",;"}


CONNECTION: Final = "keyturn.certificate"
"""In a request's scope, the certificate of its connection."""

MTLS_PORT: Final = "keyturn.mtls_port"
"""In a request's scope where it came to the port for certificates."""


class ClientCertificates:
    """Finds the certificate that a request came with.

    Args:
        header: what kind of proxy there is, if there is one.
        trusted: the proxies. The header counts from them alone: they must remove or replace what callers send. The
            certificate of a proxy's own connection is nobody's else.
    """

    def __init__(self, header: CertificateHeader = "none", trusted: Iterable[Network] = ()) -> None:
        self._kind = header
        self._header = _HEADERS.get(header)
        self._verified = _VERIFIED.get(header)
        self._trusted = tuple(trusted)

    def of(self, scope: Mapping[str, Any]) -> ClientCertificate | None:
        """The certificate; None where there is none that counts: more than one, one that the proxy has not verified or
        that cannot be read, or one from elsewhere.
        """
        own: ClientCertificate | None = scope.get(CONNECTION)
        if self._header is None:
            return own
        shown = [value for name, value in scope["headers"] if name == self._header]
        if not shown and own is None:
            return None
        client = scope.get("client")
        if not client or not is_within(client[0], self._trusted):
            return own
        if len(shown) != 1:
            return None
        if self._verified is not None:
            verified = [value for name, value in scope["headers"] if name == _VERIFY]
            if verified != [self._verified]:
                return None
        chain = b""
        if self._kind == "rfc9440":
            chain = b",".join(value for name, value in scope["headers"] if name == _CHAIN)
        if len(shown[0]) + len(chain) > _MAXIMUM_LENGTH:
            return None
        return _read(self._kind, shown[0].decode("latin-1"), chain.decode("latin-1"))


@lru_cache(maxsize=1024)
def _read(kind: CertificateHeader, value: str, chain: str) -> ClientCertificate | None:
    """Machines come back with the same certificate."""
    try:
        match kind:
            case "rfc9440":
                octets = _BYTES.fullmatch(value.strip())
                others = [b64decode(other, validate=True) for other in _BYTES.findall(chain)]
                return None if octets is None else read_certificate(b64decode(octets[1], validate=True), others)
            case "envoy":
                # The proxy that we trust has written the last element; those before it are what it was told.
                pairs = (pair.strip().partition("=") for pair in _split(_split(value, ",")[-1], ";"))
                texts: dict[str, list[str]] = {"cert": [], "chain": []}
                for name, _, content in pairs:
                    texts.get(name.lower(), []).append(unquote(content.strip('"')))
                if len(texts["cert"]) != 1:
                    return None
                others = [other for text in texts["chain"] for other in read_certificates(text)]
                return read_certificate(texts["cert"][0], others)
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
