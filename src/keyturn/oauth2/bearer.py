"""Whether an access token of a realm still counts: its signature and times, then what it stands on.

For the endpoints that take tokens: introspection, userinfo, revocation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.jose import jwt
from keyturn.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn.jose.jwt import VerifiedClaims
from keyturn.model.client import Client
from keyturn.model.realm import Realm
from keyturn.model.subject import Subject
from keyturn.model.user_session import UserSession
from keyturn.oauth2.errors import USER_DISABLED
from keyturn.oauth2.spi import CheckToken, Clients, TokenChecked
from keyturn.oauth2.token_context import context_of
from keyturn.oauth2.trace import Trace
from keyturn.representations import given

ACCESS_TOKEN_TYPES: Final = frozenset({"Bearer", "DPoP"})
"""``typ`` in the claims of an access token."""

_ALGORITHMS: Final = frozenset(SIGNATURE_ALGORITHMS)


class TokenRejected(Exception):
    """The token counts for nothing. `description` is public (RFC 6750 §3.1), `log` says more to the operator.

    `event` is what events call it (Keycloak ``Errors``).
    """

    def __init__(
        self, description: str = "Token verification failed", *, log: str = "", event: str = "invalid_token"
    ) -> None:
        super().__init__(description)
        self.description = description
        self.log = log
        self.event = event

    def tell(self, trace: Trace) -> None:
        """Has an event say why the token counts for nothing."""
        trace.error = self.event
        trace.details["reason"] = self.log or self.description


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that counts, and what it stands on. Made by ``live_token`` alone."""

    claims: VerifiedClaims
    client: Client
    subject: Subject
    session: UserSession | None

    @property
    def notes(self) -> Mapping[str, str]:
        """The notes of its session; of a client's own that was not stored, as its address, none are left."""
        return {} if self.session is None else given(self.session.notes, {})


def read_token(
    token: str, realm: Realm, issuer: str, now: float, types: frozenset[str] = ACCESS_TOKEN_TYPES
) -> VerifiedClaims:
    """The claims of a token that this realm has issued, within its times and not before the realm's not-before.

    `types` are the values of the ``typ`` claim that are taken. Does NOT look at client, user and session.

    Raises:
        TokenRejected: it is no such token.
    """
    try:
        claims = jwt.verify(token, realm.keys.verifying, _ALGORITHMS)
        jwt.check_times(claims, now)
    except jwt.InvalidToken as error:
        raise TokenRejected(log=error.reason) from None
    if claims.get("iss") != issuer:
        raise TokenRejected(log="another issuer")
    if claims.get("typ") not in types:
        raise TokenRejected(log="another type of token")
    if not all(isinstance(claims.get(name, ""), str) for name in ("jti", "azp", "sub", "sid", "scope")):
        raise TokenRejected(log="a claim of a wrong type")
    if not isinstance(claims.get("iat"), int) or claims["iat"] < realm.not_before:
        raise TokenRejected(log="issued before the realm's not-before")
    return claims


def question(claims: VerifiedClaims) -> CheckToken:
    """What must be found out of a token whose signature holds."""
    token_id, session_id = claims.get("jti", ""), claims.get("sid")
    context = context_of(token_id)
    of_somebody_else = session_id is None and context is not None and context.exchanged
    return CheckToken(token_id, session_id, claims.get("sub", "") if of_somebody_else else None)


def live_token(claims: VerifiedClaims, clients: Clients, facts: TokenChecked) -> LiveToken:
    """The token with its client, user and session as they are now.

    Raises:
        TokenRejected: it is revoked, or what it stands on is gone, disabled, or newer than the token.
        Miss: its client is not in memory.

    Source: Keycloak ``TokenIntrospection``, ``UserSessionUtil.findValidSessionForAccessToken``.
    """
    if facts.revoked:
        raise TokenRejected(log="revoked")
    client = clients.by_client_id(claims.get("azp", ""))
    if client is None:
        raise TokenRejected(log="its client is gone", event="client_not_found")
    if not client.enabled:
        raise TokenRejected("Client disabled", event="client_disabled")
    if claims["iat"] < client.not_before:
        raise TokenRejected(log="issued before the client's not-before")
    subject = _subject(claims, client, facts)
    if claims["iat"] < subject.not_before:
        raise TokenRejected(log="issued before the user's not-before")
    return LiveToken(claims, client, subject, facts.session)


def _subject(claims: VerifiedClaims, client: Client, facts: TokenChecked) -> Subject:
    context = context_of(claims.get("jti", ""))
    if "sid" not in claims:
        # Nothing is stored of a client's own session: it lives as long as the token and the service account. What was
        # exchanged for its token speaks of that account still, by a ``sub`` that no mapper has set.
        account = facts.subject if context is not None and context.exchanged else client.service_account
        if account is None or not client.calls(account.id, claims.get("sub", account.id)):
            raise TokenRejected("user_not_found", event="user_not_found")
        if not account.enabled:
            raise TokenRejected("user_disabled", event=USER_DISABLED)
        return account
    if facts.session is None or facts.subject is None:
        raise TokenRejected("user_session_not_found", event="user_session_not_found")
    if (context is None or context.needs_client_session) and client.id not in facts.session.clients:
        raise TokenRejected("user_session_not_found", event="user_session_not_found")
    if not client.calls(facts.subject.id, claims.get("sub", facts.subject.id)):
        raise TokenRejected("user_not_found", log="of another user than its session")
    if not facts.subject.enabled:
        raise TokenRejected("User disabled", event=USER_DISABLED)
    return facts.subject
