"""The addresses of resources, composed and checked as kcadm.sh composes them and Java's ``URI`` checks them."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote_plus

from keyturn.cli.kcadm.errors import UsageError

__all__ = ["add_query", "admin_root", "check_url", "form_encode", "in_java_order", "resource_url"]

_UNRESERVED: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()")
_IN_PATH: Final = _UNRESERVED | frozenset(":@&=+$,;/")
_IN_QUERY: Final = _UNRESERVED | frozenset(";/?:@&=+$,[]")
_IN_AUTHORITY: Final = _UNRESERVED | frozenset(":@&=+$,;[]")
_FIRST_TABLE: Final = 16
_HASH_MASK: Final = 0xFFFFFFFF


def admin_root(server: str) -> str:
    """The root of the admin interface of `server`."""
    return _with_slash(server) + "admin"


def resource_url(root: str, realm: str | None, uri: str) -> str:
    """Where `uri` leads: a whole address as it is, ``realms`` and ``serverinfo`` from the root, else in `realm`."""
    if uri.startswith(("http:", "https:")):
        return uri
    path = uri.removeprefix("/")
    if path in ("realms", "serverinfo") or path.startswith("realms/"):
        return _with_slash(root) + path
    return f"{_with_slash(root)}realms/{'null' if realm is None else realm}/{path}"


def add_query(url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """`url` with the parameters behind it; values are encoded, names are taken as they are."""
    for name, value in parameters:
        url += f"{'&' if '?' in url else '?'}{name}={form_encode(value)}"
    return url


def form_encode(value: str) -> str:
    """`value` as Java's ``URLEncoder`` encodes it: a form's encoding that leaves the asterisk."""
    return quote_plus(value, safe="*", errors="replace").replace("~", "%7E")


def in_java_order(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """The items in the order of a Java ``HashMap``: so parameters are ordered in kcadm.sh's URLs and messages."""
    size = _FIRST_TABLE
    while len(values) > size * 3 // 4:
        size *= 2
    return sorted(values.items(), key=lambda item: _java_hash(item[0]) & (size - 1))


def check_url(url: str) -> None:
    """Refuse what Java's ``URI`` refuses.

    Raises:
        UsageError: a character where it may not be; the message says which part and where.
    """
    rest, fragment_mark, _ = url.partition("#")
    before, query_mark, _ = rest.partition("?")
    scheme_end = before.find("://")
    path_start = 0
    if scheme_end >= 0:
        slash = before.find("/", scheme_end + 3)
        path_start = len(before) if slash < 0 else slash
        _check(url, scheme_end + 3, path_start, "authority", _IN_AUTHORITY)
    _check(url, path_start, len(before), "path", _IN_PATH)
    if query_mark:
        _check(url, len(before) + 1, len(rest), "query", _IN_QUERY)
    if fragment_mark:
        _check(url, len(rest) + 1, len(url), "fragment", _IN_QUERY)


def _check(url: str, start: int, end: int, part: str, legal: frozenset[str]) -> None:
    for index in range(start, end):
        character = url[index]
        if character == "%":
            digits = url[index + 1 : min(index + 3, end)]
            if len(digits) < 2 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
                raise UsageError(f"Malformed escape pair at index {index}: {url}")
        elif character.isascii() and character not in legal:
            raise UsageError(f"Illegal character in {part} at index {index}: {url}")


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _java_hash(text: str) -> int:
    value = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (value * 31 + (high << 8 | low)) & _HASH_MASK
    return value ^ value >> 16
