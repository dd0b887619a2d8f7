"""Executors that refuse requests, or change what comes of them."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from keyturn.model.client_policy import Occasion, PolicyEvent, PolicyRefused
from keyturn.oauth2.client_policies.configuration import Configuration, configuration

_TOKEN_REQUESTS: Final = frozenset(
    {
        PolicyEvent.SERVICE_ACCOUNT_TOKEN_REQUEST,
        PolicyEvent.RESOURCE_OWNER_PASSWORD_CREDENTIALS_REQUEST,
        PolicyEvent.TOKEN_REFRESH,
    }
)


class _Unconfigured:
    """An executor without settings."""

    __slots__ = ()

    @classmethod
    def of(cls, document: Any) -> Self:
        """The executor; its configuration must be an object. Raises InvalidConfiguration."""
        configuration(document, Configuration)
        return cls()


@dataclass(frozen=True, slots=True)
class RejectRequest(_Unconfigured):
    """Refuses everything. Source: Keycloak ``RejectRequestExecutor``."""

    id: ClassVar = "reject-request"

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        raise PolicyRefused("invalid_request", "Request not allowed")


@dataclass(frozen=True, slots=True)
class ConfidentialClient(_Unconfigured):
    """Refuses tokens for themselves to clients without a secret. Keycloak ``ConfidentialClientAcceptExecutor``."""

    id: ClassVar = "confidential-client"

    def execute(self, occasion: Occasion) -> None:
        """Raises PolicyRefused."""
        if occasion.event is not PolicyEvent.SERVICE_ACCOUNT_TOKEN_REQUEST or occasion.client is None:
            return
        if occasion.client.public:
            raise PolicyRefused("invalid_client", "invalid client access type: public")
        if occasion.client.bearer_only:
            raise PolicyRefused("invalid_client", "invalid client access type: bearer only")


@dataclass(frozen=True, slots=True)
class UseLightweightAccessToken(_Unconfigured):
    """Has lightweight access tokens issued. Source: Keycloak ``UseLightweightAccessTokenExecutor``."""

    id: ClassVar = "use-lightweight-access-token"

    def execute(self, occasion: Occasion) -> None:
        """Marks `occasion`."""
        if occasion.event in _TOKEN_REQUESTS:
            occasion.lightweight = True


@dataclass(frozen=True, slots=True)
class SuppressRefreshTokenRotation(_Unconfigured):
    """Has a refresh give no new refresh token. Source: Keycloak ``SuppressRefreshTokenRotationExecutor``."""

    id: ClassVar = "suppress-refresh-token-rotation"

    def execute(self, occasion: Occasion) -> None:
        """Marks `occasion`."""
        if occasion.event is PolicyEvent.TOKEN_REFRESH_RESPONSE:
            occasion.keeps_refresh_token = True


@dataclass(frozen=True, slots=True)
class RegistrationAccessTokenRotationDisabled(_Unconfigured):
    """Leaves registration access tokens as they are.

    Source: Keycloak ``RegistrationAccessTokenRotationDisabledExecutor``.
    """

    id: ClassVar = "registration-access-token-rotation-disabled"

    def execute(self, occasion: Occasion) -> None:
        """Marks `occasion`."""
        occasion.keeps_registration_token = True
