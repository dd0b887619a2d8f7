"""The documents that a realm keeps of its client policies."""

from functools import cache
from typing import Any, TypeVar

from keyturn.representations import RealmRepresentation, Representation, encode, given
from keyturn.representations.client_policy import (
    ClientPoliciesRepresentation,
    ClientProfileRepresentation,
    ClientProfilesRepresentation,
)
from keyturn.representations.defaults import listing
from keyturn.representations.reading import UnreadableDocument, read

__all__ = ["global_profiles", "policies_of", "profiles_of", "readable"]

D = TypeVar("D", bound=Representation)


@cache
def global_profiles() -> list[ClientProfileRepresentation]:
    """The profiles that every realm has. Not to be changed."""
    return read(encode(listing("client_profiles")), list[ClientProfileRepresentation])


def profiles_of(realm: RealmRepresentation) -> ClientProfilesRepresentation:
    """The realm's own profiles."""
    return readable(realm.client_profiles, ClientProfilesRepresentation) or ClientProfilesRepresentation()


def policies_of(realm: RealmRepresentation) -> ClientPoliciesRepresentation:
    """The realm's policies."""
    return readable(realm.client_policies, ClientPoliciesRepresentation) or ClientPoliciesRepresentation()


def readable(document: Any, kind: type[D]) -> D | None:
    """`document`, JSON that has been parsed; None where it is not of the `kind` (Keycloak takes it for absent, too)."""
    if not given(document, None):
        return None
    try:
        return read(encode(document), kind)
    except UnreadableDocument:
        return None
