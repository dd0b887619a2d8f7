"""The documents of a partial import: what is sent, and what became of it."""

from typing import Annotated, Literal

from keyturn.representations.base import UNSET, Maybe, Representation, kept
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.identity_provider import (
    IdentityProviderMapperRepresentation,
    IdentityProviderRepresentation,
)
from keyturn.representations.role import RolesRepresentation
from keyturn.representations.user import UserRepresentation

__all__ = ["PartialImportRepresentation", "PartialImportResult", "PartialImportResults", "Policy", "ResourceType"]

_FEDERATION = kept("identity brokering and user federation")

Policy = Literal["SKIP", "OVERWRITE", "FAIL"]
"""What happens to what is there already."""

ResourceType = Literal["USER", "CLIENT", "IDP", "IDP_MAPPER", "REALM_ROLE", "CLIENT_ROLE", "GROUP"]


class PartialImportRepresentation(Representation):
    """What a partial import adds to a realm. ``ifResourceExists`` and ``policy`` are the same."""

    policy: Maybe[Policy] = UNSET
    if_resource_exists: Maybe[Policy] = UNSET
    users: Maybe[list[UserRepresentation]] = UNSET
    groups: Maybe[list[GroupRepresentation]] = UNSET
    clients: Maybe[list[ClientRepresentation]] = UNSET
    identity_providers: Maybe[list[IdentityProviderRepresentation]] = UNSET
    identity_provider_mappers: Annotated[Maybe[list[IdentityProviderMapperRepresentation]], _FEDERATION] = UNSET
    roles: Maybe[RolesRepresentation] = UNSET


class PartialImportResult(Representation):
    """What became of one document. ``id`` is its own; that of a client's role is the client's."""

    action: Literal["ADDED", "SKIPPED", "OVERWRITTEN"]
    resource_type: ResourceType
    resource_name: str
    id: str


class PartialImportResults(Representation):
    """What became of a partial import. A role that was overwritten counts as added, too."""

    overwritten: int
    added: int
    skipped: int
    results: list[PartialImportResult]
