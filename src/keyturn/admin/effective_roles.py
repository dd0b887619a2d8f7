"""Roles that follow from others: through composites, and through groups and the groups above them."""

from collections.abc import Iterable

from keyturn.store.collections import GROUPS
from keyturn.store.spi import Reader, Relation

__all__ = ["closure", "groups_above", "roles_of_group", "roles_of_user"]


def closure(reader: Reader, realm_id: str, role_ids: Iterable[str]) -> frozenset[str]:
    """`role_ids` and every role that they contain, at any depth."""
    found: set[str] = set()
    waiting = set(role_ids)
    while waiting:
        found |= waiting
        contained = reader.targets_of(Relation.COMPOSITE, realm_id, waiting)
        waiting = {role_id for roles in contained.values() for role_id in roles} - found
    return frozenset(found)


def groups_above(reader: Reader, realm_id: str, group_id: str) -> list[str]:
    """The group and the groups above it, from the inside out."""
    chain: list[str] = []
    current: str | None = group_id
    while current is not None and current not in chain:
        chain.append(current)
        group = reader.get(GROUPS, realm_id, current)
        current = group.parent_id if group is not None and isinstance(group.parent_id, str) else None
    return chain


def roles_of_group(reader: Reader, realm_id: str, group_id: str, *, inherited: bool = True) -> frozenset[str]:
    """Ids of the roles that members of the group hold; `inherited` counts the groups above it."""
    chain = groups_above(reader, realm_id, group_id) if inherited else [group_id]
    direct = [role for each in chain for role in reader.targets(Relation.GROUP_ROLE, realm_id, each)]
    return closure(reader, realm_id, direct)


def roles_of_user(reader: Reader, realm_id: str, user_id: str) -> frozenset[str]:
    """Ids of the roles that the user holds."""
    direct = set(reader.targets(Relation.USER_ROLE, realm_id, user_id))
    groups: set[str] = set()
    waiting = set(reader.targets(Relation.MEMBERSHIP, realm_id, user_id))
    while waiting:
        groups |= waiting
        parents = reader.keys_of(GROUPS, realm_id, ("parent_id",), waiting)
        waiting = {parent for (parent,) in parents if parent is not None} - groups
    direct.update(role for roles in reader.targets_of(Relation.GROUP_ROLE, realm_id, groups).values() for role in roles)
    return closure(reader, realm_id, direct)
