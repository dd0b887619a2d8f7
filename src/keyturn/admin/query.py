"""Query parameters as a frozen dataclass, with Java's conversions.

A parameter that is empty counts as absent; a number that is none is 404, as JAX-RS has it; a boolean is true if it says
``true``; of a repeated parameter the first counts, unless the field is a tuple, which takes all.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_type_hints

from keyturn.admin.errors import NotFound

__all__ = ["NAME", "Paging", "Query", "convert", "on_the_wire"]

Q = TypeVar("Q", bound="Query")
NAME: Final = "name"
"""In a field's metadata, what the parameter is called where that is not the field's name."""
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,10}")


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """Base of the query parameters of an endpoint: fields are ``str``, ``int`` or ``bool`` with None or a default.

    ``tuple[str, ...]`` takes a parameter that may be repeated.
    ``brief_representation`` is ``briefRepresentation`` on the wire.
    """


@dataclasses.dataclass(frozen=True, slots=True)
class Paging(Query):
    """``first`` and ``max``; what one of them alone means differs by resource."""

    first: int | None = None
    max: int | None = None


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text) or not -(2**31) <= (value := int(text)) < 2**31:
        raise NotFound
    return value


_CONVERTERS: Final[Mapping[type, Callable[[str], Any]]] = {
    str: str,
    int: _integer,
    bool: lambda text: text.lower() == "true",
}
_ALL: Final = tuple[str, ...]


@cache
def _parameters(query: type[Query]) -> Mapping[str, tuple[str, Callable[[str], Any], bool]]:
    """By the name on the wire, the field, the conversion, and whether it takes all values."""
    found: dict[str, tuple[str, Callable[[str], Any], bool]] = {}
    hints = get_type_hints(query)
    for field in dataclasses.fields(query):
        name = on_the_wire(field)
        if hints[field.name] == _ALL:
            found[name] = (field.name, str, True)
            continue
        kind = next(kind for kind in (*get_args(hints[field.name]), hints[field.name]) if kind in _CONVERTERS)
        found[name] = (field.name, _CONVERTERS[kind], False)
    return found


def on_the_wire(field: "dataclasses.Field[Any]") -> str:
    """The parameter that a field of a query takes: the `NAME` that it is given, else its own in camel case."""
    if NAME in field.metadata:
        return str(field.metadata[NAME])
    first, *rest = field.name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def convert(query: type[Q], pairs: Iterable[tuple[str, str]]) -> Q:
    """The parameters of `pairs` that `query` knows; others are ignored.

    Raises:
        NotFound: a number that is none, or has more than 32 bits.
    """
    kind: Any = query
    parameters = _parameters(kind)
    values: dict[str, Any] = {}
    for name, text in pairs:
        if name in parameters and text:
            field, converted, takes_all = parameters[name]
            if takes_all:
                values[field] = (*values.get(field, ()), text)
            elif field not in values:
                values[field] = converted(text)
    return query(**values)
