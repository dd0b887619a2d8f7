"""What the server fetches by itself, on behalf of a realm's documents: carefully, since others choose the addresses.

A name is looked up once, and the connection goes to an address that was checked: a name that points elsewhere a moment
later (DNS rebinding) leads nowhere. Redirects are not followed. Time and size are bounded.
"""

import asyncio
import ssl
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httptools

from keyturn.setting_values import Network

DEADLINE: Final = 5.0
"""Seconds from the look-up of the name to the last octet."""

MAXIMUM_SIZE: Final = 512 * 1024
"""Octets of an answer, its head included."""

_PORTS: Final = {"http": 80, "https": 443}
_TRIED: Final = 3
"""Addresses of one name that are tried."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""What IANA assigns for the Internet. Outside are site-local addresses, and more that stand for ones of IPv4."""
_MAXIMUM_URL: Final = 2048


class Unreachable(Exception):
    """There is no answer that counts. The text is for the log."""


class Outbound:
    """Fetches from public addresses, from `allowed` ones, and from this server itself.

    Args:
        allowed: private addresses that may be connected to all the same.
        own_ports: the ports of this server, on which its loopback addresses may be connected to.
        trusted: files with certificate authorities, in PEM, besides the system's.
    """

    def __init__(
        self, allowed: Iterable[Network] = (), own_ports: Collection[int] = (), trusted: Iterable[Path] = ()
    ) -> None:
        self._allowed = tuple(allowed)
        self._own_ports = frozenset(own_ports)
        self._trusted = tuple(trusted)
        self._context: ssl.SSLContext | None = None

    async def get(self, url: str, token: str | None = None) -> bytes:
        """The body that a GET of `url` is answered with. `token` is shown over TLS alone. Raises Unreachable."""
        scheme, host, port, target = _parts(url)
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._get(scheme, host, port, _request(scheme, host, port, target, token))
        except TimeoutError:
            raise Unreachable("no answer in time") from None
        except (OSError, ssl.SSLError) as error:
            raise Unreachable(f"no connection: {type(error).__name__}") from None

    def permits(self, address: str, port: int) -> bool:
        """Whether this address may be connected to."""
        parsed = ip_address(address.partition("%")[0])
        reached = _reached(parsed)
        if any(reached in network for network in self._allowed if network.version == reached.version):
            return True
        if reached.is_loopback and port in self._own_ports:
            return True
        if isinstance(reached, IPv6Address) and reached not in _GLOBAL_UNICAST:
            return False
        return reached.is_global and not reached.is_multicast

    async def _get(self, scheme: str, host: str, port: int, request: bytes) -> bytes:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1, proto=6)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        permitted = [address for address in addresses if self.permits(address, port)]
        if not permitted:
            raise Unreachable("its address is a private one, and not allowed")
        context = self._tls() if scheme == "https" else None
        name = host if context is not None else None
        failure: OSError | None = None
        for address in permitted[:_TRIED]:
            try:
                reader, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
            except OSError as error:
                failure = error
                continue
            try:
                writer.write(request)
                return await _body(reader)
            finally:
                writer.transport.abort()
        raise failure or OSError

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
            for file in self._trusted:
                self._context.load_verify_locations(file)
        return self._context


def _parts(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port, and what is asked for there. Raises Unreachable."""
    if len(url) > _MAXIMUM_URL or not url.isascii() or any(not " " < character < "\x7f" for character in url):
        raise Unreachable("its URL has characters that no URL has, or too many of them")
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        raise Unreachable("its URL cannot be read") from None
    if split.scheme not in _PORTS or not split.hostname:
        raise Unreachable("its URL is not one of http or https")
    if "@" in split.netloc:
        raise Unreachable("its URL holds credentials")
    target = (split.path or "/") + (f"?{split.query}" if split.query else "")
    return split.scheme, split.hostname, _PORTS[split.scheme] if port is None else port, target


def _reached(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address that packets to this one arrive at: some of IPv6 stand for one of IPv4."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _request(scheme: str, host: str, port: int, target: str, token: str | None) -> bytes:
    name = f"[{host}]" if ":" in host else host
    authority = name if port == _PORTS[scheme] else f"{name}:{port}"
    proof = () if token is None or scheme != "https" else (f"Authorization: Bearer {token}",)
    lines = (
        f"GET {target} HTTP/1.1",
        f"Host: {authority}",
        "Accept: application/jwk-set+json, application/json",
        "Accept-Encoding: identity",
        "User-Agent: keyturn",
        "Connection: close",
        *proof,
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


class _Answer:
    """Takes what the parser finds."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.bounded = False
        self.coded = False
        self.begun = False
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self.bounded |= name in (b"content-length", b"transfer-encoding")
        self.coded |= name == b"content-encoding" and value.strip().lower() not in (b"", b"identity")

    def on_headers_complete(self) -> None:
        self.begun = True

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


async def _body(reader: asyncio.StreamReader) -> bytes:
    """Raises Unreachable, OSError."""
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    size = 0
    while not answer.complete:
        octets = await reader.read(64 * 1024)
        if not octets:
            break
        size += len(octets)
        if size > MAXIMUM_SIZE:
            raise Unreachable("the answer is too large")
        try:
            parser.feed_data(octets)
        except httptools.HttpParserError:
            raise Unreachable("the answer is not HTTP") from None
        if answer.begun and parser.get_status_code() != 200:
            raise Unreachable(f"status {parser.get_status_code()}; redirects are not followed")
        if answer.coded:
            raise Unreachable("the answer is compressed, though that was not asked for")
    if not answer.begun or (answer.bounded and not answer.complete):
        raise Unreachable("the answer ends too early")
    return bytes(answer.body)
