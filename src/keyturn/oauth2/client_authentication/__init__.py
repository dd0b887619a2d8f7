"""Owns how a client proves who it is: one file a method, listed in ``METHODS``.

Refuses to say what a client may do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final
from weakref import WeakKeyDictionary

from keyturn.model.client import Client
from keyturn.model.client_certificates import is_self_signed
from keyturn.model.client_keys import SYMMETRIC
from keyturn.model.realm import Realm
from keyturn.oauth2.client_authentication.client_secret import ClientSecret
from keyturn.oauth2.client_authentication.client_secret_jwt import ClientSecretJwt
from keyturn.oauth2.client_authentication.federated_jwt import FederatedJwt
from keyturn.oauth2.client_authentication.presented import NOT_PROVED, check_one_method
from keyturn.oauth2.client_authentication.private_key_jwt import PrivateKeyJwt
from keyturn.oauth2.client_authentication.self_signed_tls import SelfSignedTls
from keyturn.oauth2.client_authentication.spi import INVALID, Credentials, Method, Proof, not_proved
from keyturn.oauth2.client_authentication.x509 import X509
from keyturn.oauth2.errors import (
    AccessDenied,
    InvalidClient,
    NotAuthenticated,
    OAuth2Error,
    TooManyFailures,
    UnauthorizedClient,
)
from keyturn.oauth2.form import Form
from keyturn.oauth2.http_message import Request
from keyturn.oauth2.spi import Asked, AuthenticatedClient, Clients
from keyturn.oauth2.trace import Trace

__all__ = ["INVALID", "METHODS", "NOT_PROVED", "authenticate", "tell_of", "telling_of", "usable"]

_CLIENT_SECRET: Final = ClientSecret()
METHODS: Final[tuple[Method, ...]] = (
    _CLIENT_SECRET,
    PrivateKeyJwt(),
    ClientSecretJwt(),
    X509(),
    SelfSignedTls(),
    FederatedJwt(),
)
"""In Keycloak's order: it decides what is said of a request that shows more than one client."""

WRONG_PROTOCOL: Final = "Wrong client protocol."
"""What is said to a client of another protocol that has proved who it is."""
_REUSED: Final = "Token reuse detected"
_BY_METHOD: Final[WeakKeyDictionary[Client, dict[str, Client]]] = WeakKeyDictionary()
"""Clients as `_by` gives them, as long as those live that they were made of."""
_FAILURES: Final = frozenset({NOT_PROVED, "client_not_found", "client_disabled"})
"""What events call a guess that was wrong. An unknown client is one like any other, or it could be told apart."""


def authenticate(request: Request, form: Form, clients: Clients, realm: Realm, now: int) -> AuthenticatedClient:
    """The client that the request comes from, unless its sender has failed too often.

    Raises:
        TooManyFailures: whether the credentials are right is not told.
        OAuth2Error, Miss, Asked: as ``_authenticated``; where the realm has one error for all, NotAuthenticated.
    """
    if realm.strictness.one_error:
        try:
            return _unless_slowed(request, form, clients, realm, now)
        except (InvalidClient, UnauthorizedClient) as error:
            raise _one_for_all(error, realm) from None
    return _unless_slowed(request, form, clients, realm, now)


def _one_for_all(error: OAuth2Error, realm: Realm) -> NotAuthenticated:
    """The same answer, with a challenge, whoever it is that did not prove it (RFC 6749 §5.2); log and events tell."""
    challenge = f'Basic realm="{realm.path[1:]}", charset="UTF-8"'
    failed = NotAuthenticated(log=error.log or error.description, challenge=challenge)
    failed.trace = error.trace
    return failed


def _unless_slowed(request: Request, form: Form, clients: Clients, realm: Realm, now: int) -> AuthenticatedClient:
    throttle = realm.throttle
    at_once = clients.replies is None and realm.strictness.one_error
    authenticated = _refused_later if at_once else _authenticated
    if throttle is None:
        return authenticated(request, form, clients, realm, now)
    failures, address = clients.failures, request.address
    try:
        known = authenticated(request, form, clients, realm, now)
    except OAuth2Error as error:
        if error.trace.error in _FAILURES:
            client_id = error.trace.client_id or ""
            _check(failures.wait(realm.id, client_id, address, now))
            failures.count(realm.id, client_id, address, now, after=throttle.after, longest=throttle.longest)
        raise
    client_id = known.client.client_id
    if not known.client.public:
        _check(failures.wait(realm.id, client_id, address, now))
        failures.forget(realm.id, client_id, address)
    return known


def _check(wait: int) -> None:
    if wait:
        raise TooManyFailures(wait)


def _refused_later(request: Request, form: Form, clients: Clients, realm: Realm, now: int) -> AuthenticatedClient:
    """As ``_authenticated``, in a turn of memory alone, which refuses nobody: that would be quicker than for a client
    that is not in memory.
    """
    try:
        return _authenticated(request, form, clients, realm, now)
    except (InvalidClient, UnauthorizedClient):
        raise Asked(None) from None


