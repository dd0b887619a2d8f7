"""What every JSON document on the wire has in common."""

from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "UNSET",
    "Maybe",
    "Representation",
    "UnsetType",
    "decode",
    "encode",
    "given",
    "merge",
    "present",
    "without_nulls",
]

T = TypeVar("T")
D = TypeVar("D", bound="Representation")

Maybe: TypeAlias = T | UnsetType | None
"""A field of a document: absent (``UNSET``), ``null`` (``None``) or a value. The three differ on input; ``null`` is never sent."""


class Representation(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """A JSON document on the wire, declared once.

    Fields are ``snake_case`` here and ``camelCase`` on the wire, and all optional: ``name: Maybe[str] = UNSET``. The order of
    the fields is the order in which Keycloak writes them.
    """


def decode(content: bytes | str, document: type[T]) -> T:
    """The document in `content`. Raises ``msgspec.DecodeError``, or ``msgspec.ValidationError`` naming the path and type."""
    return msgspec.json.decode(content, type=document)


def encode(document: Any) -> bytes:
    """`document` (a Representation, or lists and mappings of them) as JSON, absent fields left out."""
    return msgspec.json.encode(document)


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
    """`stored` with the fields that `change` gives: Keycloak's PUT, for which absent and ``null`` mean "leave as it is"."""
    changes = {name: value for name in change.__struct_fields__ if present(value := getattr(change, name))}
    return msgspec.structs.replace(stored, **changes)
