"""What a protocol mapper is given and what it does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from keyturn.model.client import Client
from keyturn.model.client_scope import ProtocolMapper
from keyturn.model.realm import Realm
from keyturn.model.subject import Subject
from keyturn.oauth2.scope import GrantedScopes


class Target(StrEnum):
    """Where claims go."""

    ACCESS_TOKEN = "access_token"
    LIGHTWEIGHT_ACCESS_TOKEN = "lightweight_access_token"
    ID_TOKEN = "id_token"
    USERINFO = "userinfo"
    INTROSPECTION = "introspection"


@dataclass(frozen=True, slots=True)
class ClaimsContext:
    """Everything that claims follow from; two equal contexts give equal claims, but for times and the token's id."""

    realm: Realm
    client: Client
    subject: Subject
    scopes: GrantedScopes
    notes: Mapping[str, str]
    issuer: str
    roles: frozenset[str]
    """Ids of the roles that the subject holds and the scopes let through."""
    audience: frozenset[str] = frozenset()
    """The clients that an access token is narrowed to; none for all that the mappers give."""


@dataclass(slots=True)
class Claims:
    """The claims as they grow. Role mappers change ``realm_roles`` and ``client_roles`` before these are claims."""

    members: dict[str, Any]
    realm_roles: list[str] = field(default_factory=list)
    client_roles: dict[str, list[str]] = field(default_factory=dict)
    """Names of client roles by the ``client_id`` that owns them."""


class Mapper(Protocol):
    """A kind of protocol mapper: ``provider`` is Keycloak's id of it. Runs in the order of ``priority``, low first."""

    provider: ClassVar[str]
    priority: ClassVar[int]

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Whether this mapper's settings put it into `target`."""
        ...

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Adds to or changes `claims`. A setting that makes no sense adds nothing."""
        ...
