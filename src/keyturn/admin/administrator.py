"""Who calls: the user and the client of a token that counts, with the roles held now."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from keyturn.representations.client import ClientRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import GROUPS, ROLES
from keyturn.store.spi import Reader, Relation

__all__ = ["Administrator"]


def _direct_roles(reader: Reader, realm_id: str, user_id: str) -> frozenset[str]:
    """Roles mapped to the user and to the user's groups and the groups above them."""
    roles = set(reader.targets(Relation.USER_ROLE, realm_id, user_id))
    waiting: list[str] = reader.targets(Relation.MEMBERSHIP, realm_id, user_id)
    seen: set[str] = set()
    while waiting:
        group_id = waiting.pop()
        if group_id not in seen:
            seen.add(group_id)
            roles.update(reader.targets(Relation.GROUP_ROLE, realm_id, group_id))
            group = reader.get(GROUPS, realm_id, group_id)
            if group is not None and isinstance(group.parent_id, str):
                waiting.append(group.parent_id)
    return frozenset(roles)


@dataclass(slots=True)
class Administrator:
    """The holder of a verified token. Made by ``authentication.admit`` only, for one view of the store.

    Roles are looked up from a role upwards: what contains it is little, while ``admin`` of master contains the roles of
    every realm.
    """

    realm: RealmRepresentation
    """The realm of the token."""
    user: UserRepresentation
    client: ClientRepresentation
    """The client that the token was issued to (``azp``)."""
    session_id: str | None
    web_origins: frozenset[str]
    """The token's ``allowed-origins``."""
    _above: dict[str, frozenset[str]] = field(default_factory=dict)
    _containers: dict[str, list[str]] = field(default_factory=dict)
    _direct: frozenset[str] | None = None
    _in_scope: frozenset[str] | None = None

    @property
    def realm_id(self) -> str:
        """The id of the token's realm."""
        return str(self.realm.id)

    def has(self, reader: Reader, role_id: str) -> bool:
        """Whether the user holds the role and the client has it in its scope."""
        return self.holds(reader, role_id) and self._scoped(reader, role_id)

    def holds(self, reader: Reader, role_id: str) -> bool:
        """Whether the user holds the role, directly, by a group or by a composite."""
        if self._direct is None:
            self._direct = _direct_roles(reader, self.realm_id, str(self.user.id))
        return self._within(reader, role_id, self._direct)

    def _scoped(self, reader: Reader, role_id: str) -> bool:
        if self.client.full_scope_allowed is True:
            return True
        if self._in_scope is None:
            client_id = str(self.client.id)
            mapped = reader.targets(Relation.CLIENT_ROLE_SCOPE, self.realm_id, client_id)
            own = reader.select(ROLES, self.realm_id, where={"container_id": client_id})
            self._in_scope = frozenset(mapped) | {str(role.id) for role in own}
        return self._within(reader, role_id, self._in_scope)

    def _within(self, reader: Reader, role_id: str, roles: Iterable[str]) -> bool:
        above = self._above.get(role_id)
        if above is None:
            above = self._above[role_id] = self._roles_containing(reader, role_id)
        return not above.isdisjoint(roles)

    def _roles_containing(self, reader: Reader, role_id: str) -> frozenset[str]:
        """`role_id` and every role that contains it, at any depth. What contains ``admin`` is asked for each realm."""
        found: set[str] = set()
        waiting = [role_id]
        while waiting:
            inner = waiting.pop()
            if inner not in found:
                found.add(inner)
                if inner not in self._containers:
                    self._containers[inner] = reader.sources(Relation.COMPOSITE, self.realm_id, inner)
                waiting.extend(self._containers[inner])
        return frozenset(found)
