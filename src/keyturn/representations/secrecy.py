"""Which parts of a document are secret: declared at the field, used for sealing, masking and reprs."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

__all__ = ["MASK", "SECRET", "masked", "replace_secrets", "secret_entries", "secret_paths"]

D = TypeVar("D", bound=msgspec.Struct)

MASK: Final = "…"
"""What a secret shows as in a repr."""

SECRET: Final = Meta(extra={"secret": True})
"""Marks a field whose whole text is secret."""


def secret_entries(*names: str) -> Meta:
    """Marks a mapping whose entries under `names` are secret."""
    return Meta(extra={"secret_entries": names})


@cache
def _declared(document: type[msgspec.Struct]) -> dict[str, frozenset[str] | None]:
    """The secret fields of `document`: None where the whole field is secret, else the names of its secret entries."""
    found: dict[str, frozenset[str] | None] = {}
    for name, hint in get_type_hints(document, include_extras=True).items():
        for meta in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
            extra = (meta.extra or {}) if isinstance(meta, Meta) else {}
            if extra.get("secret"):
                found[name] = None
            elif "secret_entries" in extra:
                found[name] = frozenset(extra["secret_entries"])
    return found


@cache
def _nested(document: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """The fields of `document` that hold documents, with the type of those."""
    hints = get_type_hints(document)
    return {name: inner for name in document.__struct_fields__ if (inner := _document_in(hints[name])) is not None}


def _document_in(hint: Any) -> type[msgspec.Struct] | None:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((inner for argument in get_args(hint) if (inner := _document_in(argument)) is not None), None)


def masked(document: type[msgspec.Struct], field: str, value: Any) -> Any:
    """`value` of `document`'s `field` as a repr may show it."""
    declared = _declared(document)
    if field not in declared or value is None:
        return value
    entries = declared[field]
    if entries is None or not isinstance(value, dict):
        return MASK
    return {key: MASK if key in entries else entry for key, entry in value.items()}


@cache
def secret_paths(document: type[msgspec.Struct]) -> tuple[tuple[str, ...], ...]:
    """Where secrets are in `document`, as names on the wire; ``*`` stands for each item of a list or mapping.

    >>> secret_paths(ClientRepresentation)[0]
    ('secret',)
    """
    return tuple(sorted(set(_paths(document, ()))))


def _paths(document: type[msgspec.Struct], above: tuple[type[msgspec.Struct], ...]) -> Iterator[tuple[str, ...]]:
    wire = dict(zip(document.__struct_fields__, document.__struct_encode_fields__, strict=True))
    for name, entries in _declared(document).items():
        yield from [(wire[name],)] if entries is None else [(wire[name], entry) for entry in entries]
    hints = get_type_hints(document)
    for name, inner in _nested(document).items():
        if inner not in above and inner is not document:  # a group holds groups
            stars = ("*",) * _depth(hints[name], inner)
            for path in _paths(inner, (*above, document)):
                yield (wire[name], *stars, *path)


def _depth(hint: Any, inner: type[msgspec.Struct]) -> int:
    """How many lists and mappings of `hint` are around `inner`."""
    if hint is inner:
        return 0
    outer = int(get_origin(hint) in {list, dict})
    return outer + next(_depth(argument, inner) for argument in get_args(hint) if _document_in(argument) is inner)


def replace_secrets(document: D, replace: Callable[[tuple[str, ...], str], str]) -> D:
    """`document` with each secret text replaced by ``replace(path, text)``; the original is left as it is.

    The path is made of names on the wire and of positions in lists: ``("config", "privateKey", "0")``.
    """
    return _replaced(document, (), replace)


@cache
def _places(
    document: type[msgspec.Struct],
) -> tuple[tuple[tuple[str, str, frozenset[str] | None], ...], tuple[tuple[str, str], ...]]:
    """The secret fields of `document` and those that hold secrets further in, each with its name on the wire."""
    wire = dict(zip(document.__struct_fields__, document.__struct_encode_fields__, strict=True))
    secret = tuple((name, wire[name], entries) for name, entries in _declared(document).items())
    inner = ((name, kind) for name, kind in _nested(document).items() if kind is document or secret_paths(kind))
    return secret, tuple((name, wire[name]) for name, _ in inner)


def _replaced(document: D, path: tuple[str, ...], replace: Callable[[tuple[str, ...], str], str]) -> D:
    secret, nested = _places(type(document))
    changes: dict[str, Any] = {}
    for name, wire, entries in secret:
        value = getattr(document, name)
        if value is msgspec.UNSET or value is None:
            continue
        here = (*path, wire)
        if entries is None:
            changes[name] = _texts(value, here, replace)
        elif isinstance(value, dict) and not entries.isdisjoint(value):
            changes[name] = {
                key: _texts(entry, (*here, key), replace) if key in entries else entry for key, entry in value.items()
            }
    for name, wire in nested:
        value = getattr(document, name)
        if value:
            changes[name] = _inside(value, (*path, wire), replace)
    return msgspec.structs.replace(document, **changes) if changes else document


def _inside(value: Any, path: tuple[str, ...], replace: Callable[[tuple[str, ...], str], str]) -> Any:
    if isinstance(value, msgspec.Struct):
        return _replaced(value, path, replace)
    if isinstance(value, list):
        return [_inside(item, (*path, str(index)), replace) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: _inside(item, (*path, key), replace) for key, item in value.items()}
    return value


def _texts(value: Any, path: tuple[str, ...], replace: Callable[[tuple[str, ...], str], str]) -> Any:
    if isinstance(value, str):
        return replace(path, value)
    if isinstance(value, list):
        return [_texts(item, (*path, str(index)), replace) for index, item in enumerate(value)]
    return value
