"""How groups come, change, move and go. Source: Keycloak ``GroupsResource``, ``GroupResource``."""

from msgspec.structs import replace

from keyturn.admin.context import RealmAdmin
from keyturn.admin.effective_roles import groups_above
from keyturn.admin.errors import Conflict, ErrorMessage, InvalidRequest, NotFound
from keyturn.model.new_documents import new_group
from keyturn.representations import UNSET, given, present
from keyturn.representations.group import GroupRepresentation
from keyturn.store.collections import GROUPS
from keyturn.store.spi import Duplicate

__all__ = ["add_group", "change_group", "check_group_name", "remove_group"]

_LONGEST_NAME = 255
"""Characters in a column of Keycloak's database."""


def add_group(
    realm: RealmAdmin, posted: GroupRepresentation, parent: GroupRepresentation | None
) -> GroupRepresentation | None:
    """Makes a group below `parent` or at the top; with an ``id`` in the body, moves that group there instead.

    Returns:
        The group that was made; None where one was moved.

    Raises:
        AdminError: no name, a name that is taken, a group that is not there or would come below itself.
    """
    name = check_group_name(posted)
    if present(posted.id):
        _move(realm, str(posted.id), parent)
        return None
    group = new_group(replace(posted, id=UNSET), parent=parent, new_id=realm.new_id)
    attributes = {each: values for each, values in given(group.attributes, {}).items() if values}
    group = replace(group, attributes=attributes, path=UNSET)
    try:
        realm.tx.insert(GROUPS, realm.id, group)
    except Duplicate:
        raise _taken(name, parent is None) from None
    return group


def _move(realm: RealmAdmin, group_id: str, parent: GroupRepresentation | None) -> None:
    group = realm.reader.get(GROUPS, realm.id, group_id)
    if group is None:
        raise NotFound("Could not find child by id")
    if parent is not None and group_id == parent.id:
        return  # as in Keycloak
    if parent is not None and group_id in groups_above(realm.reader, realm.id, str(parent.id)):
        raise InvalidRequest("A group cannot be below itself")
    moved = replace(group, parent_id=UNSET if parent is None else parent.id)
    try:
        realm.tx.update(GROUPS, realm.id, moved)
    except Duplicate:
        raise _taken(str(group.name), parent is None) from None


def change_group(realm: RealmAdmin, group: GroupRepresentation, change: GroupRepresentation) -> None:
    """Stores name, description and attributes of `change`. Without a description it goes, attributes stay.

    Raises:
        AdminError: no name, another id, or a name that is taken.
    """
    name = check_group_name(change)
    if present(change.id) and change.id != group.id:
        raise ErrorMessage(400, "Invalid group id")
    attributes = group.attributes
    if present(change.attributes):
        attributes = {each: values for each, values in given(change.attributes, {}).items() if values}
    description = UNSET if change.description is None else change.description
    try:
        realm.tx.update(
            GROUPS, realm.id, replace(group, name=name, description=description, attributes=attributes, path=UNSET)
        )
    except Duplicate:
        raise _taken(name, False) from None


def check_group_name(group: GroupRepresentation) -> str:
    """The name of a posted group. Raises AdminError where there is none, or it is too long for Keycloak's database."""
    name = given(group.name, "")
    if not name.strip():
        raise ErrorMessage(400, "Group name is missing")
    if len(name) > _LONGEST_NAME:
        raise InvalidRequest(f"The name is longer than {_LONGEST_NAME} characters")
    return name


def _taken(name: str, at_the_top: bool) -> Conflict:
    return Conflict(f"{'Top level' if at_the_top else 'Sibling'} group named '{name}' already exists.")


def remove_group(realm: RealmAdmin, group: GroupRepresentation) -> None:
    """Removes the group and the groups below it."""
    for child in realm.reader.select(GROUPS, realm.id, where={"parent_id": str(group.id)}):
        remove_group(realm, child)
    realm.tx.delete(GROUPS, realm.id, str(group.id))
