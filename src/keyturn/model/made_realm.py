"""A realm that is made and not stored yet, and why one cannot be made."""

from dataclasses import dataclass, field

from keyturn.representations import (
    ClientRepresentation,
    ClientScopeRepresentation,
    ComponentRepresentation,
    GroupRepresentation,
    RealmRepresentation,
    RoleRepresentation,
    UserRepresentation,
    given,
)

__all__ = ["InvalidImport", "NewRealm", "UnknownName", "UnreadableForm"]


@dataclass(frozen=True, slots=True)
class NewRealm:
    """Everything that is stored for a new realm, ids given.

    Attributes:
        realm: its own document.
        components: key providers come without key material, which the caller makes.
        users: credentials are as they were given, and are for the caller to hash.
        relations: (source id, target id) pairs by the name that the store has for the relation.
    """

    realm: RealmRepresentation
    clients: list[ClientRepresentation] = field(default_factory=list)
    client_scopes: list[ClientScopeRepresentation] = field(default_factory=list)
    roles: list[RoleRepresentation] = field(default_factory=list)
    components: list[ComponentRepresentation] = field(default_factory=list)
    groups: list[GroupRepresentation] = field(default_factory=list)
    users: list[UserRepresentation] = field(default_factory=list)
    relations: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def realm_id(self) -> str:
        return given(self.realm.id, "")


class InvalidImport(ValueError):
    """What is to be imported is no realm. ``str()`` says why."""


class UnreadableForm(InvalidImport):
    """What an import has in the form of an older version has fields or values that are none there."""


class UnknownName(InvalidImport):
    """An import names what is not there. ``str()`` says what."""
