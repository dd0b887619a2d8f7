"""From a path to an endpoint, as JAX-RS does it: class by class, a literal segment before one that takes any text.

A class is found first, by where it is mounted, and located on the way (the realm, the client: 404 and 403 come from
there). Within the class, a method that no endpoint at all has is 405 where the path is known; else it is 404.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn.admin.errors import HttpError, NotFound
from keyturn.admin.resource import Endpoint, Parameters, Resource

__all__ = ["Mount", "Route", "Router"]


@dataclass(frozen=True, slots=True)
class Mount:
    """A resource at a path; several at one path are one class.

    `locates` finds, on the way there, the values that the endpoints take by name.

    Each locating function takes the context (a ``RealmView``), segments of the path and what was located before; it
    raises NotFound or Forbidden. What a mount locates, mounts below it have as well.
    """

    path: str
    resource: Resource
    locates: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes, before anything is located. `endpoint` is None where `refusal` says why there is none."""

    values: Mapping[str, str]
    """Segments of the path by name."""
    locators: tuple[tuple[str, Parameters], ...]
    endpoint: Endpoint | None
    refusal: HttpError | None = None


@dataclass(slots=True)
class _Tree:
    """Segments of the path: the literal ones, and the one that takes any text."""

    literal: dict[str, "_Tree"] = field(default_factory=dict)
    any: "_Tree | None" = None
    name: str = ""
    """What ``any``'s text is called."""
    rest: "_Tree | None" = None
    """The end of a path that takes any number of segments."""
    mount: "_Class | None" = None
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    """By method; only within a class."""

    def below(self, segments: Iterable[str]) -> "_Tree":
        """The node at `segments`, made where it is not there."""
        node = self
        for segment in segments:
            if segment.endswith("...}"):
                node.rest = node.rest or _Tree(name=segment[1:-4])
                return node.rest
            if segment.startswith("{"):
                if node.any is None:
                    node.any, node.name = _Tree(), segment[1:-1]
                elif node.name != segment[1:-1]:
                    raise ValueError(f"{segment} is called {node.name} elsewhere")
                node = node.any
            else:
                node = node.literal.setdefault(segment, _Tree())
        return node


@dataclass(slots=True)
class _Class:
    """A mounted resource: its endpoints and the classes below it share one tree."""

    locators: tuple[tuple[str, Parameters], ...] = ()
    tree: _Tree = field(default_factory=_Tree)
    methods: set[str] = field(default_factory=set)


class Router:
    """All mounted resources."""

    def __init__(self, mounts: Iterable[Mount]) -> None:
        self.mounts: Final = tuple(mounts)
        self._root: Final = _Class()
        classes: dict[tuple[str, ...], _Class] = {(): self._root}
        located: dict[tuple[str, ...], tuple[str, ...]] = {(): ()}
        for mount in sorted(self.mounts, key=lambda mount: mount.path.count("/")):
            path = tuple(segment for segment in mount.path.split("/") if segment)
            above = max((at for at in classes if path[: len(at)] == at and at != path), key=len, default=())
            names = located.get(path, located[above])
            locators = []
            for name, function in mount.locates.items():
                locators.append((name, Parameters.of(function, names)))
                names = (*names, name)
            missing = set(mount.resource.located) - {*names, *_names(path)}
            if missing:
                raise ValueError(f"{mount.path} does not locate {sorted(missing)}")
            located[path] = names
            mounted = classes.setdefault(path, _Class())
            mounted.locators += tuple(locators)
            classes[above].tree.below(path[len(above) :]).mount = mounted
            for endpoint in mount.resource.endpoints:
                node = mounted.tree.below(endpoint.path)
                if endpoint.method in node.endpoints:
                    raise ValueError(f"{endpoint.method} {mount.path}/{'/'.join(endpoint.path)} is there twice")
                node.endpoints[endpoint.method] = endpoint
                mounted.methods.add(endpoint.method)

    def find(self, method: str, segments: tuple[str, ...]) -> Route:
        """Where `method` at `segments` (decoded) goes; HEAD goes where GET does."""
        wanted = "GET" if method == "HEAD" else method
        values: dict[str, str] = {}
        locators: list[tuple[str, Parameters]] = []
        here, rest = self._root, segments
        while True:
            found = _match(here.tree, rest, 0, wanted)
            if found is None:
                return Route(values, tuple(locators), None, _refusal(here, rest, wanted))
            values.update(found.values)
            if found.endpoint is not None:
                return Route(values, tuple(locators), found.endpoint)
            assert found.mounted is not None
            here, rest = found.mounted, rest[found.length :]
            locators.extend(here.locators)


@dataclass(frozen=True, slots=True)
class _Match:
    """An endpoint at the end of the path, or a class at its beginning, `length` segments long."""

    values: dict[str, str]
    endpoint: Endpoint | None = None
    mounted: "_Class | None" = None
    length: int = 0


def _match(node: _Tree, rest: tuple[str, ...], at: int, method: str) -> _Match | None:
    if at == len(rest):
        endpoint = node.endpoints.get(method)
        if endpoint is not None:
            return _Match({}, endpoint)
    else:
        literal = node.literal.get(rest[at])
        found = _match(literal, rest, at + 1, method) if literal is not None else None
        if found is None and node.any is not None:
            found = _match(node.any, rest, at + 1, method)
            if found is not None:
                found.values[node.name] = rest[at]
        if found is not None:
            return found
        if node.rest is not None and method in node.rest.endpoints:
            return _Match({node.rest.name: "/".join(rest[at:])}, node.rest.endpoints[method])
    return _Match({}, mounted=node.mount, length=at) if node.mount is not None else None


def _refusal(here: _Class, rest: tuple[str, ...], method: str) -> HttpError:
    known = method not in here.methods and any(_match(here.tree, rest, 0, other) for other in here.methods)
    return HttpError(405) if known else NotFound()


def _names(path: Iterable[str]) -> set[str]:
    return {segment[1:-1] for segment in path if segment.startswith("{")}
