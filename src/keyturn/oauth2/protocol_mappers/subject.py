"""``sub``: who the token speaks of."""

from typing import ClassVar

from keyturn.model.client_scope import ProtocolMapper
from keyturn.oauth2.protocol_mappers import claim
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Target


class SubjectId:
    """``sub``, the user's id (Keycloak ``SubMapper``). First of all, so that others can replace it."""

    provider: ClassVar[str] = "oidc-sub-mapper"
    priority: ClassVar[int] = -10

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Access tokens and introspection, where its settings say so; ID tokens and userinfo have a ``sub`` anyway."""
        return target not in (Target.ID_TOKEN, Target.USERINFO) and claim.included(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the id."""
        claims.members["sub"] = context.subject.id
