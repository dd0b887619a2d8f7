"""The resource owner password credentials grant (RFC 6749 §4.3): how administrators' tools log in."""

from typing import ClassVar

from keyturn.model.client import Client
from keyturn.oauth2.errors import InvalidClient, InvalidGrant, InvalidRequest, UnauthorizedClient
from keyturn.oauth2.login import start_session
from keyturn.oauth2.scope import grant_scopes
from keyturn.oauth2.spi import (
    AuthenticatedClient,
    Authorization,
    CheckPassword,
    Facts,
    PasswordChecked,
    Question,
    TokenRequest,
)


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
            InvalidGrant: no such person, a wrong password, a disabled or unfinished account.

        Source: RFC 6749 §4.3; Keycloak ``ResourceOwnerPasswordCredentialsGrantType`` and its "direct grant" flow.
        """
        if not isinstance(facts, PasswordChecked) or facts.subject is None or not facts.valid:
            raise InvalidGrant("Invalid user credentials", log="no such user, or a wrong password")
        if facts.locked:
            raise InvalidGrant("Invalid user credentials", log="locked after too many failures")
        subject = facts.subject
        if not subject.enabled:
            raise InvalidGrant("Account disabled")
        if subject.required_actions or not facts.profile_complete:
            raise InvalidGrant("Account is not fully set up")
        scopes = grant_scopes(client.client, request.form.get("scope"))
        return start_session(request, client.client, subject, scopes, grant="ro")


def _allowed(client: Client) -> None:
    if not client.direct_access_grants:
        raise UnauthorizedClient("Client not allowed for direct access grants", status=400)
    if client.consent_required:
        raise InvalidClient("Client requires user consent", status=400)
