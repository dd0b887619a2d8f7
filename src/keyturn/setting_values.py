"""From what is given for a setting to its value. What is not one raises ValueError, which says what it is not."""

import os
import sys
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network


def text(value: Any) -> str:
    """A text with something in it, on one line."""
    if not isinstance(value, str):
        raise ValueError("is not a text")
    if not value.strip() or any(ord(character) < 32 for character in value):
        raise ValueError("is empty or has control characters")
    return value


def key(value: Any) -> str:
    """A secret text."""
    if not isinstance(value, str):
        raise ValueError("is not a text")
    return value


def database(value: Any) -> str:
    """The URL of a PostgreSQL database."""
    url = text(value)
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("is no URL postgresql://…")
    return url


def path(value: Any) -> Path:
    """A path, made absolute."""
    return Path(text(os.fspath(value) if isinstance(value, os.PathLike) else value)).expanduser().absolute()


def number(value: Any, most: int, what: str) -> int:
    """A whole number from 0 to `most`; `what` is what it is not otherwise."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:9])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"is not {what}")
    return value


def port(value: Any) -> int:
    """A port."""
    return number(value, 65535, "a port from 0 to 65535")


def seconds(value: Any) -> int:
    """Seconds of a day at most."""
    return number(value, 86400, "a number of seconds from 0 to 86400")


def positive_seconds(value: Any) -> int:
    """Seconds of a day at most, and one at least."""
    found = seconds(value)
    if found == 0:
        raise ValueError("is not a number of seconds from 1 to 86400")
    return found


def count(value: Any) -> int:
    """How many, one at least."""
    found = number(value, 1024, "a number from 1 to 1024")
    if not found:
        raise ValueError("is not a number from 1 to 1024")
    return found


def http_url(value: Any) -> str:
    """An address that begins with http:// or https://."""
    found = text(value)
    try:
        parts = urlsplit(found)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError("is not an address that begins with http:// or https://")
    return found


def texts(value: Any) -> tuple[str, ...]:
    """Several texts: given one by one, or as one with commas."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)):
        raise ValueError("is not a list of texts")
    return tuple(part.strip() for item in items for part in text(item).split(",") if part.strip())


def networks(value: Any) -> tuple[Network, ...]:
    """Addresses and networks."""
    networks = []
    for text in texts(value):
        try:
            networks.append(ip_network(text, strict=False))
        except ValueError:
            raise ValueError("is not an address or a network in CIDR notation") from None
    return tuple(networks)


def data_directory() -> Path:
    """Where a user's data belongs on this system (XDG base directories; Application Support on macOS)."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "keyturn"
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "keyturn"


def one_of(choices: Iterable[str]) -> Callable[[Any], str]:
    """What takes one of the `choices`."""
    allowed = tuple(choices)

    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"is not one of {', '.join(allowed)}")
        return str(value)

    return parse
