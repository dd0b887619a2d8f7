"""``sub``: who the token speaks of."""

from typing import ClassVar

from keyturn.model.client_scope import ProtocolMapper
from keyturn.model.pairwise import PROVIDER
from keyturn.oauth2.errors import Misconfigured
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


class PairwiseSubject:
    """``sub`` as the client's sector knows the user, wherever there is one (Keycloak ``SHA256PairwiseSubMapper``)."""

    provider: ClassVar[str] = PROVIDER
    priority: ClassVar[int] = 0

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Always: a token that named the user as others do would give them away."""
        return True

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts it, where the mapper is the client's own.

        Raises:
            Misconfigured: the client is of no sector, or of several.
        """
        pairwise = context.client.pairwise
        if pairwise is None:
            return
        subject = pairwise.subject(context.subject.id)
        if subject is None:
            raise Misconfigured(log=f"client {context.client.client_id} has redirect URIs of no host, or of several")
        claims.members["sub"] = subject
