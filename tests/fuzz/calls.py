"""Calls of the admin API, drawn from the router: every endpoint, with what its signature takes and what it does not."""

import dataclasses
import json
from dataclasses import dataclass
from functools import cache
from random import Random
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints
from urllib.parse import quote

from fuzz.documents import ODD, Draw, Reference, anything, document, mostly, reference, text, value_of
from keyturn.admin.resource import Endpoint, Form
from keyturn.admin.resources import RESOURCES
from keyturn.representations import Representation

__all__ = ["Call", "draw_call", "encoded", "path_of"]

_IDS: Final = {
    "client_id": "client",
    "mapped_client_id": "client",
    "of_client_id": "client",
    "role_container_id": "client",
    "client_scope_id": "client_scope",
    "user_id": "user",
    "group_id": "group",
    "role_id": "role",
    "other_id": "role",
    "component_id": "component",
    "session_id": "session",
    "mapper_id": "mapper",
}
"""What a segment of the path, or a query parameter, is an id of."""


@dataclass(frozen=True)
class Call:
    """A request before its references are resolved. The body is a document, or the very bytes."""

    method: str
    path: tuple[str | Reference, ...]
    query: tuple[tuple[str, str | Reference], ...] = ()
    body: Any = b""
    broken: str = ""
    """How the document's bytes are spoilt."""
    content_type: str = "application/json"


@dataclass(frozen=True)
class _Place:
    """An endpoint, and the whole path to it."""

    path: tuple[str, ...]
    endpoint: Endpoint


_PLACES: Final = tuple(
    _Place((*(each for each in mount.path.split("/") if each), *endpoint.path), endpoint)
    for mount in RESOURCES
    for endpoint in mount.resource.endpoints
)
_WITH_BODY: Final = tuple(place for place in _PLACES if place.endpoint.parameters.body is not None)
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "x")
_INTEGERS: Final = ("0", "1", "5", "-1", "2147483647", "2147483648", "x", "1.5", "", "٣")
_SEARCHES: Final = ("a:b", 'name:"x y"', "a:", ":", "*a*", '"a"', "%", "_", "\\", "2026-01-01", "CREATE", "LOGIN")
_BROKEN: Final = ("cut", "byte", "bom", "utf-16", "utf-8", "twice", "deep", "lists", "tail", "empty", "bytes")


def draw_call(random: Random) -> Call:
    """Any call; every other one is of an endpoint that takes a body, and one in so many is odd as a whole."""
    place = random.choice(_WITH_BODY if random.random() < 0.6 else _PLACES)
    path: list[str | Reference] = []
    for segment in place.path:
        if segment == "{realm}":
            path.append(_realm(random, place))
        elif segment.startswith("{"):
            path.append(_segment(segment.strip("{}."))(random))
        else:
            path.append(segment)
    method, content_type = place.endpoint.method, "application/json"
    match random.randrange(40):
        case 0 if len(path) > 3:  # a realm itself is not to be removed by chance
            method = random.choice(_METHODS)
        case 1:
            path.append(text(random))
        case 2:
            content_type = text(random)
        case _:
            pass
    query: Any = place.endpoint.parameters.query
    body = place.endpoint.parameters.body
    return Call(
        method,
        tuple(path),
        () if query is None else _query(query[1])(random),
        b"" if body is None else mostly(_body(body[1]), anything, one_in=20)(random),
        random.choice(_BROKEN) if random.randrange(12) == 0 else "",
        content_type,
    )


def _realm(random: Random, place: _Place) -> str:
    """Mostly ``demo``. Master is only read: who administers would be locked out of the rest of the test."""
    if place.endpoint.method == "DELETE" and len(place.path) == 3:
        return random.choice(("none", "three", "four", "demo"))
    if random.randrange(12):
        return "demo"
    return random.choice(("none", "three", "four", "a\x00", "master" if place.endpoint.method == "GET" else "none"))


@cache
def _segment(name: str) -> Draw:
    """What may stand where a path takes any text."""
    if name in _IDS:
        return mostly(reference(_IDS[name]))
    if name == "role_name":
        return mostly(reference("role", "name"))
    if name == "protocol":
        return mostly(lambda _: "openid-connect")
    return text


@cache
def _query(kind: Any) -> Draw:
    hints = get_type_hints(kind)
    parameters: list[tuple[Draw, Draw]] = [(text, text)]
    for field in dataclasses.fields(kind):
        first, *rest = field.name.rstrip("_").split("_")
        name = first + "".join(word.capitalize() for word in rest)
        parameters.append((lambda _, name=name: name, _query_value(field.name, hints[field.name])))  # type: ignore[misc]

    def draw(random: Random) -> tuple[tuple[str, Any], ...]:
        chosen = [random.choice(parameters) for _ in range(random.randrange(4))]
        return tuple((name(random), value(random)) for name, value in chosen)

    return draw


def _query_value(name: str, hint: Any) -> Draw:
    if name in _IDS:
        return mostly(reference(_IDS[name]))
    if int in get_args(hint):
        return lambda random: random.choice(_INTEGERS)
    if bool in (*get_args(hint), hint):
        return lambda random: random.choice(("true", "false", "x", ""))
    return lambda random: random.choice((*_SEARCHES, *ODD))


@cache
def _body(kind: Any) -> Draw:
    if isinstance(kind, UnionType):
        return _body(next(each for each in get_args(kind) if each is not NoneType))
    if kind is bytes:
        return anything
    if kind is Form:
        return lambda random: random.choice((b"", b"a=b", b"realm=x&realm=%zz", b"\xff=\x00", b"&&&=", b"a" * 100_000))
    if get_origin(kind) is list:
        return mostly(value_of(kind), value_of(get_args(kind)[0]), one_in=20)
    return document(kind) if isinstance(kind, type) and issubclass(kind, Representation) else value_of(kind)


def encoded(body: Any, broken: str) -> bytes:
    """The bytes of a body, spoilt as `broken` says."""
    if isinstance(body, bytes):
        return body
    plain = json.dumps(body)
    match broken:
        case "cut":
            return plain[: len(plain) // 2].encode()
        case "byte":
            return plain.encode() + b"\xff"
        case "bytes":
            return plain.encode().replace(b"a", b"\xc3\x28")
        case "bom":
            return b"\xef\xbb\xbf" + plain.encode()
        case "utf-16":
            return plain.encode("utf-16")
        case "utf-8":
            return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        case "twice":
            return (
                (plain[:-1] + "," + plain[1:]).encode() if plain.startswith("{") and len(plain) > 2 else plain.encode()
            )
        case "deep":
            return b'{"attributes":' * 5000 + plain.encode() + b"}" * 5000
        case "lists":
            return b"[" * 100_000
        case "tail":
            return plain.encode() + b" {"
        case "empty":
            return b""
        case _:
            return plain.encode()


def path_of(segments: list[str]) -> str:
    """The path on the wire, whatever is in its segments."""
    return "/" + "/".join(quote(segment.encode("utf-8", "surrogatepass"), safe="") for segment in segments)
