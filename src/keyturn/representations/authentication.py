"""Authentication flows and required actions: kept for those who administer them, never acted on."""

from typing import Annotated, Any, Final

from keyturn.representations.base import UNSET, Integer, Maybe, Representation, kept
from keyturn.representations.secrecy import secret_entries

__all__ = [
    "AuthenticationExecutionExportRepresentation",
    "AuthenticationExecutionInfoRepresentation",
    "AuthenticationExecutionRepresentation",
    "AuthenticationFlowRepresentation",
    "AuthenticatorConfigInfoRepresentation",
    "AuthenticatorConfigRepresentation",
    "CopiedFlow",
    "NewExecution",
    "NewSubFlow",
    "RequiredActionConfigInfoRepresentation",
    "RequiredActionConfigRepresentation",
    "RequiredActionProviderRepresentation",
    "StoredExecution",
    "UnregisteredRequiredAction",
]


_LOGIN_PAGES: Final = kept("login pages")


class AuthenticationExecutionExportRepresentation(Representation):
    """A step of a flow in an import or export."""

    authenticator_config: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    authenticator: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    authenticator_flow: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    requirement: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    priority: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    autheticator_flow: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    flow_alias: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    user_setup_allowed: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET


class StoredExecution(AuthenticationExecutionExportRepresentation):
    """A step of a flow. Its ``id`` is kept here, and told by other documents only."""

    id: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET


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


class AuthenticationExecutionRepresentation(Representation):
    """A step of a flow by itself."""

    id: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    authenticator_config: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    authenticator: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    authenticator_flow: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    requirement: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    priority: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    autheticator_flow: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    flow_id: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    parent_flow: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET


class NewExecution(Representation):
    """A step to be added to a flow."""

    id: Maybe[str] = UNSET
    provider: Maybe[str] = UNSET
    priority: Maybe[Integer] = UNSET


class NewSubFlow(Representation):
    """A flow to be added to another one."""

    id: Maybe[str] = UNSET
    alias: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    provider: Maybe[str] = UNSET
    type: Maybe[str] = UNSET
    priority: Maybe[Integer] = UNSET


class CopiedFlow(Representation):
    """How the copy of a flow is to be called."""

    id: Maybe[str] = UNSET
    new_name: Maybe[str] = UNSET


class AuthenticationFlowRepresentation(Representation):
    """An authentication flow."""

    id: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    alias: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    description: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    provider_id: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    top_level: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    built_in: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    authentication_executions: Annotated[Maybe[list[StoredExecution]], _LOGIN_PAGES] = UNSET


class AuthenticatorConfigRepresentation(Representation):
    """A step's configuration."""

    id: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    alias: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    config: Annotated[Maybe[dict[str, str]], secret_entries("api.key", "secret.key"), _LOGIN_PAGES] = UNSET


class AuthenticatorConfigInfoRepresentation(Representation):
    """What a step can be configured with."""

    name: Maybe[str] = UNSET
    provider_id: Maybe[str] = UNSET
    help_text: Maybe[str] = UNSET
    properties: Maybe[list[dict[str, Any]]] = UNSET


class RequiredActionConfigRepresentation(Representation):
    """A required action's configuration."""

    config: Annotated[Maybe[dict[str, str]], _LOGIN_PAGES] = UNSET


class RequiredActionConfigInfoRepresentation(Representation):
    """What a required action can be configured with."""

    properties: Maybe[list[dict[str, Any]]] = UNSET


class UnregisteredRequiredAction(Representation):
    """A required action that a realm does not have."""

    id: Maybe[str] = UNSET
    provider_id: Maybe[str] = UNSET
    name: Maybe[str] = UNSET


class RequiredActionProviderRepresentation(Representation):
    """A required action."""

    alias: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    name: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    provider_id: Annotated[Maybe[str], _LOGIN_PAGES] = UNSET
    enabled: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    default_action: Annotated[Maybe[bool], _LOGIN_PAGES] = UNSET
    priority: Annotated[Maybe[Integer], _LOGIN_PAGES] = UNSET
    config: Annotated[Maybe[dict[str, str]], _LOGIN_PAGES] = UNSET
