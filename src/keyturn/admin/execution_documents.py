"""How the admin API tells of the steps of flows (Keycloak ``AuthenticationManagementResource.recurseExecutions``)."""

from collections.abc import Iterator, Mapping
from typing import Any

from keyturn.admin.authenticators import authenticator, choices_of
from keyturn.admin.flow_changes import FlowsOfRealm
from keyturn.representations import UNSET, given, present, replace
from keyturn.representations.authentication import (
    AuthenticationExecutionInfoRepresentation,
    AuthenticationExecutionRepresentation,
)
from keyturn.representations.authentication import (
    AuthenticationFlowRepresentation as Flow,
)
from keyturn.representations.authentication import (
    StoredExecution as Step,
)

__all__ = ["execution", "executions_within"]


def executions_within(flows: FlowsOfRealm, flow: Flow) -> Iterator[AuthenticationExecutionInfoRepresentation]:
    """The steps of a flow in their order, each flow among them followed by its own: once, wherever else it stands."""
    yield from _within(flows, flow, 0, {given(flow.alias, "")})


def _within(
    flows: FlowsOfRealm, flow: Flow, level: int, seen: set[str]
) -> Iterator[AuthenticationExecutionInfoRepresentation]:
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
        if below.alias not in seen:  # one that stands in itself, or twice at each level, would have no end
            seen.add(given(below.alias, ""))
            yield from _within(flows, below, level + 1, seen)


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
