"""Roles of realms and clients."""

from keyturn.representations.base import UNSET, Maybe, Representation

__all__ = ["Composites", "RoleRepresentation", "RolesRepresentation"]


class Composites(Representation):
    """The roles that a role contains: realm roles by name, and client roles by the client's ``clientId``."""

    realm: Maybe[list[str]] = UNSET
    client: Maybe[dict[str, list[str]]] = UNSET
    application: Maybe[dict[str, list[str]]] = UNSET


class RoleRepresentation(Representation):
    """A realm or client role."""

    id: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    scope_param_required: Maybe[bool] = UNSET
    composite: Maybe[bool] = UNSET
    composites: Maybe[Composites] = UNSET
    client_role: Maybe[bool] = UNSET
    container_id: Maybe[str] = UNSET
    attributes: Maybe[dict[str, list[str]]] = UNSET


class RolesRepresentation(Representation):
    """The roles of a realm's import or export."""

    realm: Maybe[list[RoleRepresentation]] = UNSET
    client: Maybe[dict[str, list[RoleRepresentation]]] = UNSET
    application: Maybe[dict[str, list[RoleRepresentation]]] = UNSET
