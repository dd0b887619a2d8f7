"""The end-session endpoint, as tools use it: a refresh token is shown, and its session ends.

A person's browser has no session here, so that it is told what is true: it is logged out.
"""

from typing import Final

from keyturn.jose import jwt
from keyturn.model.client import Client
from keyturn.model.client_policy import PolicyEvent
from keyturn.model.realm import Realm
from keyturn.oauth2 import bound_tokens, cors
from keyturn.oauth2 import form as forms
from keyturn.oauth2.client_authentication import authenticate, tell_of, telling_of, usable
from keyturn.oauth2.errors import InvalidGrant
from keyturn.oauth2.governed import govern
from keyturn.oauth2.http_message import Headers, Request, Response
from keyturn.oauth2.refresh import RefreshClaims, read_refresh_token
from keyturn.oauth2.spi import Answer, Clients, EndSession, Facts, FindSession, Pending, SessionFound
from keyturn.oauth2.trace import Trace

_HEADERS: Final[Headers] = ((b"cache-control", b"no-cache"),)
_PAGE: Final = Response(
    200,
    (
        *_HEADERS,
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"content-type", b"text/html;charset=utf-8"),
    ),
    b'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Logged out</title></head>'
    b"<body><p>You are logged out</p></body></html>\n",
)


def logout(http: Request, realm: Realm, clients: Clients, now: int, facts: Facts | None) -> Answer | Pending:
    """Ends the session of the refresh token in the form; without one, says that there is no session to end.

    A session that has ended already ends again without complaint, and an expired refresh token ends one as well.

    Raises:
        OAuth2Error: the client did not authenticate, or the refresh token is broken or another client's.
        cors.InvalidOrigin: a page of this origin may not use the client.
        Miss: the client is not in memory.

    Source: Keycloak ``LogoutEndpoint.logoutToken``.
    """
    form = forms.parse(http.content_type, http.body) if http.method == "POST" else forms.Form()
    token = form.get("refresh_token")
    if token is None:
        return Answer(_PAGE)
    known = authenticate(http, form, clients, realm, now)
    client = known.client
    with telling_of(known):
        usable(client)
        cors.check(http, client)
        issuer = f"{http.base_url}{realm.path}"
        shown = http.certificate is not None
        govern(PolicyEvent.LOGOUT_REQUEST, realm, client, form.get, issuer, certificate=shown)
        refresh = _refresh_token(token, realm, client, issuer)
        bound_tokens.check_confirmation(refresh.confirmation, http, None)  # Keycloak looks for no proof here
    if not isinstance(facts, SessionFound):
        return Pending(FindSession(refresh.sid))
    trace = None
    if facts.session is not None:
        trace = Trace(user_id=facts.session.user_id, session_id=refresh.sid)
        tell_of(known, trace)
    return Answer(Response(204, _HEADERS), (EndSession(refresh.sid),), trace)


def _refresh_token(token: str, realm: Realm, client: Client, issuer: str) -> RefreshClaims:
    try:
        refresh = read_refresh_token(token, realm, issuer)
    except jwt.InvalidToken as error:
        raise InvalidGrant("Invalid refresh token", log=error.reason) from None
    if refresh.client_id != client.client_id:
        raise InvalidGrant("Invalid refresh token. Token client and authorized client don't match")
    return refresh
