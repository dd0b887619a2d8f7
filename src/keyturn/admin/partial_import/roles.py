"""Roles of a partial import, the realm's and the clients': all come first, then what they contain.

Source: Keycloak ``RolesPartialImport``, ``DefaultExportImportManager.importRoles``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from keyturn.admin.context import RealmAdmin
from keyturn.admin.errors import Conflict, ErrorMessage, InvalidRequest
from keyturn.admin.partial_import.kind import Imported
from keyturn.admin.role_changes import check_role_length
from keyturn.model.new_documents import new_role
from keyturn.representations import UNSET, given, replace
from keyturn.representations.partial_import import PartialImportRepresentation, Policy
from keyturn.representations.role import Composites, RoleRepresentation, RolesRepresentation
from keyturn.store.collections import CLIENTS, REALMS, ROLES
from keyturn.store.spi import Duplicate, Relation

__all__ = ["Roles"]

_Action: TypeAlias = Literal["ADDED", "SKIPPED", "OVERWRITTEN"]
_Role: TypeAlias = tuple[str | None, RoleRepresentation]
"""A role with the ``clientId`` of its client; None for the realm's."""


@dataclass(slots=True)
class Roles:
    """See `Importing`. A role that is replaced counts as overwritten and as added."""

    realm: RealmAdmin
    sent: PartialImportRepresentation
    policy: Policy
    _there: list[_Role] = field(default_factory=list)
    _absent: list[_Role] = field(default_factory=list)

    def look(self) -> None:
        """See `Importing`."""
        roles = given(self.sent.roles, RolesRepresentation())
        for role in given(roles.realm, []):
            self._sort(None, role, f"Realm role '{role.name}' already exists.")
        to_come = {client.client_id for client in given(self.sent.clients, [])}
        for client_id, of_client in given(roles.client, {}).items():
            if client_id not in to_come and self._owner(client_id) is None:
                raise ErrorMessage(412, f"Can not import client roles for nonexistent client named {client_id}")
            for role in of_client:
                self._sort(client_id, role, f"Client role '{role.name}' for client '{client_id}' already exists.")

    def _sort(self, client_id: str | None, role: RoleRepresentation, taken: str) -> None:
        if not given(role.name, "").strip():
            raise InvalidRequest("A role needs a name")
        check_role_length(role)
        if self._find(client_id, str(role.name)) is None:
            self._absent.append((client_id, role))
        elif self.policy == "FAIL":
            raise Conflict(taken)
        else:
            self._there.append((client_id, role))

    def _owner(self, client_id: str | None) -> str | None:
        """The id of what contains the roles: the realm or a client."""
        if client_id is None:
            return self.realm.id
        client = self.realm.tx.find(CLIENTS, self.realm.id, client_id=client_id)
        return None if client is None else str(client.id)

    def _find(self, client_id: str | None, name: str) -> RoleRepresentation | None:
        owner = self._owner(client_id)
        return None if owner is None else self.realm.tx.find(ROLES, self.realm.id, container_id=owner, name=name)

    def store(self) -> Iterator[Imported]:
        """See `Importing`."""
        overwrites = self.policy == "OVERWRITE"
        for client_id, role in self._there if overwrites else ():
            found = self._find(client_id, str(role.name))
            if found is not None:  # it may have gone with its client
                self.realm.tx.delete(ROLES, self.realm.id, str(found.id))
        if not overwrites:
            yield from (self._imported("SKIPPED", *each) for each in self._there)
        coming = [*(self._there if overwrites else ()), *self._absent]
        made = [(self._create(*each), each[1]) for each in coming]
        for role, posted in made:
            self._compose(role, given(posted.composites, Composites()))
            self._follow_default_role(role)
        yield from (self._imported("ADDED", *each) for each in coming)
        if overwrites:
            yield from (self._imported("OVERWRITTEN", *each) for each in self._there)

    def _create(self, client_id: str | None, posted: RoleRepresentation) -> RoleRepresentation:
        owner = None if client_id is None else self._owner(client_id)
        role = new_role(posted, realm_id=self.realm.id, client_id=owner, new_id=self.realm.new_id)
        try:
            self.realm.tx.insert(ROLES, self.realm.id, role)
        except Duplicate:
            raise InvalidRequest(f"Two roles have the name {role.name!r}") from None
        return role

    def _follow_default_role(self, role: RoleRepresentation) -> None:
        """What takes the place of the default role is the default role: the realm's document tells of it, too."""
        default = given(self.realm.realm.default_role, RoleRepresentation())
        if role.client_role is True or role.name != default.name:
            return
        stored = self.realm.tx.get(REALMS, self.realm.id, self.realm.id) or self.realm.realm
        composite = bool(self.realm.tx.targets(Relation.COMPOSITE, self.realm.id, str(role.id)))
        told = replace(role, composite=composite, attributes=UNSET)
        self.realm.tx.update(REALMS, self.realm.id, replace(stored, default_role=told))

    def _compose(self, role: RoleRepresentation, composites: Composites) -> None:
        for name in given(composites.realm, []):
            self._contain(role, self._find(None, name), f"Unable to find composite realm role: {name}")
        for client_id, names in given(composites.client, {}).items():
            if self._owner(client_id) is None:
                raise InvalidRequest(f"App doesn't exist in role definitions: {role.name}")
            for name in names:
                self._contain(role, self._find(client_id, name), f"Unable to find composite client role: {name}")

    def _contain(self, role: RoleRepresentation, part: RoleRepresentation | None, missing: str) -> None:
        if part is None:
            raise InvalidRequest(missing)
        self.realm.tx.link(Relation.COMPOSITE, self.realm.id, str(role.id), str(part.id))

    def _imported(self, action: _Action, client_id: str | None, posted: RoleRepresentation) -> Imported:
        found = self._find(client_id, str(posted.name))
        role_id = "" if found is None else str(found.id)
        shown = replace(posted, id=role_id)
        if client_id is None:
            return Imported(action, "REALM_ROLE", str(posted.name), role_id, shown)
        return Imported(action, "CLIENT_ROLE", f"{client_id}-->{posted.name}", self._owner(client_id) or "", shown)
