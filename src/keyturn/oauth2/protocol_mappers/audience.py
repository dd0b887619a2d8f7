"""For whom the token is, and where browsers may use it from."""

from typing import ClassVar

from keyturn.model.client_scope import ProtocolMapper
from keyturn.oauth2.protocol_mappers import claim
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Target


class Audience:
    """A client or a text as an audience; the client wins (Keycloak ``AudienceProtocolMapper``)."""

    provider: ClassVar[str] = "oidc-audience-mapper"
    priority: ClassVar[int] = 0

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Where its settings say so, but never in userinfo."""
        return target is not Target.USERINFO and claim.included(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Adds the audience. Does NOT look whether there is such a client."""
        settings = mapper.config
        if audience := settings.get("included.client.audience") or settings.get("included.custom.audience"):
            claim.add_audience(claims.members, audience)


class AudienceResolve:
    """Every client of which the token has a role, but for the client itself.

    Source: Keycloak ``AudienceResolveProtocolMapper``.
    """

    provider: ClassVar[str] = "oidc-audience-resolve-mapper"
    priority: ClassVar[int] = 30

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Access tokens and introspection, unless its settings say otherwise."""
        return _about_access(target) and claim.included_unless_off(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Adds the audiences."""
        for client_id, roles in claims.client_roles.items():
            if roles and client_id != context.client.client_id:
                claim.add_audience(claims.members, client_id)


class AllowedOrigins:
    """``allowed-origins``: the client's web origins (Keycloak ``AllowedWebOriginsProtocolMapper``)."""

    provider: ClassVar[str] = "oidc-allowed-origins-mapper"
    priority: ClassVar[int] = 0

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Access tokens and introspection, unless its settings say otherwise."""
        return _about_access(target) and claim.included_unless_off(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the origins, if there are any."""
        if context.client.web_origins:
            claims.members["allowed-origins"] = sorted(context.client.web_origins)


def _about_access(target: Target) -> bool:
    return target in (Target.ACCESS_TOKEN, Target.LIGHTWEIGHT_ACCESS_TOKEN, Target.INTROSPECTION)
