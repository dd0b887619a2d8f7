"""A claim that is always the same."""

from typing import ClassVar

from keyturn.model.client_scope import ProtocolMapper
from keyturn.oauth2.protocol_mappers import claim
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Target


class HardcodedClaim:
    """``claim.value`` as ``jsonType.label`` says (Keycloak ``HardcodedClaim``)."""

    provider: ClassVar[str] = "oidc-hardcoded-claim-mapper"
    priority: ClassVar[int] = 0

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Where its settings say so."""
        return claim.included(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the claim. An empty value puts none."""
        value = mapper.config.get("claim.value")
        if value:
            path = mapper.config.get(claim.CLAIM_NAME, "")
            claim.put(claims.members, path, claim.convert(value, mapper.config.get(claim.JSON_TYPE)))
