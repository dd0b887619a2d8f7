"""Executors that demand a setting of clients when they are made and changed, or make it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from keyturn.model.client_policy import Occasion, PolicyEvent, PolicyRefused
from keyturn.oauth2.client_policies.configuration import Configuration, configuration, told
from keyturn.representations import ClientRepresentation, Maybe, given, present, replace

ALLOWED_ALGORITHMS: Final = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Source: Keycloak ``FapiConstant``."""
_DEFAULT_ALGORITHM: Final = "PS256"
_METADATA: Final = "invalid_client_metadata"
_BEFORE_CHANGES: Final = frozenset({PolicyEvent.REGISTER, PolicyEvent.UPDATE})


class AutoConfigure(Configuration):
    """Whether the setting is made where it is not, rather than the client refused."""

    auto_configure: Maybe[bool] = None


def proposed_client(occasion: Occasion) -> ClientRepresentation | None:
    """The client as it is asked to become; None where nothing is asked."""
    return occasion.proposed if occasion.event in _BEFORE_CHANGES else None


def attribute(client: ClientRepresentation, name: str) -> str | None:
    """An attribute that is asked for."""
    return given(client.attributes, {}).get(name)


def with_attributes(client: ClientRepresentation, attributes: Mapping[str, str]) -> ClientRepresentation:
    """`client` asked to have these, too."""
    return replace(client, attributes={**given(client.attributes, {}), **attributes})


@dataclass(frozen=True, slots=True)
class _AutoConfigured:
    id: ClassVar[str]
    auto_configure: Maybe[bool]

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        return cls(configuration(document, AutoConfigure).auto_configure)

    def configures(self) -> bool:
        """Whether it makes the setting. Raises PolicyRefused where it is not told."""
        return told(self.auto_configure, self.id)


@dataclass(frozen=True, slots=True)
class ConsentRequired(_AutoConfigured):
    """Clients need people's consent. Source: Keycloak ``ConsentRequiredExecutor``."""

    id: ClassVar = "consent-required"

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None:
            return
        if self.configures():
            occasion.proposed = replace(client, consent_required=True)
        elif not present(client.consent_required) and occasion.client is not None and occasion.client.consent_required:
            return
        elif client.consent_required is not True:
            raise PolicyRefused("invalid_registration", "Client is required to enable consentRequired")


@dataclass(frozen=True, slots=True)
class FullScopeDisabled(_AutoConfigured):
    """Tokens carry only the roles in a client's scope. Source: Keycloak ``FullScopeDisabledExecutor``."""

    id: ClassVar = "full-scope-disabled"

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None:
            return
        if self.configures():
            occasion.proposed = replace(client, full_scope_allowed=False)
        elif not present(client.full_scope_allowed) and occasion.client is not None and not occasion.client.full_scope:
            return
        elif client.full_scope_allowed is not False:
            raise PolicyRefused("invalid_registration", "Not permitted to enable fullScopeAllowed")


@dataclass(frozen=True, slots=True)
class RejectImplicitGrant(_AutoConfigured):
    """Clients may not use the implicit flow. Source: Keycloak ``RejectImplicitGrantExecutor``."""

    id: ClassVar = "reject-implicit-grant"

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None:
            return
        if self.configures():
            occasion.proposed = replace(client, implicit_flow_enabled=False)
        elif not present(client.implicit_flow_enabled):  # Keycloak fails with a 500
            raise PolicyRefused("invalid_request", f"The executor {self.id} needs implicitFlowEnabled to be given")
        elif given(client.implicit_flow_enabled, False):
            raise PolicyRefused(_METADATA, "Invalid client metadata: implicit flow enabled")


@dataclass(frozen=True, slots=True)
class RejectPasswordGrant(_AutoConfigured):
    """No tokens for people's passwords. Source: Keycloak ``RejectResourceOwnerPasswordCredentialsGrantExecutor``."""

    id: ClassVar = "reject-ropc-grant"

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        if occasion.event is PolicyEvent.RESOURCE_OWNER_PASSWORD_CREDENTIALS_REQUEST:
            raise PolicyRefused("invalid_grant", "resource owner password credentials grant is prohibited.")
        client = proposed_client(occasion)
        if client is None:
            return
        if self.configures():
            occasion.proposed = replace(client, direct_access_grants_enabled=False)
            return
        before = occasion.client is not None and occasion.client.direct_access_grants
        if given(client.direct_access_grants_enabled, before):
            text = "Invalid client metadata: resource owner password credentials grant enabled"
            raise PolicyRefused(_METADATA, text)


@dataclass(frozen=True, slots=True)
class PkceEnforcer(_AutoConfigured):
    """Authorization codes are bound to who asked for them (RFC 7636). Source: Keycloak ``PKCEEnforcerExecutor``."""

    id: ClassVar = "pkce-enforcer"

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None:
            return
        if self.configures():
            occasion.proposed = with_attributes(client, {"pkce.code.challenge.method": "S256"})
        elif attribute(client, "pkce.code.challenge.method") != "S256":
            raise PolicyRefused(_METADATA, "Invalid client metadata: code_challenge_method")


