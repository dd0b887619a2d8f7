"""Where a request came from and under which address the server was reached.

Keycloak's issuer follows the ``Host`` header (or what a trusted proxy says in its place), so this is the gate that
keeps a request from writing into an issuer: only a well-formed host and port get through. Pure; no I/O.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final, Literal
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
ProxyHeaders = Literal["none", "forwarded", "xforwarded"]

# RFC 3986 §3.2.2: reg-name without percent-encoding (Keycloak would encode the percent sign once more), or IP-literal.
_HOST: Final = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9\-._~!$&'()*+,;=]{1,255})(?::(?P<port>\d{0,5}))?"
)
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9\-._~!$&'()*+,;=:@]+)*/?")
_FORWARDED_PAIR: Final = re.compile(r'\s*([A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,"\s]*)\s*')
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_CACHE_LIMIT: Final = 1024
_LONGEST_ADDRESS: Final = 255

# Loopback, link-local, site-local and unique local addresses; shared ones (100.64.0.0/10) are not among them.
_PRIVATE_4: Final = tuple(
    map(IPv4Network, ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"))
)
_PRIVATE_6: Final = tuple(map(IPv6Network, ("::1/128", "fe80::/10", "fec0::/10", "fc00::/7")))


class BadHost(Exception):
    """The request names no host that could stand in an issuer: answer 400."""


class InvalidHostname(ValueError):
    """The configured ``hostname`` is neither a host name nor an http(s) URL."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The address a request was sent to and the one it came from.

    ``base_url`` is the root of every URL the server tells about itself, without a trailing slash
    (``https://keycloak:8443``); ``secure`` is whether it is https; ``address`` is the client's IP address, or the text
    that a trusted proxy gave in its place. ``mtls_url`` is the root of the same URLs where clients show certificates,
    None where nobody looks at them.
    """

    base_url: str
    scheme: str
    host: str
    address: str
    secure: bool
    mtls_url: str | None = None


@dataclass(frozen=True, slots=True)
class MutualTls:
    """Where clients show certificates: at a `port` of their own beside `https_port`, or, where that is 0, everywhere.

    `url` is how that port is reached, if not by the host that the request names. A request to the port is one to
    `https_port` for all that the server tells about itself: there is one issuer (RFC 8705 §5).
    """

    port: int = 0
    https_port: int = 0
    url: str | None = None


class Forwarding:
    """How requests' origins are found: from the request, a proxy's headers, a fixed host name, or a fixed URL.

    Args:
        mode: which proxy headers count: ``none``, RFC 7239 ``forwarded``, or ``xforwarded`` (``X-Forwarded-*``).
        trusted: the peers whose proxy headers count; none given trusts every peer, as Keycloak does.
        hostname: a host name (scheme and port still follow the request) or a full URL (everything is fixed).
        mutual_tls: where clients show certificates, if anywhere.

    Raises:
        InvalidHostname: ``hostname`` is neither, or the URL of ``mutual_tls`` is none.

    Source: Keycloak ``HostnameV2Provider``, options ``hostname``, ``proxy-headers``, ``proxy-trusted-addresses``.
    """

    __slots__ = ("_cache", "_hostname", "_mode", "_mtls", "_trusted", "_url")

    def __init__(
        self,
        mode: ProxyHeaders = "none",
        trusted: Iterable[Network] = (),
        hostname: str | None = None,
        mutual_tls: MutualTls | None = None,
    ) -> None:
        self._mode = mode
        self._trusted = tuple(trusted)
        self._hostname, self._url = _pinned(hostname)
        if mutual_tls is not None and mutual_tls.url is not None:
            fixed = _pinned(mutual_tls.url)[1]
            if fixed is None:
                raise InvalidHostname(mutual_tls.url)
            mutual_tls = replace(mutual_tls, url=fixed.base_url)
        self._mtls = mutual_tls
        self._cache: dict[tuple[str, bytes, str], Origin] = {}

    def origin(self, scope: Mapping[str, Any]) -> Origin:
        """The origin of an ASGI ``http`` request.

        Raises:
            BadHost: no Host header, several, or one that is no host and port.
        """
        host: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"host":
                if host is not None:
                    raise BadHost
                host = value
        client = scope.get("client")
        peer: str = client[0] if client else ""
        if self._mode != "none" and self._trusts(peer):
            return self._forwarded(scope, host, peer)
        # Where everything is fixed nobody looks at the host, which may then be as long as a request's head.
        key = (scope["scheme"], host or b"" if self._url is None else b"", peer)
        known = self._cache.get(key)
        if known is None:
            known = self._build(scope["scheme"], (host or b"").decode("latin-1"), None, "", peer)
            # Random hosts must not fill the memory; a cleared cache costs each live caller one slow lookup.
            if len(self._cache) >= _CACHE_LIMIT:
                self._cache.clear()
            self._cache[key] = known
        return known

    def _trusts(self, peer: str) -> bool:
        return not self._trusted or is_within(peer, self._trusted)

    def _build(self, scheme: str, authority: str, port: str | None, prefix: str, address: str) -> Origin:
        if self._url is not None:
            mtls_url = self._mtls_url(self._url.base_url)
            return Origin(self._url.base_url, self._url.scheme, self._url.host, address, self._url.secure, mtls_url)
        host, own_port = _split(authority)
        port = own_port if port is None else port
        if self._mtls is not None and scheme == "https" and port and port == str(self._mtls.port):
            port = str(self._mtls.https_port)
        base_url = _base_url(scheme, self._hostname or host, port) + prefix
        return Origin(base_url, scheme, self._hostname or host, address, scheme == "https", self._mtls_url(base_url))

    def _mtls_url(self, base_url: str) -> str | None:
        if self._mtls is None or self._mtls.url is not None:
            return None if self._mtls is None else self._mtls.url
        if not self._mtls.port:
            return base_url
        parts = urlsplit(base_url)
        return _base_url("https", _split(parts.netloc)[0], str(self._mtls.port)) + parts.path

    def _forwarded(self, scope: Mapping[str, Any], host: bytes | None, peer: str) -> Origin:
        headers: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            text = value.decode("latin-1")
            if name == b"x-forwarded-for" and name in headers:
                text = f"{headers[name]},{text}"
            elif name in headers:
                continue
            headers[name] = text
        told = _rfc7239(headers) if self._mode == "forwarded" else _x_forwarded(headers)
        # A proxy that tells the scheme without a port means the scheme's default one, not the port it connected to.
        port: str | None = None
        if told.scheme is not None:
            port = ""
        if told.host is not None:
            port = _split(told.host)[1]
        if told.port is not None:
            port = told.port
        authority = told.host if told.host is not None else (host or b"").decode("latin-1")
        return self._build(told.scheme or scope["scheme"], authority, port, told.prefix, self._client(told.chain, peer))

    def _client(self, chain: tuple[str, ...], peer: str) -> str:
        """The first address of the chain; with trusted proxies named, the last that is none of them.

        A client can write the beginning of the chain itself where the proxy appends. Keycloak always takes the first.
        """
        if not self._trusted:
            return chain[0] if chain else peer
        for address in reversed(chain):
            if not is_within(address, self._trusted):
                return address
        return chain[0] if chain else peer


@dataclass(frozen=True, slots=True)
class _Told:
    """What a proxy's headers say; ``None`` for what they do not."""

    scheme: str | None = None
    host: str | None = None
    port: str | None = None
    prefix: str = ""
    chain: tuple[str, ...] = ()


def _x_forwarded(headers: Mapping[bytes, str]) -> _Told:
    proto = _first(headers.get(b"x-forwarded-proto"))
    if proto is None and (headers.get(b"x-forwarded-ssl") or "").strip().lower() == "on":
        proto = "https"
    port = _first(headers.get(b"x-forwarded-port"))
    return _Told(
        _scheme(proto),
        _first(headers.get(b"x-forwarded-host")),
        _port(port) if port is not None and port.isascii() and port.isdigit() else None,
        _prefix(_first(headers.get(b"x-forwarded-prefix"))),
        _chain(headers.get(b"x-forwarded-for", "").split(",")),
    )


def _rfc7239(headers: Mapping[bytes, str]) -> _Told:
    """RFC 7239 §4: the first ``proto`` and ``host``, every ``for``."""
    proto = host = None
    chain: list[str] = []
    for pair in _FORWARDED_PAIR.finditer(headers.get(b"forwarded", "")):
        name, value = pair[1].lower(), pair[2].strip('"')
        if not value:
            continue
        if name == "proto" and proto is None:
            proto = value
        elif name == "host" and host is None:
            host = value
        elif name == "for":
            chain.append(value)
    return _Told(_scheme(proto), host, chain=_chain(chain))


def _first(value: str | None) -> str | None:
    return None if value is None else value.partition(",")[0].strip() or None


def _scheme(value: str | None) -> str | None:
    if value is None:
        return None
    if value.lower() not in _DEFAULT_PORTS:
        raise BadHost
    return value.lower()


def _prefix(value: str | None) -> str:
    if value is None:
        return ""
    if not _PREFIX.fullmatch(value) or "/../" in f"{value}/" or "/./" in f"{value}/":
        raise BadHost
    return value.rstrip("/")


def _chain(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(address for value in values if (address := _address(value.strip())))


def _address(value: str) -> str:
    """An address without its port: ``10.0.0.1:5``, ``[::1]:5`` and ``[::1]`` are what proxies write.

    What is too long to be one is cut: it goes into tokens, sessions and memory.
    """
    value = value[:_LONGEST_ADDRESS]
    if value.startswith("["):
        return value[1:].partition("]")[0]
    if value.count(":") == 1:
        return value.partition(":")[0]
    return value


def _split(authority: str) -> tuple[str, str]:
    match = _HOST.fullmatch(authority)
    if match is None:
        raise BadHost
    if match["host"].startswith("["):
        try:
            IPv6Address(match["host"][1:-1])
        except ValueError:
            raise BadHost from None
    return match["host"], _port(match["port"]) if match["port"] else ""


def _port(text: str) -> str:
    number = int(text[:6])
    if not 0 < number <= 65535:
        raise BadHost
    return str(number)


def _base_url(scheme: str, host: str, port: str) -> str:
    return f"{scheme}://{host}:{port}" if port and port != _DEFAULT_PORTS[scheme] else f"{scheme}://{host}"


def _pinned(hostname: str | None) -> tuple[str | None, Origin | None]:
    """A configured host name, or the fixed origin of a configured URL. Source: ``HostnameV2ProviderFactory``."""
    if hostname is None:
        return None, None
    try:
        if not hostname.startswith(("http://", "https://")):
            host, _ = _split(hostname)
            if host != hostname:
                raise InvalidHostname(hostname)
            return host, None
        parts = urlsplit(hostname)
        host, port = _split(parts.netloc)
        if parts.query or parts.fragment or "?" in hostname or "#" in hostname:
            raise InvalidHostname(hostname)
        base_url = _base_url(parts.scheme, host, port) + _prefix(parts.path or None)
    except (BadHost, ValueError):
        raise InvalidHostname(hostname) from None
    return None, Origin(base_url, parts.scheme, host, "", parts.scheme == "https")


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address, given as text, lies in one of the networks; what is no address lies in none."""
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in networks)


def ssl_required_violated(origin: Origin, ssl_required: str) -> bool:
    """Whether a realm's ``sslRequired`` refuses this request with "HTTPS required".

    Args:
        ssl_required: ``none``, ``external`` (plain HTTP from private addresses only) or ``all``, in any case.

    Source: Keycloak ``SslRequired``.
    """
    if origin.secure:
        return False
    required = ssl_required.lower()
    if required == "none":
        return False
    return required == "all" or not _is_private(origin.address)


@lru_cache(maxsize=_CACHE_LIMIT)
def _is_private(address: str) -> bool:
    parsed = _parse(address)
    if parsed is None:
        return False
    return any(parsed in network for network in (_PRIVATE_4 if parsed.version == 4 else _PRIVATE_6))


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
