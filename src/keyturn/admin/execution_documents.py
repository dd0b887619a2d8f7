"""How the admin API tells of the steps of flows (Keycloak ``AuthenticationManagementResource.recurseExecutions``)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from keyturn.admin.authenticators import authenticator, choices_of
from keyturn.admin.flow_changes import FlowsOfRealm
from keyturn.representations import UNSET, given, present, replace
from keyturn.representations.authentication import (
    AuthenticationExecutionInfoRepresentation,
    AuthenticationExecutionRepresentation,
    AuthenticatorConfigRepresentation,
)
from keyturn.representations.authentication import (
    AuthenticationFlowRepresentation as Flow,
)
from keyturn.representations.authentication import (
    StoredExecution as Step,
)

__all__ = ["MASK", "execution", "executions_within", "shown_configuration"]

MASK: Final = "**********"


def executions_within(
    flows: FlowsOfRealm, flow: Flow, level: int = 0
) -> Iterator[AuthenticationExecutionInfoRepresentation]:
    """The steps of a flow in their order, each flow among them followed by its own."""
    steps = sorted(given(flow.authentication_executions, []), key=lambda step: given(step.priority, 0))
    for index, step in enumerate(steps):
        below = flows.by_alias(step.flow_alias) if present(step.flow_alias) else None
        known = authenticator(given(step.authenticator, ""))
        told = AuthenticationExecutionInfoRepresentation(
            id=step.id, requirement=step.requirement, level=level, index=index, priority=given(step.priority, 0)
        )
        if below is None:
            yield _simple(flows, step, told, known or {})
            continue
        yield replace(
            told,
            display_name=below.alias,
            description=below.description,
            requirement_choices=choices_of(given(below.provider_id, "")),
            configurable=False,
            authentication_flow=True,
            provider_id=step.authenticator,
            flow_id=below.id,
        )
        yield from executions_within(flows, below, level + 1)


def _simple(
    flows: FlowsOfRealm, step: Step, told: AuthenticationExecutionInfoRepresentation, known: Mapping[str, Any]
) -> AuthenticationExecutionInfoRepresentation:
    configuration = flows.configuration_of(step)
    configurable = known.get("configurable", False)
    return replace(
        told,
        display_name=known.get("displayName", UNSET),
        alias=configuration.alias if configuration is not None and configurable else UNSET,
        requirement_choices=known.get("requirementChoices", []),
        configurable=configurable,
        provider_id=step.authenticator,
        authentication_config=configuration.id if configuration is not None else UNSET,
    )


def execution(flows: FlowsOfRealm, flow: Flow, step: Step) -> AuthenticationExecutionRepresentation:
    """One step by itself."""
    below = flows.by_alias(step.flow_alias) if present(step.flow_alias) else None
    configuration = flows.configuration_of(step)
    return AuthenticationExecutionRepresentation(
        id=step.id,
        authenticator_config=configuration.id if configuration is not None else UNSET,
        authenticator=step.authenticator,
        authenticator_flow=below is not None,
        autheticator_flow=below is not None,
        requirement=step.requirement,
        priority=given(step.priority, 0),
        flow_id=below.id if below is not None else UNSET,
        parent_flow=flow.id,
    )


def shown_configuration(
    flows: FlowsOfRealm, configuration: AuthenticatorConfigRepresentation
) -> AuthenticatorConfigRepresentation:
    """As the wire has it: what no authenticator that has it declares is masked, as are secrets."""
    open_: set[str] = set()
    for flow in flows.flows:
        for step in given(flow.authentication_executions, []):
            if present(step.authenticator_config) and step.authenticator_config == configuration.alias:
                known = authenticator(given(step.authenticator, "")) or {}
                open_ |= {each["name"] for each in known.get("properties", []) if not each.get("secret")}
    config = given(configuration.config, {})
    return replace(configuration, config={name: text if name in open_ else MASK for name, text in config.items()})
