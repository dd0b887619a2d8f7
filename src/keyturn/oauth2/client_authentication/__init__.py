"""Owns how a client proves who it is: one file a method, listed in ``METHODS``.

Refuses to say what a client may do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from keyturn.model.client import Client
from keyturn.model.realm import Realm
from keyturn.oauth2.client_authentication.client_secret import ClientSecret
from keyturn.oauth2.client_authentication.spi import NOT_PROVED, Method, Presented
from keyturn.oauth2.errors import AccessDenied, InvalidClient, OAuth2Error, UnauthorizedClient
from keyturn.oauth2.form import Form
from keyturn.oauth2.http_message import Request
from keyturn.oauth2.spi import AuthenticatedClient, Clients
from keyturn.oauth2.trace import Trace

METHODS: Final[tuple[Method, ...]] = (ClientSecret(),)

INVALID: Final = "Invalid client or Invalid client credentials"
_ASSERTIONS: Final = frozenset({"client-jwt", "client-secret-jwt"})


def authenticate(request: Request, form: Form, clients: Clients, realm: Realm, now: int) -> AuthenticatedClient:
    """The client that the request comes from.

    Raises:
        InvalidClient: no client is named, or one that is unknown, disabled, of another protocol or another method.
        UnauthorizedClient: the secret is wrong (Keycloak's choice: it tells a known client from an unknown one).
        AccessDenied: the realm is disabled.
        Miss: the client is not in memory.

    Source: Keycloak ``AuthorizeClientUtil.authorizeClient``, ``ClientAuthenticationFlow``.
    """
    if not realm.enabled:
        raise AccessDenied("Realm not enabled")
    for method in METHODS:
        presented = method.present(request, form)
        if presented is None:
            continue
        client = clients.by_client_id(presented.client_id)
        if client is None or not client.enabled:
            method.pretend(presented, now)
            raise _not_there(presented.client_id, disabled=client is not None)
        try:
            proof = _prove(presented, client, form, now)
            if client.protocol != "openid-connect":
                raise InvalidClient("Wrong client protocol.", status=400, told={})
            return AuthenticatedClient(client, proof)
        except OAuth2Error as error:
            error.trace.client_id = client.client_id
            raise
    raise InvalidClient(INVALID, log="no client named", event="client_not_found", told={})


def _not_there(client_id: str, *, disabled: bool) -> InvalidClient:
    log, event = ("disabled client", "client_disabled") if disabled else ("unknown client", "client_not_found")
    error = InvalidClient(INVALID, log=log, event=event, told={})
    error.trace.client_id = client_id
    return error


def usable(client: Client) -> None:
    """Refuses clients that get no tokens. Raises InvalidClient.

    Source: Keycloak ``TokenEndpoint.checkClient``.
    """
    if client.bearer_only:
        raise InvalidClient("Bearer-only not allowed", status=400, kept=False)


@contextmanager
def telling_of(client: Client) -> Iterator[None]:
    """Has the event of a refusal within say which client it was that was authenticated."""
    try:
        yield
    except OAuth2Error as error:
        tell_of(client, error.trace)
        raise


def tell_of(client: Client, trace: Trace) -> None:
    """Has an event say that `client` was authenticated."""
    trace.client_id = client.client_id
    trace.details["client_auth_method"] = client.authenticator


def _prove(presented: Presented, client: Client, form: Form, now: int) -> str:
    if client.public:
        return "none"
    for method in METHODS:
        if method.authenticator == client.authenticator:
            if method.proves(presented, client, now):
                return method.authenticator
            log = "no secret" if presented.secret is None else "wrong secret"
            raise UnauthorizedClient(INVALID, log=log, event=NOT_PROVED, told={})
    if client.authenticator in _ASSERTIONS and "client_assertion_type" not in form:
        raise InvalidClient("Parameter client_assertion_type is missing", status=400, event=NOT_PROVED, told={})
    log = f"no method for clientAuthenticatorType {client.authenticator}"
    raise InvalidClient(INVALID, log=log, event=NOT_PROVED, told={})
