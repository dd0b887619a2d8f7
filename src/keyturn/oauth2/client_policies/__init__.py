"""Owns client policies: the conditions and executors that there are, and how a realm's documents become them.

Refuses to look anything up: who changes a client, and what is asked for, is in the `Occasion`.
"""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Protocol

from keyturn.model.client_policy import ClientPolicy, Condition, Executor, Occasion, PolicyRefused, Vote
from keyturn.oauth2.client_policies.authentication import (
    SecureClientAuthenticationAssertion,
    SecureClientAuthenticator,
    SecureSignatureAlgorithmOfSignedJwt,
)
from keyturn.oauth2.client_policies.binding import DpopBindEnforcer, HolderOfKeyEnforcer
from keyturn.oauth2.client_policies.client_settings import (
    ConsentRequired,
    FullScopeDisabled,
    PkceEnforcer,
    RejectImplicitGrant,
    RejectPasswordGrant,
    SecureCibaSignatureAlgorithm,
    SecureLogout,
    SecureResponseType,
    SecureSignatureAlgorithm,
    TlsClientAuthCaSubjectDn,
)
from keyturn.oauth2.client_policies.client_uris import SecureClientUris, SecureClientUrisPattern
from keyturn.oauth2.client_policies.conditions import (
    AnyClient,
    ClientAccessType,
    ClientAttributes,
    ClientProtocol,
    ClientRoles,
    ClientScopes,
    ClientUpdaterContext,
    ClientUpdaterSourceGroups,
    ClientUpdaterSourceHost,
    ClientUpdaterSourceRoles,
    GrantType,
)
from keyturn.oauth2.client_policies.configuration import Configuration, InvalidConfiguration, configuration
from keyturn.oauth2.client_policies.exchanged_tokens import DownscopeAssertionGrantEnforcer, JwtClaimEnforcer
from keyturn.oauth2.client_policies.redirect_uris import SecureRedirectUrisEnforcer
from keyturn.oauth2.client_policies.requests import (
    ConfidentialClient,
    RegistrationAccessTokenRotationDisabled,
    RejectRequest,
    SuppressRefreshTokenRotation,
    UseLightweightAccessToken,
)
from keyturn.oauth2.client_policies.secret_rotation import SecretRotation
from keyturn.representations import given
from keyturn.representations.client_policy import (
    ClientPoliciesRepresentation,
    ClientPolicyRepresentation,
    ClientProfileRepresentation,
    ClientProfilesRepresentation,
)

__all__ = [
    "CONDITIONS",
    "EXECUTORS",
    "NOT_ENFORCED",
    "InvalidConfiguration",
    "compile_policies",
    "condition_of",
    "executor_of",
]

_log = logging.getLogger(__name__)


class ConditionKind(Protocol):
    """A kind of condition."""

    id: ClassVar[str]

    @classmethod
    def of(cls, document: Any) -> Condition:
        """The condition of this configuration. Raises InvalidConfiguration."""
        ...


class ExecutorKind(Protocol):
    """A kind of executor."""

    id: ClassVar[str]

    @classmethod
    def of(cls, document: Any) -> Executor:
        """The executor of this configuration. Raises InvalidConfiguration."""
        ...


CONDITIONS: Final[tuple[type[ConditionKind], ...]] = (
    AnyClient,
    ClientAccessType,
    ClientAttributes,
    ClientProtocol,
    ClientRoles,
    ClientScopes,
    ClientUpdaterContext,
    ClientUpdaterSourceGroups,
    ClientUpdaterSourceHost,
    ClientUpdaterSourceRoles,
    GrantType,
)

EXECUTORS: Final[tuple[type[ExecutorKind], ...]] = (
    ConfidentialClient,
    ConsentRequired,
    DownscopeAssertionGrantEnforcer,
    DpopBindEnforcer,
    FullScopeDisabled,
    HolderOfKeyEnforcer,
    JwtClaimEnforcer,
    PkceEnforcer,
    RegistrationAccessTokenRotationDisabled,
    RejectImplicitGrant,
    RejectPasswordGrant,
    RejectRequest,
    SecretRotation,
    SecureCibaSignatureAlgorithm,
    SecureClientAuthenticationAssertion,
    SecureClientAuthenticator,
    SecureClientUris,
    SecureClientUrisPattern,
    SecureLogout,
    SecureRedirectUrisEnforcer,
    SecureResponseType,
    SecureSignatureAlgorithm,
    SecureSignatureAlgorithmOfSignedJwt,
    SuppressRefreshTokenRotation,
    TlsClientAuthCaSubjectDn,
    UseLightweightAccessToken,
)

