"""Groups of a partial import: a path says which there is. Source: Keycloak ``GroupsPartialImport``."""

from dataclasses import dataclass

from keyturn.admin.context import RealmAdmin
from keyturn.admin.errors import InvalidRequest
from keyturn.admin.group_changes import check_group_name, remove_group
from keyturn.admin.partial_import.held_roles import held_roles
from keyturn.admin.user_changes import group_of_path
from keyturn.model.new_documents import new_group
from keyturn.representations import UNSET, given, replace
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.partial_import import ResourceType
from keyturn.store.collections import GROUPS
from keyturn.store.spi import Relation

__all__ = ["Groups"]


@dataclass(frozen=True, slots=True)
class Groups:
    """See `Kind`."""

    realm: RealmAdmin
    type: ResourceType = "GROUP"

    def takes(self, _: GroupRepresentation) -> bool:
        return True

    def name(self, group: GroupRepresentation) -> str:
        return check_group_name(group)

    def find(self, group: GroupRepresentation) -> str | None:
        found = group_of_path(self.realm, given(group.path, ""))
        return None if found is None else str(found.id)

    def taken(self, group: GroupRepresentation) -> str:
        return f"Group '{group.path}' already exists"

    def remove(self, group: GroupRepresentation) -> None:
        found = group_of_path(self.realm, given(group.path, ""))
        if found is not None:
            remove_group(self.realm, found)

    def create(self, group: GroupRepresentation) -> str:
        self._create(group, None)
        found = self.find(group)
        if found is None:  # Keycloak looks there for what it has made, too
            raise InvalidRequest("A group needs the path that it will have")
        return found

    def _create(self, group: GroupRepresentation, parent: GroupRepresentation | None) -> None:
        check_group_name(group)
        attributes = {name: values for name, values in given(group.attributes, {}).items() if values}
        made = new_group(replace(group, attributes=attributes), parent=parent, new_id=self.realm.new_id)
        self.realm.tx.insert(GROUPS, self.realm.id, replace(made, path=UNSET))
        for role in held_roles(self.realm, group.realm_roles, group.client_roles):
            self.realm.tx.link(Relation.GROUP_ROLE, self.realm.id, str(made.id), role)
        for below in given(group.sub_groups, []):
            self._create(below, made)
