"""The document of a partial import."""

from typing import Literal

from keyturn.representations.base import UNSET, Maybe, Representation
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.identity_provider import (
    IdentityProviderMapperRepresentation,
    IdentityProviderRepresentation,
)
from keyturn.representations.role import RolesRepresentation
from keyturn.representations.user import UserRepresentation

__all__ = ["PartialImportRepresentation"]


class PartialImportRepresentation(Representation):
    """What a partial import adds to a realm."""

    policy: Maybe[Literal["SKIP", "OVERWRITE", "FAIL"]] = UNSET
    if_resource_exists: Maybe[str] = UNSET
    users: Maybe[list[UserRepresentation]] = UNSET
    groups: Maybe[list[GroupRepresentation]] = UNSET
    clients: Maybe[list[ClientRepresentation]] = UNSET
    identity_providers: Maybe[list[IdentityProviderRepresentation]] = UNSET
    identity_provider_mappers: Maybe[list[IdentityProviderMapperRepresentation]] = UNSET
    roles: Maybe[RolesRepresentation] = UNSET
