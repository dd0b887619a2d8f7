"""The documents as JSON Schema, each field with its meaning and with what becomes of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from keyturn.admin.openapi.texts import texts
from keyturn.representations import Representation, UnsetType, kept_fields, secret_paths

__all__ = ["Document", "Field", "documents", "schema_of", "schemas", "shown"]

Use = Literal["acted on", "kept", "told", "ignored"]
"""What becomes of a field that is sent: ``told`` ones are answered and not taken."""

_REFERENCE: Final = "#/components/schemas/{name}"
_VALUE_OR_NULL: Final = 2
_SCALARS: Final = {"string", "integer", "boolean", "array", "object"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a document, by its name on the wire."""

    name: str
    type: str
    """As people read it."""
    text: str
    use: Use
    why: str = ""
    """What would need a field that is kept; why one is ignored."""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A representation as the admin API uses it."""

    name: str
    text: str
    sent: bool
    """Whether it, or something that holds it, is ever the body of a request."""
    fields: tuple[Field, ...]


def schemas(bodies: Iterable[Any], answers: Iterable[Any]) -> Mapping[str, Any]:
    """The components that `bodies` and `answers` refer to, by name; each field says what becomes of it."""
    bodies, answers = tuple(bodies), tuple(answers)
    _, found = msgspec.json.schema_components((*bodies, *answers), ref_template=_REFERENCE)
    for document in documents(bodies, answers):
        properties = found[document.name]["properties"]
        found[document.name]["description"] = document.text
        if not found[document.name]["required"]:
            del found[document.name]["required"]
        for field in document.fields:
            properties[field.name] = _annotated(_plain(properties[field.name]), field, sent=document.sent)
    return found


def schema_of(kind: Any) -> Mapping[str, Any]:
    """The schema of `kind`, documents in it by reference."""
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REFERENCE)
    return schema


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema`, its ``null`` told among the types where that says the same."""
    kinds: list[dict[str, Any]] = schema.get("anyOf", [])
    if len(kinds) == _VALUE_OR_NULL and kinds[0].get("type") in _SCALARS and kinds[1] == {"type": "null"}:
        return {**kinds[0], "type": [kinds[0]["type"], "null"]}
    return schema


def _annotated(schema: dict[str, Any], field: Field, *, sent: bool) -> dict[str, Any]:
    noted = dict(schema)
    text = field.text
    if field.use == "kept":
        noted["x-kept-for"] = field.why
        text = f"{text} Kept, not acted on: it is for {field.why}.".strip()
    elif field.use == "ignored":
        noted["x-ignored"] = field.why
        text = f"{text} Ignored: {field.why}.".strip()
    elif field.use == "told" and sent:
        noted["readOnly"] = True
    if field.secret:
        noted["x-secret"] = True
    if text:
        noted["description"] = text
    return noted


def documents(bodies: Iterable[Any], answers: Iterable[Any]) -> tuple[Document, ...]:
    """The representations that requests with `bodies` bring or `answers` have, by name.

    What only comes in a field that is kept is kept itself.
    """
    sent: dict[type[Representation], str | None] = {}
    for kind in bodies:
        for document in _within(kind):
            _follow(document, None, sent)
    seen: dict[type[Representation], str | None] = {}
    for kind in answers:
        for document in _within(kind):
            _follow(document, None, seen)
    found = {**dict.fromkeys(seen), **sent}
    return tuple(
        _document(document, sent=document in sent, kept=found[document])
        for document in sorted(found, key=lambda document: document.__name__)
    )


def _follow(document: type[Representation], kept: str | None, found: dict[type[Representation], str | None]) -> None:
    """Notes `document` and what is in it in `found`, with what it is kept for; None where it is acted on."""
    if document in found and (found[document] is None or kept is not None):
        return
    found[document] = kept
    hints, marks = get_type_hints(document), kept_fields(document)
    for name, wire in zip(document.__struct_fields__, document.__struct_encode_fields__, strict=True):
        for inner in _within(hints[name]):
            _follow(inner, kept or marks.get(wire), found)


def _within(hint: Any) -> Iterator[type[Representation]]:
    if isinstance(hint, type) and issubclass(hint, Representation):
        yield hint
    for argument in get_args(hint):
        yield from _within(argument)


def _document(document: type[Representation], *, sent: bool, kept: str | None) -> Document:
    name = document.__name__
    hints, marks = get_type_hints(document, include_extras=True), kept_fields(document)
    meanings, told = texts().fields.get(name, {}), texts().told.get(name, frozenset())
    ignored = texts().ignored.get(name, {})
    secrets = {path[0] for path in secret_paths(document) if len(path) == 1}
    fields = []
    for field, wire in zip(document.__struct_fields__, document.__struct_encode_fields__, strict=True):
        why = kept or marks.get(wire) or ignored.get(wire, "")
        use: Use = "acted on"
        if not sent or wire in told:
            use, why = "told", ""
        elif why:
            use = "ignored" if wire in ignored else "kept"
        fields.append(Field(wire, shown(hints[field]), meanings.get(wire, ""), use, why, secret=wire in secrets))
    return Document(name, _prose(document.__doc__), sent, tuple(fields))


def _prose(docstring: str | None) -> str:
    return " ".join((docstring or "").replace("``", "`").split())


def shown(hint: Any) -> str:
    """`hint` in the words of JSON."""
    if get_origin(hint) is Annotated:
        return shown(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(hint))
    if get_origin(hint) is list:
        return f"list of {shown(get_args(hint)[0])}"
    if get_origin(hint) is dict:
        return f"map to {shown(get_args(hint)[1])}"
    given = [each for each in get_args(hint) if each not in (UnsetType, NoneType)]
    if given:
        return shown(given[0])
    if isinstance(hint, type) and issubclass(hint, Representation):
        return hint.__name__
    return _NAMES.get(hint, "any")


_NAMES: Final[Mapping[Any, str]] = {str: "string", int: "integer", bool: "boolean"}
