"""The resource owner password credentials grant (RFC 6749 §4.3): how administrators' tools log in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

from keyturn.model.client import Client
from keyturn.model.client_policy import PolicyEvent
from keyturn.model.login_failures import DISABLED_REASON, LOCKED_OUT
from keyturn.model.subject import Subject
from keyturn.oauth2.errors import (
    USER_DISABLED,
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    OAuth2Error,
    UnauthorizedClient,
)
from keyturn.oauth2.governed import govern, governed_client
from keyturn.oauth2.login import start_session
from keyturn.oauth2.scope import grant_scopes
from keyturn.oauth2.spi import (
    AuthenticatedClient,
    Authorization,
    CheckPassword,
    CountFailure,
    Facts,
    ForgetFailures,
    PasswordChecked,
    Question,
    Refused,
    TokenRequest,
)
from keyturn.representations import given

_INVALID: Final = "Invalid user credentials"
_NO_USER: Final = "user_not_found"
_BY_PASSWORD: Final = {"auth_method": "openid-connect"}


class Password:
    """A person's user name and password become a session and its tokens."""

    grant_type: ClassVar = "password"
    parameters: ClassVar = frozenset({"username", "password", "scope"})
    repeatable: ClassVar[frozenset[str]] = frozenset()

    def question(self, request: TokenRequest, client: AuthenticatedClient) -> Question | None:
        """Whether the password is right.

        Raises:
            UnauthorizedClient: the client may not use this grant.
            InvalidClient: the client's tokens need a person's consent, which cannot be asked for here.
            ClientPolicyViolation: a client policy forbids it.
            InvalidScope: a requested scope is not one of the client's.
            InvalidRequest: there is no ``username``.
        """
        try:
            _allowed(client.client)
            _governed(request, client.client)
            grant_scopes(client.client, request.form.get("scope"))
        except OAuth2Error as error:
            error.trace.details["auth_method"] = "oauth_credentials"
            raise
        username = request.form.get("username")
        if username is None:
            raise InvalidRequest("Missing parameter: username", status=401, event=_NO_USER, told=_BY_PASSWORD.copy())
        return CheckPassword(username, request.form.get("password", ""))

    def authorize(self, request: TokenRequest, client: AuthenticatedClient, facts: Facts | None) -> Authorization:
        """Decides what a person who has logged in gets.

        Raises:
            InvalidGrant: no such person, a disabled or unfinished account, one that is locked out.
            Refused: a wrong password, where failures are counted.

        Source: RFC 6749 §4.3; Keycloak ``ResourceOwnerPasswordCredentialsGrantType`` and its "direct grant" flow.
        """
        told = _BY_PASSWORD | {"username": request.form.get("username", "")}
        if not isinstance(facts, PasswordChecked) or facts.subject is None:
            raise InvalidGrant(_INVALID, log="no such user", event=_NO_USER, told=told)
        try:
            return _logged_in(request, _governed(request, client.client), facts, facts.subject, told)
        except (OAuth2Error, Refused) as error:
            error.trace.user_id = facts.subject.id
            error.trace.details.update(told)
            raise


def _logged_in(
    request: TokenRequest, client: Client, facts: PasswordChecked, subject: Subject, told: Mapping[str, str]
) -> Authorization:
    counted = given(request.realm.document.brute_force_protected, False)
    if counted and (facts.locked or LOCKED_OUT in subject.attributes.get(DISABLED_REASON, ())):
        event = "user_temporarily_disabled" if facts.locked else USER_DISABLED
        raise InvalidGrant(_INVALID, log="locked out after too many failures", event=event, told={})
    if not facts.valid:
        event = "invalid_user_credentials" if subject.enabled else USER_DISABLED
        wrong = InvalidGrant(_INVALID, log="wrong password", event=event, told={})
        if counted and subject.enabled:
            raise Refused(wrong, (CountFailure(subject.id, request.http.address),))
        raise wrong
    if not subject.enabled:
        raise InvalidGrant("Account disabled", event=USER_DISABLED, told={})
    if subject.required_actions or not facts.profile_complete:
        raise InvalidGrant("Account is not fully set up", event="resolve_required_actions")
    scopes = grant_scopes(client, request.form.get("scope"))
    authorization = start_session(request, client, subject, scopes, grant="ro")
    govern(
        PolicyEvent.RESOURCE_OWNER_PASSWORD_CREDENTIALS_RESPONSE, request.realm, None, request.form.get, request.issuer
    )
    effects = (ForgetFailures(subject.id),) if facts.failed_before else ()
    return replace(authorization, effects=(*authorization.effects, *effects), told=told, client=client)


def _governed(request: TokenRequest, client: Client) -> Client:
    event, scope = PolicyEvent.RESOURCE_OWNER_PASSWORD_CREDENTIALS_REQUEST, request.form.get("scope")
    return governed_client(govern(event, request.realm, client, request.form.get, request.issuer, scope), client)


def _allowed(client: Client) -> None:
    if not client.direct_access_grants:
        raise UnauthorizedClient("Client not allowed for direct access grants", status=400, event="not_allowed")
    if client.consent_required:
        raise InvalidClient("Client requires user consent", status=400, event="consent_denied")
