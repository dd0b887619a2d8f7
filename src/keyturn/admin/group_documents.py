"""Groups as the wire has them: with their path, and where it is asked for their roles and what the caller may do."""

from dataclasses import dataclass

from keyturn.admin.context import RealmView
from keyturn.admin.errors import NotFound
from keyturn.admin.permissions import MANAGE_USERS, VIEW_CLIENTS, VIEW_USERS
from keyturn.representations import UNSET, given, replace
from keyturn.representations.group import GroupRepresentation
from keyturn.store.collections import CLIENTS, GROUPS, ROLES
from keyturn.store.spi import Relation

__all__ = ["GroupAccess", "find_group", "group_document", "group_path", "group_path_order", "path_of"]


def group_path_order(group: GroupRepresentation) -> str:
    """What groups are listed by."""
    return str(group.name)


def find_group(realm: RealmView, group_id: str) -> GroupRepresentation:
    """The group of this id; everybody is told that there is none. Raises NotFound."""
    group = realm.reader.get(GROUPS, realm.id, group_id)
    if group is None:
        raise NotFound("Could not find group by id")
    return group


def path_of(group: GroupRepresentation, ancestors: list[GroupRepresentation]) -> str:
    """The path of `group` below `ancestors`, from the inside out."""
    return "/" + "/".join(str(each.name) for each in [*reversed(ancestors), group])


def group_path(realm: RealmView, group: GroupRepresentation) -> str:
    """The path of the stored `group`."""
    ancestors: list[GroupRepresentation] = []
    parent = given(group.parent_id, "")
    while parent and (above := realm.reader.get(GROUPS, realm.id, parent)) is not None:
        ancestors.append(above)
        parent = given(above.parent_id, "")
    return path_of(group, ancestors)


@dataclass(frozen=True, slots=True)
class GroupAccess:
    """What the caller may do with the realm's groups."""

    view: bool
    manage: bool

    @classmethod
    def of(cls, realm: RealmView) -> "GroupAccess":
        """The caller's."""
        return cls(realm.may(VIEW_USERS), realm.may(MANAGE_USERS))

    def document(self) -> dict[str, bool]:
        """As the wire has it."""
        return {
            "view": self.view,
            "viewMembers": self.view,
            "manageMembers": self.manage,
            "manage": self.manage,
            "manageMembership": self.manage,
        }


def group_document(
    realm: RealmView,
    group: GroupRepresentation,
    *,
    brief: bool,
    counted: bool = False,
    access: GroupAccess | None = None,
    path: str | None = None,
) -> GroupRepresentation:
    """The stored `group` as the wire has it.

    Args:
        brief: without attributes and roles.
        counted: with the number of groups below it.
        access: with what the caller may do; client roles are then told only to who may see clients.
        path: its path, where that is known.
    """
    document = replace(
        group,
        path=path if path is not None else group_path(realm, group),
        parent_id=group.parent_id,
        sub_groups=[],
        sub_group_count=realm.reader.count(GROUPS, realm.id, where={"parent_id": str(group.id)}) if counted else UNSET,
        attributes=UNSET,
        realm_roles=UNSET,
        client_roles=UNSET,
        access=UNSET if access is None else access.document(),
    )
    if brief:
        return document
    roles = realm.reader.get_many(ROLES, realm.id, realm.reader.targets(Relation.GROUP_ROLE, realm.id, str(group.id)))
    by_client: dict[str, list[str]] = {}
    for role in roles:
        if role.client_role is True and (access is None or realm.may(VIEW_CLIENTS)):
            by_client.setdefault(str(role.container_id), []).append(str(role.name))
    return replace(
        document,
        attributes=given(group.attributes, {}),
        realm_roles=[str(role.name) for role in roles if role.client_role is not True],
        client_roles={
            str(client.client_id): by_client[str(client.id)]
            for client in realm.reader.get_many(CLIENTS, realm.id, by_client)
        },
    )
