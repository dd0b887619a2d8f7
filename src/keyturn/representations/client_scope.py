"""Client scopes."""

from keyturn.representations.base import UNSET, Maybe, Representation
from keyturn.representations.protocol_mapper import ProtocolMapperRepresentation

__all__ = ["ClientScopeRepresentation"]


class ClientScopeRepresentation(Representation):
    """A client scope."""

    id: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    protocol: Maybe[str] = UNSET
    attributes: Maybe[dict[str, str]] = UNSET
    protocol_mappers: Maybe[list[ProtocolMapperRepresentation]] = UNSET
