"""What is known of the session: notes, its id, how it was authenticated."""

from typing import ClassVar, Final

from keyturn.model.client_scope import ProtocolMapper
from keyturn.oauth2.protocol_mappers import claim
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Target

_NO_LEVEL: Final = "1"
"""Without levels of authentication that were stepped up to in a browser, the level is always this one."""


class SessionNote:
    """A note of the session, as ``clientAddress`` (Keycloak ``UserSessionNoteMapper``)."""

    provider: ClassVar[str] = "oidc-usersessionmodel-note-mapper"
    priority: ClassVar[int] = 0

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Where its settings say so."""
        return claim.included(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the note, if there is one."""
        note = context.notes.get(mapper.config.get("user.session.note", ""))
        if note is not None:
            claim.put_values(claims.members, mapper.config, (note,))


class AuthenticationContext:
    """``acr``, the level of authentication (Keycloak ``AcrProtocolMapper``)."""

    provider: ClassVar[str] = "oidc-acr-mapper"
    priority: ClassVar[int] = 0

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Where its settings say so, but never in userinfo."""
        return target is not Target.USERINFO and claim.included(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the level."""
        claims.members["acr"] = _NO_LEVEL


class AuthenticationMethods:
    """``amr``, the methods of authentication (RFC 8176): no authenticator of a browser flow was used, so none.

    Source: Keycloak ``AmrProtocolMapper``.
    """

    provider: ClassVar[str] = "oidc-amr-mapper"
    priority: ClassVar[int] = 0

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Tokens alone, where its settings say so."""
        return target not in (Target.USERINFO, Target.INTROSPECTION) and claim.included(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the empty list."""
        claims.members["amr"] = []


class SessionState:
    """``session_state``, the older name of ``sid`` (Keycloak ``SessionStateMapper``).

    Nothing where there is no session: Keycloak shows a random text there.
    """

    provider: ClassVar[str] = "oidc-session-state-mapper"
    priority: ClassVar[int] = 0

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Where its settings say so."""
        return claim.included(mapper.config, target)

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Repeats ``sid``."""
        if "sid" in claims.members:
            claims.members["session_state"] = claims.members["sid"]
