"""Client scopes and protocol mappers as the token path sees them."""

from collections.abc import Mapping
from dataclasses import dataclass

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"


@dataclass(frozen=True, slots=True)
class ProtocolMapper:
    """A protocol mapper: ``provider`` is Keycloak's ``protocolMapper``, ``config`` its settings."""

    id: str
    name: str
    provider: str
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class ClientScope:
    """A scope: its mappers, and the roles that it lets into tokens (closed over composites).

    A client is a scope of its own as well (Keycloak ``ClientModel`` is a ``ClientScopeModel``).
    """

    id: str
    name: str
    include_in_token_scope: bool
    token_scope_name: str
    """What stands in the ``scope`` claim: the attribute ``include.in.token.scope``'s name, else the scope's."""
    mappers: tuple[ProtocolMapper, ...]
    roles: frozenset[str]
    """Ids of the roles in its scope mappings, closed over composites."""
    order: int = 0
