"""Groups."""

from keyturn.representations.base import UNSET, Long, Maybe, Representation

__all__ = ["GroupRepresentation"]


class GroupRepresentation(Representation):
    """A group."""

    id: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    path: Maybe[str] = UNSET
    parent_id: Maybe[str] = UNSET
    sub_group_count: Maybe[Long] = UNSET
    sub_groups: Maybe[list["GroupRepresentation"]] = UNSET
    attributes: Maybe[dict[str, list[str]]] = UNSET
    realm_roles: Maybe[list[str]] = UNSET
    client_roles: Maybe[dict[str, list[str]]] = UNSET
    access: Maybe[dict[str, bool]] = UNSET
