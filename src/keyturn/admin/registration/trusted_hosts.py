"""The policy ``trusted-hosts``: from where clients may be registered, and where they may be.

Source: Keycloak ``TrustedHostClientRegistrationPolicy``; asked of Keycloak.
"""

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from keyturn.admin.client_validation import is_uri, is_url
from keyturn.admin.errors import InvalidRequest
from keyturn.representations import ClientRepresentation, given

__all__ = ["Names", "check_host", "check_urls"]

_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_ANY_BELOW: Final = "*."


@dataclass(frozen=True, slots=True)
class Names:
    """What the network's names are, asked at most once in a request: it may take a while."""

    _addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _names: dict[str, str | None] = field(default_factory=dict)

    def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a host, the first one first; none where nobody knows it."""
        if name not in self._addresses:
            try:
                found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError):
                found = []
            addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
            self._addresses[name] = tuple(sorted(addresses, key=lambda address: ":" in address))  # as Java has them
        return self._addresses[name]

    def name(self, address: str) -> str | None:
        """The name of an address, if the name has this address; None where nobody knows one."""
        if address not in self._names:
            self._names[address] = self._looked_up(address)
        return self._names[address]

    def _looked_up(self, address: str) -> str | None:
        try:
            if ip_address(address).is_loopback:
                return "localhost"
            name = socket.gethostbyaddr(address)[0]
        except (OSError, ValueError):
            return None
        return name if address in self.addresses(name) else None


def check_host(config: Mapping[str, list[str]], address: str, names: Names) -> str | None:
    """Why `address` may not register clients; None where it may."""
    if not _on(config, "host-sending-registration-request-must-match"):
        return None
    trusted = _trusted(config)
    for host in trusted:
        if not host.startswith(_ANY_BELOW) and names.addresses(host)[:1] == (address,):
            return None
    name = names.name(address) if trusted else None
    return None if name is not None and _is_trusted(name, trusted) else "Host not trusted."


def check_urls(config: Mapping[str, list[str]], client: ClientRepresentation) -> str | None:
    """Why a client may not have its URLs; None where it may. Raises InvalidRequest: a redirect URI has no host."""
    if not _on(config, "client-uris-must-match"):
        return None
    trusted, root = _trusted(config), given(client.root_url, None)
    urls = [root, _absolute(root, client.base_url), _absolute(root, client.admin_url)]
    for url in urls:
        if url is None:
            continue
        if not is_url(url):
            return "URL is malformed"
        if not _is_trusted(_host_of(url) or "", trusted):
            return "URL doesn't match any trusted host or trusted domain"
    for uri in given(client.redirect_uris, []):
        resolved = _absolute(root, uri)
        if resolved is None:
            continue
        if not is_uri(resolved):
            return "URI is malformed"
        host = _host_of(resolved)
        if host is None:
            raise InvalidRequest("A redirect URI has no host, which the realm wants to know")
        if not _is_trusted(host, trusted):
            return "URI doesn't match any trusted host or trusted domain"
    return None


def _on(config: Mapping[str, list[str]], name: str) -> bool:
    values = config.get(name)
    return not values or values[0].lower() == "true"


def _trusted(config: Mapping[str, list[str]]) -> list[str]:
    return config.get("trusted-hosts", [])


def _is_trusted(host: str, trusted: Iterable[str]) -> bool:
    """Whether the host is one of the trusted, or at or below a domain of theirs (``*.example.com``)."""
    for entry in trusted:
        domain = entry.removeprefix(_ANY_BELOW)
        if host == domain or (entry != domain and host.endswith(f".{domain}")):
            return True
    return False


def _absolute(root: str | None, url: object) -> str | None:
    """`url`, below the root where it is a path; None for no URL, or a path below nothing."""
    if not isinstance(url, str):
        return None
    if not url.startswith("/"):
        return url
    return root + url if root else None


def _host_of(url: str) -> str | None:
    """The host as Java's ``URI`` has it: None where the authority is none of a server."""
    try:
        authority = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return None
    host, colon, port = authority.rpartition(":")
    if not colon or not port.isdigit():
        host = authority
    return host if _HOST.fullmatch(host) else None