_AUTHORIZATION: Final = "authorization requests, which are not served"
_CIBA: Final = "CIBA requests, which are not served"
_SAML: Final = "SAML"

NOT_ENFORCED: Final[Mapping[str, str]] = {
    "acr-condition": _AUTHORIZATION,
    "auth-flow-enforcer": _AUTHORIZATION,
    "identity-provider-alias": "identity brokering",
    "intent-client-bind-checker": _AUTHORIZATION,
    "saml-avoid-redirect": _SAML,
    "saml-secure-client-uris": _SAML,
    "saml-signature-enforcer": _SAML,
    "secure-ciba-session": _CIBA,
    "secure-ciba-signed-authn-req": _CIBA,
    "secure-par-content": _AUTHORIZATION,
    "secure-request-object": _AUTHORIZATION,
    "secure-session": _AUTHORIZATION,
}
"""Conditions and executors of Keycloak that are taken and do nothing, with what they are about."""

_CONDITIONS: Final = {kind.id: kind for kind in CONDITIONS}
_EXECUTORS: Final = {kind.id: kind for kind in EXECUTORS}
_OTHER_CONDITIONS: Final = frozenset({"acr-condition", "identity-provider-alias"})


class _Abstaining:
    """A condition about what nobody can ask for here."""

    negative = False

    def vote(self, occasion: Occasion) -> Vote:
        return Vote.ABSTAIN


class _Unreadable:
    """Stands for a policy that cannot be read: nobody may do what it would have governed."""

    negative = False

    def vote(self, occasion: Occasion) -> Vote:
        return Vote.YES

    def execute(self, occasion: Occasion) -> None:
        raise PolicyRefused("invalid_request", "A client policy of the realm cannot be read")


def condition_of(provider: str, document: Any) -> Condition | None:
    """The condition; None where nobody knows the provider. Raises InvalidConfiguration."""
    kind = _CONDITIONS.get(provider)
    if kind is not None:
        return kind.of({} if document is None else document)
    return _Abstaining() if provider in _OTHER_CONDITIONS else None


def executor_of(provider: str, document: Any) -> Executor | None:
    """The executor; None where it is not enforced. Raises InvalidConfiguration, LookupError: nobody knows it."""
    kind = _EXECUTORS.get(provider)
    if kind is not None:
        return kind.of(document)
    if provider not in NOT_ENFORCED or provider in _OTHER_CONDITIONS:
        raise LookupError(provider)
    configuration(document, Configuration)
    return None


def compile_policies(
    profiles: ClientProfilesRepresentation,
    policies: ClientPoliciesRepresentation,
    global_profiles: list[ClientProfileRepresentation],
) -> tuple[ClientPolicy, ...]:
    """The policies that are enabled, in order.

    One that cannot be read - none that was written here - refuses everything, and the log says why.
    """
    known = {str(profile.name): profile for profile in (*global_profiles, *given(profiles.profiles, []))}
    return tuple(
        _compiled(policy, known)
        for policy in given(policies.policies, [])
        if policy.enabled is True and given(policy.conditions, [])
    )


def _compiled(policy: ClientPolicyRepresentation, profiles: Mapping[str, ClientProfileRepresentation]) -> ClientPolicy:
    name = given(policy.name, "")
    try:
        conditions = [
            condition_of(given(each.condition, ""), given(each.configuration, None))
            for each in given(policy.conditions, [])
        ]
        executors = [
            executor_of(given(each.executor, ""), each.configuration)
            for profile in given(policy.profiles, [])
            if profile in profiles
            for each in given(profiles[profile].executors, [])
        ]
    except (InvalidConfiguration, LookupError) as error:
        _log.warning("client policy %r cannot be read, and refuses everything: %s", name, error)
        return ClientPolicy(name, False, (_Unreadable(),), (_Unreadable(),))
    return ClientPolicy(
        name,
        given(policy.mode, "DEFAULT") == "STRICT",
        tuple(condition if condition is not None else _Unreadable() for condition in conditions),
        tuple(executor for executor in executors if executor is not None),
    )
