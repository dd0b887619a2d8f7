"""From what a request was decided on to the event of it."""

from collections.abc import Mapping
from typing import Final

from keyturn.events.event import NO_DETAILS, Event
from keyturn.model.client import Client
from keyturn.model.realm import Realm
from keyturn.oauth2.access_token import signing_algorithm
from keyturn.oauth2.http_message import Request
from keyturn.oauth2.token_endpoint import Decision
from keyturn.oauth2.trace import Trace

_TYPES: Final = {
    "client_credentials": "CLIENT_LOGIN",
    "password": "LOGIN",
    "refresh_token": "REFRESH_TOKEN",
    "urn:ietf:params:oauth:grant-type:token-exchange": "TOKEN_EXCHANGE",
    "authorization_code": "CODE_TO_TOKEN",
    "urn:ietf:params:oauth:grant-type:device_code": "OAUTH2_DEVICE_CODE_TO_TOKEN",
    "urn:openid:params:grant-type:ciba": "AUTHREQID_TO_TOKEN",
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "JWT_AUTHORIZATION_GRANT",
    "urn:ietf:params:oauth:grant-type:uma-ticket": "PERMISSION_TOKEN",
}
"""By grant (Keycloak ``OAuth2GrantType.getEventType``)."""

GRANTS: Final = {kind: grant.rpartition(":")[2] for grant, kind in _TYPES.items()}
"""Grants, without what makes them URNs, by the event's type."""


def issued(decision: Decision, request: Request, now: float) -> Event:
    """The event of a token that was issued at `now`. What it costs is little, unless it is kept."""
    authorization, session = decision.authorization, decision.authorization.session
    return _issued(
        _TYPES[decision.grant_type],
        decision.realm,
        decision.client,
        request.address,
        authorization.subject.id,
        None if session is None else session.sid,
        details(decision) if is_kept(decision) else None,
        decision.credential,
        now,
    )


def issued_again(
    realm: Realm,
    client: Client,
    address: str,
    details: Mapping[str, str] | None,
    token_id: str,
    now: float,
    credential: str,
) -> Event:
    """The event of another token that a client got for itself; `details` are the first's, None if it is not kept."""
    account = client.service_account
    user_id = None if account is None else account.id
    told = None if details is None else {**details, "token_id": token_id}
    return _issued(_TYPES["client_credentials"], realm, client, address, user_id, None, told, credential, now)


def _issued(
    kind: str,
    realm: Realm,
    client: Client,
    address: str,
    user_id: str | None,
    session_id: str | None,
    details: Mapping[str, str] | None,
    credential: str,
    now: float,
) -> Event:
    return Event(
        kind,
        realm.name,
        realm.id,
        now,
        address,
        client.client_id,
        user_id,
        session_id,
        None,
        NO_DETAILS if details is None else details,
        details is not None,
        client.id,
        credential,
        algorithm=signing_algorithm(realm, client),
    )


def is_kept(decision: Decision) -> bool:
    """Whether the realm wants the event stored. Of one that is not, only what it counts is looked at."""
    return _TYPES[decision.grant_type] in decision.realm.kept_events


def details(decision: Decision) -> dict[str, str]:
    """What the event of a token tells of it."""
    authorization, refresh = decision.authorization, decision.authorization.refresh
    told = {
        "grant_type": decision.grant_type,
        "client_auth_method": decision.client.authenticator,
        "token_id": decision.token_id,
        "scope": authorization.told_scope(),
    }
    if decision.grant_type == "refresh_token":
        told["access_token_expiration_time"] = str(authorization.lifespan)
        if refresh is not None:
            told["updated_refresh_token_id"] = refresh.jti
    else:
        told["username"] = authorization.subject.username
        if refresh is not None:
            told["refresh_token_id"] = refresh.jti
            told["refresh_token_type"] = "Offline" if refresh.offline else "Refresh"
    return {**told, **(decision.proof or {}), **(authorization.told or {})}


def refused(realm: Realm, request: Request, trace: Trace, now: float, log: str) -> Event:
    """The event of a token request that was refused, of its grant's type."""
    return told(_TYPES[trace.details.get("grant_type", "client_credentials")], realm, request, trace, now, log)


def told(kind: str, realm: Realm, request: Request, trace: Trace, now: float, log: str = "") -> Event:
    """The event of a request, of Keycloak's type `kind`; an error's where `trace` tells of one."""
    kind = kind if trace.error is None else f"{kind}_ERROR"
    proved, credential = trace.proved or (None, "")
    return Event(
        type=kind,
        realm=realm.name,
        realm_id=realm.id,
        time=now,
        address=request.address,
        client_id=trace.client_id,
        user_id=trace.user_id,
        session_id=trace.session_id,
        error=trace.error,
        details={name: value for name, value in trace.details.items() if value},
        kept=trace.kept and kind in realm.kept_events,
        credential=credential,
        proved=proved,
        log=log,
    )
