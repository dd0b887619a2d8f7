"""What every JSON document on the wire has in common."""

from typing import Annotated, Any, Final, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from keyturn.representations.secrecy import masked

__all__ = [
    "ANY_LISTS",
    "NULL_REMOVES",
    "UNSET",
    "Integer",
    "Long",
    "Maybe",
    "Part",
    "Representation",
    "UnsetType",
    "decode",
    "encode",
    "given",
    "kept",
    "kept_fields",
    "merge",
    "merge_attributes",
    "present",
    "replace",
    "without_nulls",
]

T = TypeVar("T")
D = TypeVar("D", bound="Representation")

Maybe: TypeAlias = T | UnsetType | None
"""A field of a document: absent (``UNSET``), ``null`` (``None``) or a value.

The three differ on input; ``null`` is never sent.
"""

Integer: TypeAlias = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""Java's ``Integer``: Keycloak refuses a number outside 32 bits."""

Long: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Java's ``Long``."""


NULL_REMOVES: Final = Meta(extra={"null_removes": True})
"""Marks a mapping of texts in which a ``null`` reads as the empty text, and removes the entry in a PUT.

In every other mapping, entries that are ``null`` are read as if they were not there.
"""


ANY_LISTS: Final = Meta(extra={"any_lists": True})
"""Marks a mapping of lists of texts that Keycloak reads from whatever stands there: a text is a list of one."""


def kept(why: str) -> Meta:
    """Marks a field that is stored and returned but not acted on; `why` names what would need it.

    >>> remember_me: Annotated[Maybe[bool], kept("login pages")] = UNSET
    """
    return Meta(extra={"kept": why})


def kept_fields(document: type["Representation"]) -> dict[str, str]:
    """The fields of `document` that are stored but not acted on, by name on the wire, with what would need them."""
    hints = get_type_hints(document, include_extras=True)
    found: dict[str, str] = {}
    for name, wire in zip(document.__struct_fields__, document.__struct_encode_fields__, strict=True):
        for meta in get_args(hints[name])[1:] if get_origin(hints[name]) is Annotated else ():
            if isinstance(meta, Meta) and "kept" in (meta.extra or {}):
                found[wire] = str((meta.extra or {})["kept"])
    return found


class Representation(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """A JSON document on the wire, declared once.

    Fields are ``snake_case`` here and ``camelCase`` on the wire, and all optional: ``name: Maybe[str] = UNSET``. They
    stand in the order in which Keycloak writes them. What is declared `secret` never shows in a repr.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> Any:
        """The given fields for a repr, secrets masked."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not UNSET:
                yield name, masked(type(self), name, value)


class Part(msgspec.Struct, rename="camel"):
    """Some fields of a document, declared as the document declares them: to look through many at a part of the cost."""


def decode(content: bytes | str, document: type[T]) -> T:
    """The document in `content`, strictly; `keyturn.representations.reading` reads what clients send, as Keycloak does.

    Raises:
        msgspec.DecodeError: it is no JSON, or (``msgspec.ValidationError``) not such a document.
    """
    return msgspec.json.decode(content, type=document)


def encode(document: Any) -> bytes:
    """`document` (a Representation, or lists and mappings of them) as JSON, absent fields left out."""
    return msgspec.json.encode(document)


def replace(document: D, **fields: Any) -> D:
    """`document` with `fields` changed; the original is left as it is."""
    return msgspec.structs.replace(document, **fields)


def without_nulls(document: D) -> D:
    """`document` with each ``null`` field absent, which is what Keycloak makes of ``null`` in what is created."""
    nulls = {name: UNSET for name in document.__struct_fields__ if getattr(document, name) is None}
    return msgspec.structs.replace(document, **nulls) if nulls else document


def present(value: T | UnsetType | None) -> bool:
    """Whether a field was given with a value: neither absent nor ``null``."""
    return value is not UNSET and value is not None


def given(value: T | UnsetType | None, default: T) -> T:
    """The field's value, or `default` where it is absent or ``null``."""
    return default if value is None or isinstance(value, UnsetType) else value


def merge(stored: D, change: D) -> D:
    """`stored` with the fields that `change` gives.

    This is Keycloak's PUT, for which absent and ``null`` mean "leave as it is".
    """
    changes = {name: value for name in change.__struct_fields__ if present(value := getattr(change, name))}
    return msgspec.structs.replace(stored, **changes)


def merge_attributes(stored: Maybe[dict[str, str]], change: Maybe[dict[str, str]]) -> dict[str, str]:
    """A client's attributes after a PUT: those that `change` names are set, and removed where they are empty.

    ``null`` reads as empty. Source: Keycloak ``RepresentationToModel.updateClientProperties``.
    """
    merged = {**given(stored, {}), **given(change, {})}
    return {name: value for name, value in merged.items() if value}
