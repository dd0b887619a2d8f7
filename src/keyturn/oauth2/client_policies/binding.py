"""Executors that bind tokens to what a client holds: a key (RFC 9449) or a certificate (RFC 8705)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from keyturn.model.client_policy import Occasion, PolicyEvent, PolicyRefused
from keyturn.oauth2.client_policies.client_settings import AutoConfigure, attribute, proposed_client, with_attributes
from keyturn.oauth2.client_policies.configuration import configuration, told
from keyturn.representations import Maybe, given

_METADATA: Final = "invalid_client_metadata"
_NO_CERTIFICATE: Final = "Client certificate missing, or its thumbprint and one in the token did NOT match"


def _set(occasion: Occasion, name: str, *, configures: bool, otherwise: str) -> None:
    """Has the client's attribute be true, or refuses it with `otherwise`."""
    client = proposed_client(occasion)
    if client is None:
        return
    if configures:
        occasion.proposed = with_attributes(client, {name: "true"})
    elif (attribute(client, name) or "").lower() != "true":
        raise PolicyRefused(_METADATA, f"Invalid client metadata: {otherwise}")


class _Dpop(AutoConfigure):
    enforce_authorization_code_binding_to_dpop: Maybe[bool] = None
    allow_only_refresh_token_binding: Maybe[bool] = None


@dataclass(frozen=True, slots=True)
class DpopBindEnforcer:
    """Tokens are bound to keys. Source: Keycloak ``DPoPBindEnforcerExecutor``."""

    id: ClassVar = "dpop-bind-enforcer"
    auto_configure: Maybe[bool]
    only_refresh_tokens: bool

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        found = configuration(document, _Dpop)
        return cls(found.auto_configure, given(found.allow_only_refresh_token_binding, False))

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        if occasion.event in {PolicyEvent.REGISTER, PolicyEvent.UPDATE}:
            configures = told(self.auto_configure, self.id)
            _set(occasion, "dpop.bound.access.tokens", configures=configures, otherwise="DPoP token is disabled")
        elif occasion.request is not None and not occasion.request.proof and self._needs_proof(occasion):
            raise PolicyRefused("invalid_dpop_proof", "DPoP proof is missing")
        elif occasion.event is PolicyEvent.TOKEN_REVOKE:
            occasion.needs_possession = True

    def _needs_proof(self, occasion: Occasion) -> bool:
        client = occasion.client
        if occasion.event is PolicyEvent.TOKEN_REFRESH:
            bound = client is not None and client.attributes.get("dpop.bound.access.tokens") == "true"
            return self.only_refresh_tokens and client is not None and client.public and not bound
        return occasion.event in {PolicyEvent.USERINFO_REQUEST, PolicyEvent.TOKEN_REVOKE}


@dataclass(frozen=True, slots=True)
class HolderOfKeyEnforcer:
    """Tokens are bound to certificates. Source: Keycloak ``HolderOfKeyEnforcerExecutor``."""

    id: ClassVar = "holder-of-key-enforcer"
    auto_configure: Maybe[bool]

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor of this configuration. Raises InvalidConfiguration."""
        return cls(configuration(document, AutoConfigure).auto_configure)

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        if occasion.event in {PolicyEvent.REGISTER, PolicyEvent.UPDATE}:
            configures = told(self.auto_configure, self.id)
            name = "tls.client.certificate.bound.access.tokens"
            _set(occasion, name, configures=configures, otherwise="MTLS token in disabled")
        elif occasion.request is not None and not occasion.request.certificate:
            _refuse_without_certificate(occasion)


def _refuse_without_certificate(occasion: Occasion) -> None:
    event = occasion.event
    if event is PolicyEvent.SERVICE_ACCOUNT_TOKEN_REQUEST:
        raise PolicyRefused("invalid_request", "Client Certification missing for MTLS HoK Token Binding")
    if event is PolicyEvent.TOKEN_REFRESH:
        raise PolicyRefused("invalid_grant", _NO_CERTIFICATE)
    if event in {PolicyEvent.TOKEN_REVOKE, PolicyEvent.LOGOUT_REQUEST, PolicyEvent.USERINFO_REQUEST}:
        raise PolicyRefused("not_allowed", _NO_CERTIFICATE, 401)
