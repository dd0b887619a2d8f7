"""Every endpoint of the admin API with its path, parameters, body, answers and rights, from the mounted resources."""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_type_hints

from keyturn.admin.answers import Content, Created, NoContent
from keyturn.admin.openapi.answered import ANSWERED, CREATED
from keyturn.admin.openapi.texts import texts
from keyturn.admin.permissions import Needs
from keyturn.admin.query import Query, on_the_wire
from keyturn.admin.resource import Endpoint, Form, Multipart
from keyturn.admin.routing import Mount
from keyturn.representations import given

__all__ = ["Body", "Operation", "Parameter", "operations"]

_JSON: Final = "application/json"
_TEXT: Final = "text/plain"
_SEGMENT: Final = re.compile(r"\{(\w+)(?:\.\.\.)?\}")
_DEPRECATED: Final = "client-templates"
"""What client scopes were called once; Keycloak serves both."""
_SCHEMAS: Final[Mapping[type, Mapping[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer", "format": "int32"},
    bool: {"type": "boolean"},
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A segment of the path or a parameter of the query. `schema` is JSON Schema."""

    name: str
    within: str
    text: str
    schema: Mapping[str, Any]
    default: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent or answered: a type that has a schema, ``bytes`` for text."""

    kind: Any
    media_type: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path, as clients see it."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    needs: tuple[tuple[str, ...], ...]
    """Of each set of management roles, the caller holds one."""
    right: str
    """The same in words; of endpoints that decide within, what they decide by."""
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: Mapping[int, Body | None]
    """What is answered where nothing is wrong, by status."""
    endpoint: Endpoint = field(repr=False)
    deprecated: bool = False

    @property
    def in_a_realm(self) -> bool:
        """Whether the path names a realm, which may be one that is not there."""
        return any(parameter.within == "path" for parameter in self.parameters)


def operations(mounts: Iterable[Mount]) -> tuple[Operation, ...]:
    """All operations, in the order of `mounts`.

    Raises:
        KeyError: something has no text yet; ``texts.toml`` is where it belongs.
    """
    mounts = tuple(mounts)
    mounted: dict[str, list[str]] = {}
    for mount in mounts:
        paths = mounted.setdefault(mount.resource.name, [])
        if _DEPRECATED not in mount.path:
            paths.append(mount.path)
    names = Counter(
        endpoint.parameters.function.__name__
        for resource in {mount.resource.name: mount.resource for mount in mounts}.values()
        for endpoint in resource.endpoints
    )
    return tuple(
        _operation(mount, endpoint, _suffix(mount.path, mounted[mount.resource.name]), names)
        for mount in mounts
        for endpoint in mount.resource.endpoints
    )


def _suffix(path: str, paths: list[str]) -> str:
    """What tells the mount at `path` from the others of its resource: literal segments that not all of them have."""
    shared = set.intersection(*(set(each.split("/")) for each in paths))
    own = [part for part in path.split("/") if part not in shared and not part.startswith("{")]
    return "".join(f"_of_{part.replace('-', '_')}" for part in own)


def _operation(mount: Mount, endpoint: Endpoint, suffix: str, names: Counter[str]) -> Operation:
    function = endpoint.parameters.function
    qualified = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
    template = "/".join((mount.path, *endpoint.path))
    name = function.__name__ if names[function.__name__] == 1 else qualified.replace(".", "_")
    deprecated = _DEPRECATED in template
    return Operation(
        id=f"{name}{suffix}",
        tag=texts().tags.get(mount.resource.name, mount.resource.name),
        method=endpoint.method,
        path=_SEGMENT.sub(lambda match: "{" + _segment(template, match[1])[0] + "}", template),
        summary=_summary(function.__doc__),
        needs=tuple(tuple(sorted(each)) for each in endpoint.needs.each),
        right=_right(endpoint.needs, function),
        parameters=(*_in_path(template), *_in_query(endpoint)),
        body=_body(endpoint),
        answers=_answers(endpoint, qualified),
        endpoint=endpoint,
        deprecated=deprecated,
    )


def _summary(docstring: str | None) -> str:
    """The docstring's text, its markup as Markdown has it."""
    return " ".join((docstring or "").replace("``", "`").split())


def _right(needs: Needs, function: Any) -> str:
    if needs.each:
        return " and ".join(_one_of(each) for each in needs.each)
    if get_type_hints(function)["return"] is NoneType and function.__name__ not in texts().rights:
        return "any token: there is nothing to be had"
    return texts().rights[function.__name__]


def _one_of(roles: frozenset[str]) -> str:
    if len(roles) > _MANY:
        return "any role of the realm's administration but `impersonation`"
    return " or ".join(f"`{role}`" for role in sorted(roles, key=_strength))


_MANY: Final = 8
_STRENGTHS: Final = ("query", "view", "manage")


def _strength(role: str) -> tuple[int, str]:
    verb = role.partition("-")[0]
    return (_STRENGTHS.index(verb) if verb in _STRENGTHS else -1, role)


def _segment(template: str, name: str) -> tuple[str, str]:
    """The name and text of a segment; what it is may depend on the literal segment before it."""
    before = template.partition(f"/{{{name}")[0].rpartition("/")[2]
    known = texts().segments
    return known.get(f"{name}@{before}") or known[name]


def _in_path(template: str) -> Iterable[Parameter]:
    for match in _SEGMENT.finditer(template):
        name, text = _segment(template, match[1])
        yield Parameter(name, "path", text, _SCHEMAS[str])


def _in_query(endpoint: Endpoint) -> Iterable[Parameter]:
    if endpoint.parameters.query is None:
        return
    query: type[Query] = endpoint.parameters.query[1]
    hints = get_type_hints(query)
    for each in dataclasses.fields(query):
        name, hint = on_the_wire(each), hints[each.name]
        known = texts().queries
        text = known.get(f"{name}@{endpoint.parameters.function.__name__}") or known[name]
        if hint == tuple[str, ...]:
            yield Parameter(name, "query", text, {"type": "array", "items": _SCHEMAS[str]})
            continue
        kind = next(kind for kind in (*get_args(hint), hint) if kind in _SCHEMAS)
        yield Parameter(name, "query", text, _SCHEMAS[kind], each.default)


def _body(endpoint: Endpoint) -> Body | None:
    if endpoint.parameters.body is None:
        return None
    kind = endpoint.parameters.body[1]
    required = NoneType not in get_args(kind)
    if isinstance(kind, UnionType):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    media_type = endpoint.consumes or _JSON
    if kind is Multipart:
        return Body(dict[str, str], "multipart/form-data", required)
    return Body(dict[str, str] if kind is Form else kind, media_type, required)


def _answers(endpoint: Endpoint, qualified: str) -> Mapping[int, Body | None]:
    returned = get_type_hints(endpoint.parameters.function)["return"]
    found: dict[int, Body | None] = {}
    for kind in get_args(returned) if isinstance(returned, UnionType) else (returned,):
        if kind is NoneType:
            continue  # it always raises
        if kind is Created:
            document = CREATED.get(qualified)
            found[201] = None if document is None else Body(document, given(endpoint.produces, _JSON))
        elif isinstance(kind, type) and issubclass(kind, NoContent):
            found[204] = None
        else:
            answered = ANSWERED.get(qualified, kind)
            if answered is Content:
                raise TypeError(f"nothing says what {qualified} answers")
            binary = endpoint.produces if answered is bytes else None
            found[200] = Body(answered, binary or (_TEXT if answered is bytes else _JSON))
    return found
