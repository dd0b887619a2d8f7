"""Authentication flows and required actions: kept for imports and exports, never acted on."""

from keyturn.representations.base import UNSET, Integer, Maybe, Representation

__all__ = [
    "AuthenticationExecutionExportRepresentation",
    "AuthenticationExecutionInfoRepresentation",
    "AuthenticationFlowRepresentation",
    "AuthenticatorConfigRepresentation",
    "RequiredActionProviderRepresentation",
]


class AuthenticationExecutionExportRepresentation(Representation):
    """A step of a flow in an import or export."""

    authenticator_config: Maybe[str] = UNSET
    authenticator: Maybe[str] = UNSET
    authenticator_flow: Maybe[bool] = UNSET
    requirement: Maybe[str] = UNSET
    priority: Maybe[Integer] = UNSET
    autheticator_flow: Maybe[bool] = UNSET
    flow_alias: Maybe[str] = UNSET
    user_setup_allowed: Maybe[bool] = UNSET


class AuthenticationExecutionInfoRepresentation(Representation):
    """A step of a flow as the admin API lists it."""

    id: Maybe[str] = UNSET
    requirement: Maybe[str] = UNSET
    display_name: Maybe[str] = UNSET
    alias: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    requirement_choices: Maybe[list[str]] = UNSET
    configurable: Maybe[bool] = UNSET
    authentication_flow: Maybe[bool] = UNSET
    provider_id: Maybe[str] = UNSET
    authentication_config: Maybe[str] = UNSET
    flow_id: Maybe[str] = UNSET
    level: Maybe[Integer] = UNSET
    index: Maybe[Integer] = UNSET
    priority: Maybe[Integer] = UNSET


class AuthenticationFlowRepresentation(Representation):
    """An authentication flow."""

    id: Maybe[str] = UNSET
    alias: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    provider_id: Maybe[str] = UNSET
    top_level: Maybe[bool] = UNSET
    built_in: Maybe[bool] = UNSET
    authentication_executions: Maybe[list[AuthenticationExecutionExportRepresentation]] = UNSET


class AuthenticatorConfigRepresentation(Representation):
    """A step's configuration."""

    id: Maybe[str] = UNSET
    alias: Maybe[str] = UNSET
    config: Maybe[dict[str, str]] = UNSET


class RequiredActionProviderRepresentation(Representation):
    """A required action."""

    alias: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    provider_id: Maybe[str] = UNSET
    enabled: Maybe[bool] = UNSET
    default_action: Maybe[bool] = UNSET
    priority: Maybe[Integer] = UNSET
    config: Maybe[dict[str, str]] = UNSET
