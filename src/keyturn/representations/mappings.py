"""Role and scope mappings."""

from keyturn.representations.base import UNSET, Maybe, Representation
from keyturn.representations.role import RoleRepresentation

__all__ = ["ClientMappingsRepresentation", "MappingsRepresentation", "ScopeMappingRepresentation"]


class ClientMappingsRepresentation(Representation):
    """The mapped roles of one client."""

    id: Maybe[str] = UNSET
    client: Maybe[str] = UNSET
    mappings: Maybe[list[RoleRepresentation]] = UNSET


class MappingsRepresentation(Representation):
    """Mapped roles; those of clients by ``clientId``."""

    realm_mappings: Maybe[list[RoleRepresentation]] = UNSET
    client_mappings: Maybe[dict[str, ClientMappingsRepresentation]] = UNSET


class ScopeMappingRepresentation(Representation):
    """A scope mapping in a realm's import or export."""

    self: Maybe[str] = UNSET
    client: Maybe[str] = UNSET
    client_template: Maybe[str] = UNSET
    client_scope: Maybe[str] = UNSET
    roles: Maybe[list[str]] = UNSET
