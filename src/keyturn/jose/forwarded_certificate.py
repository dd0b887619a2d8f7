"""A client's certificate in the headers of the proxy that ended its TLS connection, which each kind writes its own way.

Does NOT know who has written them: whoever asks believes the proxy alone, which must remove what callers send.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

from keyturn.jose.client_certificate import ClientCertificate, read_certificate, read_certificates

__all__ = ["HEADERS", "Proxy", "forwarded_certificate"]

Proxy: TypeAlias = Literal["rfc9440", "envoy", "nginx", "haproxy"]

HEADERS: Final[Mapping[Proxy, bytes]] = {
    "rfc9440": b"client-cert",
    "envoy": b"x-forwarded-client-cert",
    "nginx": b"ssl-client-cert",
    "haproxy": b"ssl-client-cert",
}
"""Where the certificate is; names are in lower case."""

_CHAIN: Final = b"client-cert-chain"
_VERIFIED: Final[Mapping[Proxy, bytes]] = {"nginx": b"SUCCESS", "haproxy": b"0"}
"""What must be in ``ssl-client-verify``."""

_VERIFY: Final = b"ssl-client-verify"
_MAXIMUM_LENGTH: Final = 16 * 1024
_BYTES: Final = re.compile(r":([A-Za-z0-9+/]+={0,2}):")  # RFC 8941 §3.3.5
_MARKS: Final = {separator: re.compile(rf'\\.|["{separator}]') for separator in ",;"}


def forwarded_certificate(proxy: Proxy, headers: Iterable[tuple[bytes, bytes]]) -> ClientCertificate | None:
    """The certificate that a proxy of this kind has passed on in `headers`, whose names are in lower case.

    None where there is none that counts: more than one, one that the proxy has not verified, or that cannot be read.
    """
    header, verified = HEADERS[proxy], _VERIFIED.get(proxy)
    values: dict[bytes, list[bytes]] = {header: [], _CHAIN: [], _VERIFY: []}
    for name, value in headers:
        if name in values:
            values[name].append(value)
    shown, chain = values[header], b",".join(values[_CHAIN]) if proxy == "rfc9440" else b""
    if len(shown) != 1 or (verified is not None and values[_VERIFY] != [verified]):
        return None
    if len(shown[0]) + len(chain) > _MAXIMUM_LENGTH:
        return None
    return _read(proxy, shown[0].decode("latin-1"), chain.decode("latin-1"))


@lru_cache(maxsize=1024)
def _read(proxy: Proxy, value: str, chain: str) -> ClientCertificate | None:
    """Machines come back with the same certificate."""
    try:
        match proxy:
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
