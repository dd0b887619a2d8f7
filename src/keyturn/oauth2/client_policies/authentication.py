"""Executors about how clients prove who they are."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import msgspec

from keyturn.model.client_policy import GovernedClient, GovernedRequest, Occasion, PolicyEvent, PolicyRefused
from keyturn.oauth2.client_policies.client_settings import ALLOWED_ALGORITHMS, proposed_client
from keyturn.oauth2.client_policies.configuration import Configuration, configuration
from keyturn.representations import Maybe, decode, given, present, replace

_JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTING: Final = frozenset({"client-jwt", "client-secret-jwt", "federated-jwt"})
"""Authenticators that take an assertion (Keycloak ``ClientAuthenticatorFactory.supportsClientAssertion``)."""
_WITH_REFRESH: Final = frozenset({PolicyEvent.TOKEN_REFRESH, PolicyEvent.TOKEN_INTROSPECT, PolicyEvent.TOKEN_REVOKE})
_AUTHENTICATED: Final = _WITH_REFRESH | {PolicyEvent.SERVICE_ACCOUNT_TOKEN_REQUEST, PolicyEvent.LOGOUT_REQUEST}


class _Authenticators(Configuration):
    allowed_client_authenticators: Maybe[list[str]] = None
    default_client_authenticator: Maybe[str] = None


@dataclass(frozen=True, slots=True)
class SecureClientAuthenticator:
    """Only these methods will do. Source: Keycloak ``SecureClientAuthenticatorExecutor``."""

    id: ClassVar = "secure-client-authenticator"
    allowed: frozenset[str]
    default: str | None

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, _Authenticators)
        default = given(found.default_client_authenticator, "")
        return cls(
            frozenset(given(found.allowed_client_authenticators, [])),
            default if present(found.default_client_authenticator) else None,
        )

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        proposed, client = proposed_client(occasion), occasion.client
        if proposed is not None:
            if not present(proposed.client_authenticator_type) and self.default is not None:
                proposed = occasion.proposed = replace(proposed, client_authenticator_type=self.default)
            if proposed.public_client is not True and proposed.client_authenticator_type not in self.allowed:
                raise PolicyRefused("invalid_client_metadata", "Invalid client metadata: token_endpoint_auth_method")
        elif occasion.event in _AUTHENTICATED and client is not None and not self._allows(client):
            text = "Configured client authentication method not allowed for client"
            raise PolicyRefused("invalid_request", text)

    def _allows(self, client: GovernedClient) -> bool:
        return client.public or client.authenticator in self.allowed


class _SignedJwt(Configuration):
    require_client_assertion: Maybe[bool] = None


@dataclass(frozen=True, slots=True)
class SecureSignatureAlgorithmOfSignedJwt:
    """Assertions are signed with PS or ES. Source: Keycloak ``SecureSigningAlgorithmForSignedJwtExecutor``."""

    id: ClassVar = "secure-signature-algorithm-signed-jwt"
    required: bool

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        return cls(given(configuration(document, _SignedJwt).require_client_assertion, False))

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client, request = occasion.client, occasion.request
        if occasion.event not in _AUTHENTICATED or client is None or request is None:
            return
        if client.public or client.authenticator not in _ASSERTING:
            if self.required:
                raise PolicyRefused("invalid_request", "client assertion is required.")
            return
        header = part_of(request.parameter("client_assertion") or "", 0)
        if header is None:
            raise PolicyRefused("invalid_request", "not allowed input format.")
        if header.get("alg") not in ALLOWED_ALGORITHMS:
            raise PolicyRefused("invalid_request", "not allowed signature algorithm.")


@dataclass(frozen=True, slots=True)
class SecureClientAuthenticationAssertion:
    """Assertions are for this issuer alone. Source: Keycloak ``SecureClientAuthenticationAssertionExecutor``."""

    id: ClassVar = "secure-client-authentication-assertion"

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor; its configuration must be an object. Raises InvalidConfiguration."""
        configuration(document, Configuration)
        return cls()

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client, request = occasion.client, occasion.request
        if occasion.event in _WITH_REFRESH and client is not None and request is not None and not client.public:
            _check_audience(request)


def _check_audience(request: GovernedRequest) -> None:
    assertion = request.parameter("client_assertion")
    if assertion is None or request.parameter("client_assertion_type") != _JWT_BEARER:
        return
    if assertion.count(".") not in {1, 2}:
        raise PolicyRefused("invalid_request", "invalid client assertion format")
    claims = part_of(assertion, 1)
    if claims is None:
        raise PolicyRefused("invalid_request", "invalid client assertion")
    audience = claims.get("aud")
    if audience not in (request.issuer, [request.issuer]):
        raise PolicyRefused("invalid_request", "invalid audience in client assertion")


def part_of(token: str, number: int) -> dict[str, Any] | None:
    """A part of a JWS, which is not verified here; None where it is no object."""
    try:
        encoded = token.split(".")[number]
        return decode(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)), dict[str, Any])
    except (IndexError, ValueError, msgspec.MsgspecError):
        return None
