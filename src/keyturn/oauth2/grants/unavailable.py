"""Grants of Keycloak that nobody completes here: each says what Keycloak says to one whose code or ticket is none.

They need a browser, a device, another issuer or authorization services. None of them ever gives a token.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Never

from keyturn.jose import jwt
from keyturn.model.client import Client
from keyturn.oauth2.errors import InvalidGrant, InvalidRequest, InvalidTicket, UnauthorizedClient
from keyturn.oauth2.spi import AuthenticatedClient, Authorization, Facts, Question, TokenRequest


class Unavailable(ABC):
    """What all of them share: whatever is asked for is refused, by ``refuse``."""

    parameters: ClassVar[frozenset[str]] = frozenset()
    repeatable: ClassVar[frozenset[str]] = frozenset()

    def question(self, request: TokenRequest, client: AuthenticatedClient) -> Question | None:
        """Nothing. Raises OAuth2Error, always."""
        self.refuse(request, client.client)

    def authorize(self, request: TokenRequest, client: AuthenticatedClient, facts: Facts | None) -> Authorization:
        """Nothing. Raises OAuth2Error, always."""
        self.refuse(request, client.client)

    @abstractmethod
    def refuse(self, request: TokenRequest, own: Client) -> Never:
        """Raises OAuth2Error."""


class AuthorizationCode(Unavailable):
    """RFC 6749 §4.1. Source: Keycloak ``AuthorizationCodeGrantType``."""

    grant_type: ClassVar = "authorization_code"

    def refuse(self, request: TokenRequest, own: Client) -> Never:
        """Raises InvalidRequest without a code, else InvalidGrant."""
        if "code" not in request.form:
            raise InvalidRequest("Missing parameter: code", event="invalid_code")
        raise InvalidGrant("Code not valid", event="invalid_code", told={})


class DeviceCode(Unavailable):
    """RFC 8628. Source: Keycloak ``DeviceGrantType``."""

    grant_type: ClassVar = "urn:ietf:params:oauth:grant-type:device_code"

    def refuse(self, request: TokenRequest, own: Client) -> Never:
        """Raises InvalidRequest without a code, InvalidGrant for a client that may not, and for any code."""
        if not own.flag("oauth2.device.authorization.grant.enabled"):
            raise InvalidGrant("Client not allowed OAuth 2.0 Device Authorization Grant", event="not_allowed")
        if "device_code" not in request.form:
            raise InvalidRequest("Missing parameter: device_code", event="invalid_oauth2_device_code")
        raise InvalidGrant("Device code not valid", event="invalid_oauth2_device_code", told={})


class BackchannelAuthentication(Unavailable):
    """OpenID Connect CIBA §10.1. Source: Keycloak ``CibaGrantType``."""

    grant_type: ClassVar = "urn:openid:params:grant-type:ciba"

    def refuse(self, request: TokenRequest, own: Client) -> Never:
        """Raises InvalidRequest without an id, InvalidGrant for a client that may not, and for any id."""
        if not own.flag("oidc.ciba.grant.enabled"):
            raise InvalidGrant("Client not allowed OIDC CIBA Grant", event="not_allowed")
        if "auth_req_id" not in request.form:
            raise InvalidRequest("Missing parameter: auth_req_id", event="invalid_code")
        raise InvalidGrant("Invalid Auth Req ID", kept=False)


class JwtBearer(Unavailable):
    """RFC 7523 §2.1: no other issuer is trusted. Source: Keycloak ``JWTAuthorizationGrantType``."""

    grant_type: ClassVar = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    def refuse(self, request: TokenRequest, own: Client) -> Never:
        """Raises InvalidGrant."""
        raise InvalidGrant(self._fault(request, own), event="invalid_request")

    def _fault(self, request: TokenRequest, own: Client) -> str:
        assertion = request.form.get("assertion")
        if assertion is None:
            return "Missing parameter:assertion"
        try:
            jwt.parse(assertion)
        except jwt.InvalidToken:
            return "The provided assertion is not a valid JWT"
        if own.public:
            return "Public client not allowed to use authorization grant"
        if not own.flag("oauth2.jwt.authorization.grant.enabled"):
            return "JWT Authorization Grant is not supported for the requested client"
        return "No Identity Provider for provided issuer"


class Permission(Unavailable):
    """UMA 2.0 §3.3.1: no client has permissions to give. Source: Keycloak ``PermissionGrantType``."""

    grant_type: ClassVar = "urn:ietf:params:oauth:grant-type:uma-ticket"

    def refuse(self, request: TokenRequest, own: Client) -> Never:
        """Raises UnauthorizedClient for a client without an account, InvalidTicket for any ticket, else InvalidRequest.

        Raises Miss where the resource server is not in memory.
        """
        if own.public:
            raise UnauthorizedClient("Public client not allowed to retrieve service account", kept=False)
        if own.service_account is None:
            raise UnauthorizedClient("Client not enabled to retrieve service account", kept=False)
        if "ticket" in request.form:
            raise InvalidTicket("Ticket verification failed")
        server = request.form.get("audience")
        if server is None:
            raise InvalidRequest("You must provide the issuedFor", kept=False)
        if request.clients.by_client_id(server) is None:
            raise InvalidRequest(f"Unknown resource server id: [{server}]", kept=False)
        raise InvalidRequest("Client does not support permissions", kept=False)
