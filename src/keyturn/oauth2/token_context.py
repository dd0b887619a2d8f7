"""What the id of an access token says: in what kind of session it was issued, and by which grant.

No mapper can set ``jti``, so that what it says can be relied on. Source: Keycloak ``TokenContextEncoderProvider``.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

TOKEN_EXCHANGE: Final = "te"
"""The two letters of token exchange (Keycloak ``OAuth2GrantType.getShortcut``)."""

_PREFIX: Final = re.compile(r"(on|of|tr|nt|ft)(rt|lt)([a-z]{2}):")


class SessionKind(StrEnum):
    """The session that a token belongs to."""

    ONLINE = "on"
    OFFLINE = "of"
    TRANSIENT = "tr"
    """Nothing is stored: the session lives as long as the token."""
    ONLINE_TRANSIENT_CLIENT = "nt"
    """Somebody's login, of which the client holds no part of its own."""
    OFFLINE_TRANSIENT_CLIENT = "ft"


@dataclass(frozen=True, slots=True)
class TokenContext:
    """The beginning of a token's ``jti``."""

    session: SessionKind
    lightweight: bool
    grant: str

    def prefix(self) -> str:
        """As it is written."""
        return f"{self.session}{'lt' if self.lightweight else 'rt'}{self.grant}:"

    @property
    def exchanged(self) -> bool:
        """Whether the token was got for another one."""
        return self.grant == TOKEN_EXCHANGE

    @property
    def needs_client_session(self) -> bool:
        """Whether the token counts only while its client is in the session."""
        return self.session in (SessionKind.ONLINE, SessionKind.OFFLINE)


def context_of(token_id: str) -> TokenContext | None:
    """What the ``jti`` of an access token says; None where it is none of ours."""
    found = _PREFIX.match(token_id)
    return None if found is None else TokenContext(SessionKind(found[1]), found[2] == "lt", found[3])