def _authenticated(request: Request, form: Form, clients: Clients, realm: Realm, now: int) -> AuthenticatedClient:
    """The client that the request comes from.

    Each method in turn may say who that is; as soon as it is one whose own method has its turn, that one decides.

    Raises:
        InvalidClient: no client is named, or one that is unknown, disabled, of another protocol or another method; or
            its assertion is not accepted.
        UnauthorizedClient: the secret is wrong (Keycloak's choice: it tells a known client from an unknown one).
        AccessDenied: the realm is disabled.
        InvalidRequest: it shows more than one method, in a realm that takes one alone.
        Miss: the client is not in memory.
        Asked: something must be found out or written first.

    Source: Keycloak ``AuthorizeClientUtil.authorizeClient``, ``ClientAuthenticationFlow``.
    """
    if not realm.enabled:
        raise AccessDenied("Realm not enabled")
    proved = clients.proved
    if proved is not None and clients.by_client_id(proved.client.client_id) is proved.client:
        return proved
    if realm.strictness.one_method:
        check_one_method(request, form)
    credentials = Credentials(request, form, realm, now)
    client: Client | None = None
    named: str | None = None
    for method in METHODS:
        client_id = method.identify(credentials, clients)
        if client_id is not None:
            found = clients.by_client_id(client_id)
            if found is None:
                named = named or client_id
            else:
                client = found
        if client is not None and method.authenticator == _deciding(client, credentials):
            return _proved(method, client, credentials, clients)
    _CLIENT_SECRET.pretend(credentials)
    raise _nobody(client, named, credentials)


def _authenticator(client: Client) -> str:
    """The method that decides on the client: on a public one, that which reads a ``client_id`` alone."""
    if client.public:
        return _CLIENT_SECRET.authenticator
    if client.authenticator == X509.authenticator and is_self_signed(client.attributes):
        return SelfSignedTls.authenticator
    return client.authenticator


def _deciding(client: Client, credentials: Credentials) -> str:
    """The method that decides: its own, or where it may use several the one that the request shows."""
    if client.more is None or client.public:
        return _authenticator(client)
    shown = _shown(credentials)
    return shown if shown in client.more.methods else _authenticator(client)


def _shown(credentials: Credentials) -> str | None:
    """What the request is in the way of; None where it shows neither an assertion nor a secret."""
    assertion = credentials.assertion
    if assertion is None:
        return None if credentials.presented.secret is None else ClientSecret.authenticator
    if not assertion.self_issued:  # nor is one without either, which is nobody's
        return FederatedJwt.authenticator
    by_secret = assertion.token is not None and assertion.token.algorithm in SYMMETRIC
    return ClientSecretJwt.authenticator if by_secret else PrivateKeyJwt.authenticator


def _proved(method: Method, client: Client, credentials: Credentials, clients: Clients) -> AuthenticatedClient:
    try:
        proof = _proof(method, client, credentials, clients)
        if client.protocol != "openid-connect":
            told = {"client_auth_method": method.authenticator, **proof.told} if proof.told else {}
            raise InvalidClient(WRONG_PROTOCOL, status=400, told=told)
        if method.authenticator != _authenticator(client):
            client = _by(client, method.authenticator)
        name = "none" if client.public else method.authenticator
        known = AuthenticatedClient(client, name, proof.told, proof.credential)
        if proof.once is not None:
            reply = (clients.replies or {}).get(proof.once)
            if reply is None:
                raise Asked(proof.once, known)
            if reply is not True:
                raise InvalidClient(_REUSED, status=400, event=NOT_PROVED, told=dict(proof.told))
        return known
    except OAuth2Error as error:
        error.trace.client_id = client.client_id
        raise


def _by(client: Client, authenticator: str) -> Client:
    """`client` as one of another ``clientAuthenticatorType``, the same each time: what it has proved itself by is what
    policies and events are told.
    """
    known = _BY_METHOD.setdefault(client, {})
    if authenticator not in known:
        known[authenticator] = replace(client, authenticator=authenticator, prepared=[])
    return known[authenticator]


def _proof(method: Method, client: Client, credentials: Credentials, clients: Clients) -> Proof:
    if method is not _CLIENT_SECRET:
        return method.prove(client, credentials, clients)
    if not client.enabled:
        _CLIENT_SECRET.pretend(credentials)
        raise not_proved({}, log="disabled client", event="client_disabled")
    return Proof() if client.public else method.prove(client, credentials, clients)


def _nobody(client: Client | None, named: str | None, credentials: Credentials) -> InvalidClient:
    """The error where no method could decide."""
    assertion = credentials.assertion
    told = {} if assertion is None else assertion.told
    if client is None:
        log = "no client named" if named is None else "unknown client"
        error = not_proved(told, log=log, event="client_not_found")
        error.trace.client_id = named if named is not None and named == credentials.presented.client_id else None
        return error
    if not client.enabled:
        error = not_proved(told, log="disabled client", event="client_disabled")
    elif _authenticator(client) == _CLIENT_SECRET.authenticator:
        error = not_proved(told, log="an assertion, though the client has a secret", event="client_not_found")
    else:
        error = not_proved(told, log=f"no method for clientAuthenticatorType {client.authenticator}")
    error.trace.client_id = client.client_id
    return error


def usable(client: Client) -> None:
    """Refuses clients that get no tokens. Raises InvalidClient.

    Source: Keycloak ``TokenEndpoint.checkClient``.
    """
    if client.bearer_only:
        raise InvalidClient("Bearer-only not allowed", status=400, kept=False)


@contextmanager
def telling_of(known: AuthenticatedClient) -> Iterator[None]:
    """Has the event of a refusal within say which client it was that was authenticated."""
    try:
        yield
    except OAuth2Error as error:
        tell_of(known, error.trace)
        raise


def tell_of(known: AuthenticatedClient, trace: Trace) -> None:
    """Has an event say which client was authenticated, and how."""
    trace.client_id = known.client.client_id
    trace.proved = known.client.id, known.credential
    trace.details["client_auth_method"] = known.client.authenticator
    trace.details.update(known.told)
