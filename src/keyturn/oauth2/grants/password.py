"""The resource owner password credentials grant (RFC 6749 §4.3): how administrators' tools log in."""

from dataclasses import replace
from typing import ClassVar, Final

from keyturn.model.client import Client
from keyturn.model.login_failures import DISABLED_REASON, LOCKED_OUT
from keyturn.oauth2.errors import InvalidClient, InvalidGrant, InvalidRequest, UnauthorizedClient
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


class Password:
    """A person's user name and password become a session and its tokens."""

    grant_type: ClassVar = "password"
    parameters: ClassVar = frozenset({"username", "password", "scope"})

    def question(self, request: TokenRequest, client: AuthenticatedClient) -> Question | None:
        """Whether the password is right.

        Raises:
            UnauthorizedClient: the client may not use this grant.
            InvalidClient: the client's tokens need a person's consent, which cannot be asked for here.
            InvalidScope: a requested scope is not one of the client's.
            InvalidRequest: there is no ``username``.
        """
        _allowed(client.client)
        grant_scopes(client.client, request.form.get("scope"))
        username = request.form.get("username")
        if username is None:
            raise InvalidRequest("Missing parameter: username", status=401)
        return CheckPassword(username, request.form.get("password", ""))

    def authorize(self, request: TokenRequest, client: AuthenticatedClient, facts: Facts | None) -> Authorization:
        """Decides what a person who has logged in gets.

        Raises:
            InvalidGrant: no such person, a disabled or unfinished account, one that is locked out.
            Refused: a wrong password, where failures are counted.

        Source: RFC 6749 §4.3; Keycloak ``ResourceOwnerPasswordCredentialsGrantType`` and its "direct grant" flow.
        """
        if not isinstance(facts, PasswordChecked) or facts.subject is None:
            raise InvalidGrant(_INVALID, log="no such user")
        subject = facts.subject
        counted = given(request.realm.document.brute_force_protected, False)
        if counted and (facts.locked or LOCKED_OUT in subject.attributes.get(DISABLED_REASON, ())):
            raise InvalidGrant(_INVALID, log="locked out after too many failures")
        if not facts.valid:
            wrong = InvalidGrant(_INVALID, log="wrong password")
            if counted and subject.enabled:
                raise Refused(wrong, (CountFailure(subject.id, request.http.address),))
            raise wrong
        if not subject.enabled:
            raise InvalidGrant("Account disabled")
        if subject.required_actions or not facts.profile_complete:
            raise InvalidGrant("Account is not fully set up")
        scopes = grant_scopes(client.client, request.form.get("scope"))
        authorization = start_session(request, client.client, subject, scopes, grant="ro")
        if not facts.failed_before:
            return authorization
        return replace(authorization, effects=(*authorization.effects, ForgetFailures(subject.id)))


def _allowed(client: Client) -> None:
    if not client.direct_access_grants:
        raise UnauthorizedClient("Client not allowed for direct access grants", status=400)
    if client.consent_required:
        raise InvalidClient("Client requires user consent", status=400)
