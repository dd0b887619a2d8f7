"""What is demanded of every client assertion, whatever it is signed with (RFC 7523 §3).

Source: Keycloak ``AbstractJWTClientValidator``, ``AbstractBaseJWTValidator``, ``JWTClientValidator``: order and texts.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from keyturn.jose import base64url
from keyturn.model.client import Client
from keyturn.oauth2.client_authentication.assertion import ASSERTION_TYPE, Assertion
from keyturn.oauth2.client_authentication.presented import NOT_PROVED
from keyturn.oauth2.client_authentication.spi import Credentials, not_proved
from keyturn.oauth2.errors import InvalidClient, OAuth2Error
from keyturn.oauth2.inquiries import UseOnce
from keyturn.oauth2.spi import Clients

CLOCK_SKEW: Final = 15
"""Seconds by which a client's clock may be ahead."""

_MAXIMUM_AGE: Final = "token.endpoint.auth.signing.max.exp"
_DEFAULT_MAXIMUM_AGE: Final = 60
_ENDPOINTS: Final = ("token", "token/introspect", "ext/par/request", "ext/ciba/auth")

Broken: TypeAlias = Callable[[str, str, Mapping[str, str]], OAuth2Error]
"""Makes a method's own error of what follows its sentence, what the log is told, and what events are told."""


def refused(text: str, told: Mapping[str, str], *, log: str = "", event: str = NOT_PROVED) -> InvalidClient:
    """An error of a known client, that tells it what is wrong."""
    return InvalidClient(text, log=log, status=400, event=event, told=dict(told))


def speaker(credentials: Credentials) -> str | None:
    """The ``client_id`` that a client's own assertion names; None where it names none, or contradicts the form."""
    assertion = credentials.assertion
    if (
        assertion is None
        or not assertion.self_issued
        or credentials.form.get("client_assertion_type") != ASSERTION_TYPE
    ):
        return None
    client_id = assertion.subject
    if client_id is None or credentials.form.get("client_id", client_id) != client_id:
        return None
    return client_id


def check_parameters(credentials: Credentials, clients: Clients, broken: Broken) -> Assertion:
    """The assertion of the form, once it is one that a client speaks for itself with. Raises OAuth2Error, Miss."""
    assertion = credentials.assertion
    if assertion is not None and assertion.token is None:
        raise broken("", assertion.problem or "", {})
    told = {} if assertion is None else assertion.told
    if assertion is not None and not assertion.self_issued:
        raise not_proved(told, log="the issuer of the assertion is not its subject")
    given_type = credentials.form.get("client_assertion_type")
    if given_type is None:
        raise refused("Parameter client_assertion_type is missing", told)
    if given_type != ASSERTION_TYPE:
        text = f"Parameter client_assertion_type has value '{given_type}' but expected is '{ASSERTION_TYPE}'"
        raise refused(text, told)
    if assertion is None:
        raise refused("client_assertion parameter missing", told)
    if assertion.subject is None:
        raise refused("Token sub claim is required", told)
    client = clients.by_client_id(assertion.subject)
    if client is None:
        raise not_proved(told, log="unknown client", event="client_not_found")
    if credentials.form.get("client_id", client.client_id) != client.client_id:
        raise refused("client_id parameter does not match authenticated client", told)
    if not client.enabled:
        raise not_proved(told, log="disabled client", event="client_disabled")
    return assertion


def check_algorithm(
    client: Client | None, assertion: Assertion, allowed: frozenset[str], told: Mapping[str, str]
) -> str:
    """The ``alg`` of the header: one of `allowed`, and the one that the client has settled on. Raises InvalidClient."""
    assert assertion.token is not None
    algorithm = assertion.token.algorithm
    settled = None if client is None else client.attributes.get("token.endpoint.auth.signing.alg")
    if algorithm not in allowed or settled not in (None, algorithm):
        raise refused("Invalid signature algorithm", told, log=f"alg {algorithm}")
    return algorithm