class _ResponseType(AutoConfigure):
    allow_token_response_type: Maybe[bool] = None


@dataclass(frozen=True, slots=True)
class SecureResponseType:
    """ID tokens sign authorization responses. Source: Keycloak ``SecureResponseTypeExecutor``."""

    id: ClassVar = "secure-response-type"
    auto_configure: bool

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        return cls(given(configuration(document, _ResponseType).auto_configure, False))

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None:
            return
        if self.auto_configure:
            occasion.proposed = with_attributes(client, {"id.token.as.detached.signature": "true"})
        elif (attribute(client, "id.token.as.detached.signature") or "").lower() != "true":
            raise PolicyRefused(_METADATA, "Invalid client metadata: ID Token as detached signature in disabled")


class _Logout(Configuration):
    allow_front_channel_logout: Maybe[bool] = False


@dataclass(frozen=True, slots=True)
class SecureLogout:
    """Clients are not told of a logout through the browser. Source: Keycloak ``SecureLogoutExecutor``."""

    id: ClassVar = "secure-logout"
    front_channel: bool

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        return cls(given(configuration(document, _Logout).allow_front_channel_logout, False))

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None or self.front_channel:
            return
        url = attribute(client, "frontchannel.logout.url") or ""
        if client.frontchannel_logout is True or url.strip():
            raise PolicyRefused("invalid_registration", "Front-channel logout is not allowed for this client")


class _Algorithm(Configuration):
    default_algorithm: Maybe[str] = None


@dataclass(frozen=True, slots=True)
class _SecureAlgorithms:
    default: str

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        default = given(configuration(document, _Algorithm).default_algorithm, _DEFAULT_ALGORITHM)
        return cls(default if default in ALLOWED_ALGORITHMS else _DEFAULT_ALGORITHM)

    def demand(self, occasion: Occasion, names: tuple[str, ...]) -> None:
        """Has each attribute of `names` be an allowed algorithm. Raises PolicyRefused."""
        client = proposed_client(occasion)
        if client is None:
            return
        asked = {name: attribute(client, name) or self.default for name in names}  # null reads as the empty text
        if not set(asked.values()) <= set(ALLOWED_ALGORITHMS):
            raise PolicyRefused("invalid_request", "not allowed signature algorithm.")
        occasion.proposed = with_attributes(client, asked)


@dataclass(frozen=True, slots=True)
class SecureSignatureAlgorithm(_SecureAlgorithms):
    """Clients use PS or ES for what is signed, both ways. Source: Keycloak ``SecureSigningAlgorithmExecutor``."""

    id: ClassVar = "secure-signature-algorithm"
    attributes: ClassVar = (
        "user.info.response.signature.alg",
        "request.object.signature.alg",
        "id.token.signed.response.alg",
        "token.endpoint.auth.signing.alg",
    )

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        own = () if occasion.dynamic else ("access.token.signed.response.alg",)
        self.demand(occasion, (*self.attributes, *own))


@dataclass(frozen=True, slots=True)
class SecureCibaSignatureAlgorithm(_SecureAlgorithms):
    """The same for CIBA requests. Source: Keycloak ``SecureCibaAuthenticationRequestSigningAlgorithmExecutor``."""

    id: ClassVar = "secure-ciba-req-sig-algorithm"

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        self.demand(occasion, ("ciba.backchannel.auth.request.signing.alg",))


class _CaSubject(Configuration):
    ca_subject_dn: Maybe[str] = None
    enforced: Maybe[bool] = None


@dataclass(frozen=True, slots=True)
class TlsClientAuthCaSubjectDn:
    """Clients' certificates come from one authority. Source: Keycloak ``TlsClientAuthCASubjectDNExecutor``."""

    id: ClassVar = "tls-client-auth-ca-subject-dn"
    ca_subject_dn: str
    enforced: bool

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, _CaSubject)
        return cls(given(found.ca_subject_dn, ""), given(found.enforced, False))

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        client = occasion.stored
        if client is None or client.client_authenticator_type != "client-x509" or not self.ca_subject_dn:
            return
        stored = attribute(client, "x509.casubjectdn")
        if stored is None:
            occasion.stored = with_attributes(client, {"x509.casubjectdn": self.ca_subject_dn})
        elif self.enforced and _names(stored) != _names(self.ca_subject_dn):
            text = f"Certificate Authority subject DN must be {self.ca_subject_dn}"
            raise PolicyRefused("invalid_request", text)


def _names(distinguished_name: str) -> list[str]:
    """The parts of an RFC 2253 name, so that spaces and case around them do not matter (as in Java's X500Principal)."""
    return [" ".join(part.split()).casefold().replace(" = ", "=") for part in distinguished_name.split(",")]
