"""How roles come, change and go, and what they contain. Source: Keycloak ``RoleResource``."""

from collections.abc import Iterable

from msgspec.structs import replace

from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, DuplicateResource, ErrorMessage, Forbidden, InvalidRequest, NotFound
from keyturn.model.new_documents import new_role
from keyturn.representations import UNSET, given, present
from keyturn.representations.role import Composites, RoleRepresentation
from keyturn.store.collections import CLIENTS, REALMS, ROLES
from keyturn.store.spi import Duplicate, Relation

__all__ = [
    "change_role",
    "check_role_length",
    "contain",
    "contained_roles",
    "make_role",
    "no_longer_contain",
    "remove_role",
]

_LONGEST_NAME = 255
"""Characters in a column of Keycloak's database."""


def make_role(realm: RealmAdmin, posted: RoleRepresentation, *, client_id: str | None) -> RoleRepresentation:
    """Stores the role of `posted`, of the client of this ``id`` or of the realm, with what it is to contain.

    Raises:
        AdminError: it has no name, the name is taken, or it is to contain a role that is not there.
    """
    if not present(posted.name):
        raise BadRequest("role has no name")
    role = new_role(posted, realm_id=realm.id, client_id=client_id, new_id=realm.new_id)
    check_role_length(role)
    realm.insert(ROLES, role)
    if posted.composite is True:
        wanted = _named(realm, given(posted.composites, Composites()))
        contain(realm, role, wanted)
    return role


def _named(realm: RealmAdmin, composites: Composites) -> list[RoleRepresentation]:
    found = []
    for name in given(composites.realm, []):
        role = realm.reader.find(ROLES, realm.id, container_id=realm.id, name=name)
        if role is None:
            raise ErrorMessage(404, f"Realm Role with name {name} does not exist")
        found.append(role)
    for client_id, names in given(composites.client, {}).items():
        client = realm.reader.find(CLIENTS, realm.id, client_id=client_id)
        for name in names if client is not None else ():
            role = realm.reader.find(ROLES, realm.id, container_id=str(client.id), name=name)  # type: ignore[union-attr]
            if role is None:
                raise ErrorMessage(404, f"Client Role with name {name} does not exist")
            found.append(role)
    return found


def change_role(realm: RealmAdmin, role: RoleRepresentation, change: RoleRepresentation) -> None:
    """Stores the name and description of `change`, and its attributes if it has any. Without a description, it goes.

    Raises:
        AdminError: there is no name, or it is taken.
    """
    if not given(change.name, "").strip():
        raise BadRequest("role has no name")
    attributes = role.attributes
    if present(change.attributes):
        attributes = {name: values for name, values in given(change.attributes, {}).items() if values}
    description = UNSET if change.description is None else change.description
    changed = replace(role, name=change.name, description=description, attributes=attributes)
    check_role_length(changed)
    try:
        realm.tx.update(ROLES, realm.id, changed)
    except Duplicate:
        raise DuplicateResource from None
    _follow_default_role(realm, changed)


def _follow_default_role(realm: RealmAdmin, role: RoleRepresentation) -> None:
    """The realm's document tells its default role, too."""
    default = given(realm.realm.default_role, RoleRepresentation())
    if role.id == default.id:
        told = replace(default, name=role.name, description=role.description)
        realm.tx.update(REALMS, realm.id, replace(realm.realm, default_role=told))


def check_role_length(role: RoleRepresentation) -> None:
    """Raises InvalidRequest for a name or description that is too long for Keycloak's database."""
    if len(given(role.name, "")) > _LONGEST_NAME or len(given(role.description, "")) > _LONGEST_NAME:
        raise InvalidRequest(f"The name or description is longer than {_LONGEST_NAME} characters")


def remove_role(realm: RealmAdmin, role: RoleRepresentation) -> None:
    """Removes the role from everywhere. Raises ErrorMessage: it is the realm's default role."""
    default = given(realm.realm.default_role, None)
    if default is not None and default.id == role.id:
        raise ErrorMessage(400, f"{role.name} is default role of the realm and cannot be removed.")
    realm.tx.delete(ROLES, realm.id, str(role.id))


def contain(realm: RealmAdmin, role: RoleRepresentation, inner: Iterable[RoleRepresentation]) -> None:
    """Puts the roles `inner` into `role`. Raises Forbidden: one of them is not the caller's to give."""
    for each in inner:
        _require_may_contain(realm, each)
        realm.tx.link(Relation.COMPOSITE, realm.id, str(role.id), str(each.id))


def no_longer_contain(realm: RealmAdmin, role: RoleRepresentation, inner: Iterable[RoleRepresentation]) -> None:
    """Takes the roles `inner` out of `role`. Raises Forbidden: one of them is not the caller's to take."""
    for each in inner:
        _require_may_contain(realm, each)
        realm.tx.unlink(Relation.COMPOSITE, realm.id, str(role.id), str(each.id))


def _require_may_contain(realm: RealmView, role: RoleRepresentation) -> None:
    if not realm.rights.may_contain(role):
        raise Forbidden


def contained_roles(realm: RealmView, named: Iterable[RoleRepresentation]) -> list[RoleRepresentation]:
    """The stored roles of `named`, which a body names by id. Raises NotFound."""
    found = []
    for each in named:
        role = realm.reader.get(ROLES, realm.id, each.id) if isinstance(each.id, str) else None
        if role is None:
            raise NotFound("Could not find composite role")
        found.append(role)
    return found
