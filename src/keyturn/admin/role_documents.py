"""Roles as the wire has them: whether they contain others is told with each."""

from collections.abc import Iterable

from msgspec.structs import replace

from keyturn.admin.context import RealmView
from keyturn.representations import UNSET, given
from keyturn.representations.role import RoleRepresentation
from keyturn.store.collections import ROLES
from keyturn.store.spi import Relation

__all__ = ["role_document", "role_documents", "roles_by_id"]

_MANY = 16
"""Roles of which one look at all composites of the realm is cheaper than a look for each."""


def role_document(realm: RealmView, role: RoleRepresentation, *, brief: bool) -> RoleRepresentation:
    """The stored `role` as the wire has it; a brief one has no attributes."""
    composite = bool(realm.reader.targets(Relation.COMPOSITE, realm.id, str(role.id)))
    return _document(role, composite=composite, brief=brief)


def role_documents(
    realm: RealmView, roles: Iterable[RoleRepresentation], *, brief: bool = True
) -> list[RoleRepresentation]:
    """The stored `roles` as the wire has them, in their order."""
    roles = list(roles)
    if len(roles) < _MANY:
        return [role_document(realm, role, brief=brief) for role in roles]
    composites = {source for source, _ in realm.reader.pairs(Relation.COMPOSITE, realm.id)}
    return [_document(role, composite=role.id in composites, brief=brief) for role in roles]


def roles_by_id(realm: RealmView, ids: Iterable[str]) -> list[RoleRepresentation]:
    """The stored roles of `ids`, by name."""
    return sorted(realm.reader.get_many(ROLES, realm.id, ids), key=lambda role: str(role.name))


def _document(role: RoleRepresentation, *, composite: bool, brief: bool) -> RoleRepresentation:
    return replace(role, composite=composite, attributes=UNSET if brief else given(role.attributes, {}))
