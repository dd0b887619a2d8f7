"""The userinfo endpoint (OpenID Connect Core §5.3): what the holder of an access token may know of the user."""

import re
from typing import Any, Final

from keyturn.jose import jwt
from keyturn.jose.jwt import VerifiedClaims
from keyturn.model.client_policy import PolicyEvent
from keyturn.model.realm import Realm
from keyturn.oauth2 import bound_tokens, cors, dpop
from keyturn.oauth2 import form as forms
from keyturn.oauth2.access_token import NoKey, key_for
from keyturn.oauth2.bearer import LiveToken, TokenRejected, live_token, question, read_token
from keyturn.oauth2.claims import roles_in_scope
from keyturn.oauth2.errors import ClientPolicyViolation
from keyturn.oauth2.governed import govern
from keyturn.oauth2.http_message import JSON, NO_STORE, Headers, Request, Response
from keyturn.oauth2.protocol_mappers import Claims, ClaimsContext, Target, apply_mappers
from keyturn.oauth2.protocol_mappers.claim import audiences
from keyturn.oauth2.scope import restore_scopes
from keyturn.oauth2.spi import Answer, Clients, Facts, Pending, TokenChecked
from keyturn.oauth2.token_context import context_of
from keyturn.oauth2.trace import Trace
from keyturn.representations import encode

_CREDENTIALS: Final = re.compile(r"(?:bearer +|(?P<dpop>dpop) )(?P<token>\S+)", re.IGNORECASE)
_HEADERS: Final[Headers] = ((b"cache-control", b"no-store, no-cache"), (b"pragma", b"no-cache"))
_JWT: Final = (b"content-type", b"application/jwt")
_EXPOSED: Final = cors.EXPOSED + b", WWW-Authenticate"
_NOT_ABOUT_THE_USER: Final = frozenset({"acr", "auth_time", "azp", "sid", "cnf", "allowed-origins"})
"""Claims of access tokens that are no claims of userinfo, whatever a mapper says."""


class _Challenge(Exception):
    """A refusal (RFC 6750 §3). `event` is what events call it."""

    def __init__(
        self, status: int, error: str | None = None, description: str = "", *, event: str = "invalid_token"
    ) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.event = event


def userinfo(http: Request, realm: Realm, clients: Clients, now: int, facts: Facts | None) -> Answer | Pending:
    """The claims as the mappers give them now, as JSON or, where the client wants it, as a signed JWT.

    Raises:
        cors.InvalidOrigin: a page of this origin may not use the client.
        Misconfigured: the client wants an algorithm that nobody knows.
        Miss: the token's client is not in memory.
        Asked: the proof that the token is shown with cannot be judged yet.

    Source: Keycloak ``UserInfoEndpoint``.
    """
    issuer = f"{http.base_url}{realm.path}"
    trace = Trace(details={"auth_method": "validate_access_token"})
    try:
        claims = read_token(_token(http), realm, issuer, now)
        trace.client_id, trace.user_id, trace.session_id = claims.get("azp"), claims.get("sub"), claims.get("sid")
        if not realm.enabled:
            raise TokenRejected(log="its realm is disabled")  # Keycloak answers all the same
        _check_possession(http, realm, clients, claims, now)
        if not isinstance(facts, TokenChecked):
            return Pending(question(claims))
        live = live_token(claims, clients, facts)
        _sufficient(live)
        govern(
            PolicyEvent.USERINFO_REQUEST,
            realm,
            live.client,
            _no_parameter,
            issuer,
            claims.get("scope"),
            proof=http.dpop is not None,
            certificate=bound_tokens.names_certificate(claims.get("cnf")),
        )
    except TokenRejected as rejected:
        rejected.tell(trace)
        return _refused(http, realm, trace, _Challenge(401, "invalid_token", rejected.description))
    except ClientPolicyViolation as violation:
        trace.error = violation.error
        trace.details |= violation.trace.details
        refused = _Challenge(violation.http_status, violation.error, violation.description)
        return _refused(http, realm, trace, refused)
    except _Challenge as challenge:
        trace.error = challenge.event
        trace.details["reason"] = challenge.description or "Missing token"
        return _refused(http, realm, trace, challenge)
    cors.check(http, live.client, NO_STORE)
    members = _members(live, realm, issuer)
    algorithm = live.client.attributes.get("user.info.response.signature.alg")
    if not algorithm:
        response = Response(200, (*_HEADERS, *cors.headers(http), JSON), encode(members))
    else:
        try:
            key = key_for(realm, algorithm)
        except NoKey as error:
            return error.pending
        signed = members | {"iss": issuer, "aud": live.client.client_id}
        token = jwt.encode({"alg": key.algorithm, "typ": "JWT", "kid": key.kid}, encode(signed), key)
        response = Response(200, (*_HEADERS, *cors.headers(http), _JWT), token)
    trace.user_id = live.subject.id
    trace.details |= {"username": live.subject.username, "signature_required": "true" if algorithm else "false"}
    return Answer(response, trace=trace)


