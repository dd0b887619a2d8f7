"""The grant that keyturn is made for (RFC 6749 §4.4)."""

from dataclasses import replace
from typing import ClassVar, Final

from keyturn.model.client import Client
from keyturn.model.client_policy import PolicyEvent
from keyturn.model.subject import Subject
from keyturn.oauth2.claims import access_token_target
from keyturn.oauth2.errors import USER_DISABLED, USER_NOT_FOUND, InvalidRequest, OAuth2Error, UnauthorizedClient
from keyturn.oauth2.governed import govern, governed_client
from keyturn.oauth2.lifespan import access_token_lifespan, session_lifespan
from keyturn.oauth2.login import start_session
from keyturn.oauth2.protocol_mappers.spi import Target
from keyturn.oauth2.scope import grant_scopes
from keyturn.oauth2.spi import AuthenticatedClient, Authorization, Facts, Question, TokenRequest

_NO_ACCOUNT: Final = "The associated service account for the client does not exist"


class ClientCredentials:
    """A client gets a token for itself. Nothing is stored: its session lives as long as the token.

    Only where the client asks for refresh tokens (``client_credentials.use_refresh_token``) it has a session like a
    person's.
    """

    grant_type: ClassVar = "client_credentials"
    parameters: ClassVar = frozenset({"scope"})
    repeatable: ClassVar[frozenset[str]] = frozenset()

    def question(self, request: TokenRequest, client: AuthenticatedClient) -> Question | None:
        """Nothing: all that counts is in the compiled client."""
        return None

    def authorize(self, request: TokenRequest, client: AuthenticatedClient, facts: Facts | None) -> Authorization:
        """Decides what an authenticated client gets for itself.

        Raises:
            UnauthorizedClient: the client is public or has no service account.
            InvalidRequest: the service account is disabled or gone.
            InvalidScope: a requested scope is not one of the client's.
            ClientPolicyViolation: a client policy forbids it.

        Source: RFC 6749 §4.4.2; Keycloak ``ClientCredentialsGrantType``.
        """
        own = client.client
        if own.public:
            raise UnauthorizedClient("Public client not allowed to retrieve service account")
        if own.service_account is None and own.service_accounts_enabled:
            raise InvalidRequest(_NO_ACCOUNT, status=401, event=USER_NOT_FOUND)
        if own.service_account is None:
            raise UnauthorizedClient("Client not enabled to retrieve service account")
        try:
            return _for_itself(request, own, own.service_account)
        except OAuth2Error as error:
            error.trace.user_id = own.service_account.id
            error.trace.details["username"] = own.service_account.username
            raise


def _for_itself(request: TokenRequest, own: Client, account: Subject) -> Authorization:
    if not account.enabled:
        raise InvalidRequest(f"User '{account.username}' disabled", status=401, event=USER_DISABLED)
    scopes = grant_scopes(own, request.form.get("scope"))
    if request.realm.client_policies:
        own = _governed(request, own)
    notes = {
        "client_id": own.client_id,
        "clientHost": request.http.address,
        "clientAddress": request.http.address,
    }
    if own.flag("client_credentials.use_refresh_token"):
        started = start_session(request, own, account, scopes, grant="cc", notes=notes, refreshable=True)
        return replace(started, client=own)
    lightweight = access_token_target(own) is Target.LIGHTWEIGHT_ACCESS_TOKEN
    return Authorization(
        subject=account,
        scopes=scopes.permitted(account),
        lifespan=access_token_lifespan(request.realm, own, session_remaining=session_lifespan(request.realm, own)),
        token_id_prefix="trltcc:" if lightweight else "trrtcc:",
        notes=notes,
        client=own,
    )


def _governed(request: TokenRequest, own: Client) -> Client:
    realm, parameter, scope = request.realm, request.form.get, request.form.get("scope")
    occasion = govern(
        PolicyEvent.SERVICE_ACCOUNT_TOKEN_REQUEST,
        realm,
        own,
        parameter,
        request.issuer,
        scope,
        certificate=request.http.certificate is not None,
    )
    govern(PolicyEvent.SERVICE_ACCOUNT_TOKEN_RESPONSE, realm, own, parameter, request.issuer, scope)
    return governed_client(occasion, own)
