"""Owns the one definition of every JSON document on Keycloak's wire.

Refuses rules: what a document means is decided elsewhere.
"""

from keyturn.representations.base import (
    UNSET,
    Maybe,
    Representation,
    UnsetType,
    decode,
    encode,
    given,
    merge,
    present,
    without_nulls,
)

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