def check_audience(credentials: Credentials, assertion: Assertion, told: Mapping[str, str]) -> None:
    """That the assertion is for this realm, and for nobody else. Raises InvalidClient.

    Keycloak takes the token endpoint and three others for the issuer, here under their addresses for certificates, too
    (``mtls_endpoint_aliases``); RFC 7523bis does not.
    """
    realm = credentials.realm
    issuer = f"{credentials.http.base_url}{realm.path}"
    if realm.strictness.issuer_only:
        assert assertion.token is not None
        if assertion.token.claims.get("aud") != issuer:
            raise refused("Invalid token audience", told, log="only the issuer is taken as audience")
        return
    roots = {credentials.http.base_url, credentials.http.mtls_url or credentials.http.base_url}
    endpoints = {f"{root}{realm.path}/protocol/openid-connect/{endpoint}" for root in roots for endpoint in _ENDPOINTS}
    if issuer not in assertion.audiences and endpoints.isdisjoint(assertion.audiences):
        raise refused("Invalid token audience", told)
    if len(assertion.audiences) > 1:
        raise refused("Multiple audiences not allowed", told)


def check_own_audience(
    credentials: Credentials, assertion: Assertion, told: Mapping[str, str], audience: str | None
) -> None:
    """That the token is for `audience` alone, by default the realm, not its endpoints. Raises InvalidClient."""
    wanted = audience or f"{credentials.http.base_url}{credentials.realm.path}"
    if wanted not in assertion.audiences:
        raise refused("Invalid token audience", told)
    if len(assertion.audiences) > 1:
        raise refused("Multiple audiences not allowed", told)


def check_times(
    assertion: Assertion,
    now: int,
    maximum_age: int,
    broken: Broken,
    told: Mapping[str, str],
    *,
    skew: int = CLOCK_SKEW,
    reusable: bool = False,
) -> int:
    """For how many seconds from `now` on the assertion is good at most. Raises OAuth2Error.

    Without ``iat`` its expiry may be at most `maximum_age` seconds ahead; with it, it is good for so long.
    """
    expires, issued = assertion.expires, assertion.issued
    if expires is None:
        raise refused("Token exp claim is required", told)
    if expires and now > expires:
        raise refused("Token is not active", told, log="expired")
    if assertion.not_before is not None and assertion.not_before > now + skew:
        raise refused("Token is not active", told, log="not valid yet")
    lifespan = expires - now
    if issued is None:
        if lifespan > maximum_age:
            text = "Token expiration is too far in the future and iat claim not present in token"
            raise refused(text, told)
    else:
        if issued - skew > now:
            raise refused("Token was issued in the future", told)
        lifespan = min(lifespan, maximum_age)
        if lifespan <= 0:
            raise refused("Token is not active", told, log="expired")
        if now > issued + maximum_age:
            raise refused("Token was issued too far in the past to be used now", told)
    if reusable:
        return lifespan
    if assertion.jti is None:
        raise refused("Token jti claim is required", told)
    if lifespan <= 0:
        raise broken("lifespanInSeconds must be positive", "expired", told)
    return lifespan


def maximum_age(client: Client) -> int:
    """Seconds for which an assertion of the client is good after it was issued."""
    seconds = client.seconds(_MAXIMUM_AGE)
    return seconds if seconds is not None and 0 < seconds < 2**31 else _DEFAULT_MAXIMUM_AGE


def single_use(kind: str, credentials: Credentials, assertion: Assertion, lifespan: int) -> UseOnce:
    """What makes the assertion worthless once it was used: its ``jti``, in the realm and among its `kind`.

    It is remembered for longer than the assertion is good, since clocks differ and are set back. Kept as a digest: it
    may be long.
    """
    digest = hashlib.sha256((assertion.jti or "").encode("utf-8", "surrogatepass")).digest()
    until = credentials.now + lifespan + 2 * CLOCK_SKEW
    return UseOnce(f"{kind}:{credentials.realm.id}", base64url.encode(digest).decode(), until)
