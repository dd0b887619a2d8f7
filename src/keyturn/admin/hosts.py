"""Looks up the names of hosts, as the conditions of client policies ask. Blocks."""

import socket

__all__ = ["address_of", "name_of"]


def address_of(host: str) -> str | None:
    """The first address of `host`; None where there is none."""
    try:
        return str(socket.getaddrinfo(host, None)[0][4][0])
    except (OSError, UnicodeError):
        return None


def name_of(address: str) -> str | None:
    """The name of the host at `address`; None where nobody knows it."""
    try:
        return socket.gethostbyaddr(address)[0]
    except (OSError, UnicodeError):
        return None