def _no_parameter(name: str) -> None:
    """No executor looks at the form here."""


def _token(http: Request) -> str:
    """The access token, from the header or the form (RFC 6750 §2.1, §2.2), never from the query."""
    form = forms.parse(http.content_type, http.body) if http.method == "POST" else forms.Form()
    in_header = _credentials(http)
    in_form = form.get("access_token")
    if form.repeated:
        raise _Challenge(400, "invalid_request", "Duplicate parameter", event="invalid_request")
    if in_header is not None and in_form is not None:
        text = "More than one method used for including an access token"
        raise _Challenge(400, "invalid_request", text, event="invalid_request")
    if in_header is not None:
        return in_header["token"]
    if in_form is None:
        raise _Challenge(401)
    return in_form


def _credentials(http: Request) -> re.Match[str] | None:
    return _CREDENTIALS.fullmatch((http.authorization or "").strip())


def _check_possession(http: Request, realm: Realm, clients: Clients, claims: VerifiedClaims, now: int) -> None:
    """That the key or certificate was shown that the token is bound to. Raises TokenRejected, Asked."""
    confirmation = claims.get("cnf")
    if bound_tokens.names_certificate(confirmation):
        if not bound_tokens.is_shown(confirmation, http.certificate):
            raise TokenRejected(bound_tokens.NO_MATCH)
        return
    credentials = _credentials(http)
    token = credentials["token"] if credentials is not None and credentials["dpop"] else None
    once = dpop.possession(http.dpop, http.method, http.url, realm.id, claims, token, now)
    if once is not None and not dpop.is_first(once, clients):
        raise TokenRejected(log="its proof was shown before")


def _sufficient(live: LiveToken) -> None:
    if "openid" not in live.claims.get("scope", "").split(" "):
        raise _Challenge(403, "insufficient_scope", "Missing openid scope", event="access_denied")
    context = context_of(live.claims.get("jti", ""))
    if context is not None and context.lightweight:
        raise TokenRejected("Lightweight access token not allowed for userinfo endpoint")


def _members(live: LiveToken, realm: Realm, issuer: str) -> dict[str, Any]:
    scopes = restore_scopes(live.client, live.claims.get("scope", "")).permitted(live.subject)
    roles = roles_in_scope(live.client, scopes, live.subject)
    context = ClaimsContext(realm, live.client, live.subject, scopes, live.notes, issuer, roles)
    claims = Claims({"sub": live.subject.id})
    apply_mappers(claims, context, Target.USERINFO)
    members = {name: value for name, value in claims.members.items() if name not in _NOT_ABOUT_THE_USER}
    return members if "aud" not in members else members | {"aud": list(audiences(members))}


def _refused(http: Request, realm: Realm, trace: Trace, challenge: _Challenge) -> Answer:
    credentials = _credentials(http)
    parts = ["Bearer "] if credentials is None or not credentials["dpop"] else [f"{dpop.CHALLENGE}, "]
    parts[0] += f'realm="{_quoted(realm.name)}"'
    if challenge.error is not None:
        parts += [f'error="{challenge.error}"', f'error_description="{challenge.description}"']
    headers = (
        (b"www-authenticate", ", ".join(parts).encode()),
        *NO_STORE,
        *cors.headers(http, exposed=_EXPOSED),
        (b"content-type", b"text/plain;charset=utf-8"),
    )
    return Answer(Response(challenge.status, headers), trace=trace)


def _quoted(text: str) -> str:
    """`text` within a quoted-string (RFC 9110 §5.6.4)."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
