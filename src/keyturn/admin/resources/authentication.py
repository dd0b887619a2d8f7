"""Authentication flows and their steps: kept as they are administered, never run.

Source: Keycloak ``AuthenticationManagementResource``.
"""

from typing import Any, Final
from urllib.parse import quote

from keyturn.admin import authenticators
from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.authentication_flows import flows_of, shown_flow
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, Conflict, ErrorMessage, InvalidRequest, KnownDuplicate, NotFound
from keyturn.admin.execution_documents import execution, executions_within
from keyturn.admin.flow_changes import REQUIREMENTS, FlowsOfRealm, new_step, refuse_built_in
from keyturn.admin.lengths import check_lengths
from keyturn.admin.permissions import MANAGE_REALM, QUERY_CLIENTS, VIEW_REALM, Needs
from keyturn.admin.reserved_characters import check_characters
from keyturn.admin.resource import Resource
from keyturn.representations import Maybe, given, present, replace
from keyturn.representations.authentication import (
    AuthenticationExecutionInfoRepresentation,
    AuthenticationExecutionRepresentation,
    AuthenticationFlowRepresentation,
    CopiedFlow,
    NewExecution,
    NewSubFlow,
)
from keyturn.representations.defaults import listing

__all__ = ["authentication"]

authentication: Final = Resource("authentication", event=Recorded("AUTH_FLOW"))


def _nothing_below(_result: Any, _body: Any) -> None:
    """The path is that of the request, whatever was made."""


_EXECUTION: Final = Recorded("AUTH_EXECUTION", numbered=True, below=_nothing_below)
_MOVED: Final = Recorded("AUTH_EXECUTION", operation="UPDATE")
_SUB_FLOW: Final = Recorded("AUTH_EXECUTION_FLOW", numbered=True, below=_nothing_below)
_COPY: Final = Recorded("AUTH_FLOW", numbered=True, below=_nothing_below)
_READ_FLOWS: Final = VIEW_REALM | Needs(tuple(roles - {"manage-clients"} for roles in QUERY_CLIENTS.each))
_NO_FLOW: Final = "Could not find flow with id"


def _under(realm: RealmView, kind: str) -> str:
    return f"/admin/realms/{quote(realm.name, safe='')}/authentication/{kind}"


def _found(flows: FlowsOfRealm, flow_id: str, text: str = _NO_FLOW) -> AuthenticationFlowRepresentation:
    flow = flows.by_id(flow_id)
    if flow is None:
        raise NotFound(text)
    return flow


def _named(flows: FlowsOfRealm, alias: str, text: str = "Flow not found") -> AuthenticationFlowRepresentation:
    flow = flows.by_alias(alias)
    if flow is None:
        raise NotFound(text)
    return flow


def _requirement(sent: Maybe[str]) -> str:
    requirement = given(sent, "")
    if requirement not in REQUIREMENTS:
        raise InvalidRequest(f"A step's requirement is one of {', '.join(sorted(REQUIREMENTS))}")
    return requirement


@authentication.get("flows", needs=_READ_FLOWS)
def get_flows(realm: RealmView) -> list[AuthenticationFlowRepresentation]:
    """The flows that do not stand inside another one."""
    return [flow for flow in flows_of(realm.realm) if flow.top_level is True]


@authentication.post("flows", needs=MANAGE_REALM)
def post_flow(realm: RealmAdmin, flow: AuthenticationFlowRepresentation) -> Created:
    """Adds an empty flow."""
    flows = FlowsOfRealm(realm)
    alias = given(flow.alias, "")
    if not alias:
        raise Conflict("Failed to create flow with empty alias name")
    if flows.by_alias(alias) is not None:
        raise Conflict(f"Flow {alias} already exists")
    check_characters(alias)
    if not present(flow.provider_id):
        raise KnownDuplicate
    check_lengths(alias, flow.description, flow.provider_id, ids=(flow.id,))
    made = AuthenticationFlowRepresentation(
        id=given(flow.id, "") or realm.new_id(),
        alias=alias,
        description=given(flow.description, ""),
        provider_id=flow.provider_id,
        top_level=given(flow.top_level, False),
        built_in=given(flow.built_in, False),
        authentication_executions=[],
    )
    if flows.by_id(str(made.id)) is not None:
        raise KnownDuplicate
    flows.put(made)
    flows.store(realm)
    return Created(str(made.id))


@authentication.get("flows/{flow}", needs=VIEW_REALM)
def get_flow(realm: RealmView, flow: str) -> AuthenticationFlowRepresentation:
    """One, by its `id`."""
    return shown_flow(_found(FlowsOfRealm(realm), flow))


@authentication.put("flows/{flow}", needs=MANAGE_REALM)
def put_flow(realm: RealmAdmin, flow: str, change: AuthenticationFlowRepresentation) -> NoContent:
    """Replaces what a flow is, but not its steps. It is followed where it stands under its old alias."""
    flows = FlowsOfRealm(realm)
    before = _found(flows, flow)
    alias = given(change.alias, "")
    if not alias:
        raise Conflict("Failed to update flow with empty alias name")
    if alias != before.alias and flows.by_alias(alias) is not None:
        raise Conflict("Flow alias name already exists")
    check_characters(alias)
    if not present(change.provider_id):
        raise KnownDuplicate
    check_lengths(alias, change.description, change.provider_id)
    flows.put(
        replace(
            before,
            alias=alias,
            description=change.description,
            provider_id=change.provider_id,
            top_level=given(change.top_level, False),
            built_in=given(change.built_in, False),
        )
    )
    flows.store(realm)
    return NoContent()


@authentication.delete("flows/{flow}", needs=MANAGE_REALM)
def delete_flow(realm: RealmAdmin, flow: str) -> NoContent:
    """Removes a flow of the realm's own, and the flows in it."""
    flows = FlowsOfRealm(realm)
    flows.remove(realm, _found(flows, flow, "Flow not found"))
    flows.store(realm)
    return NoContent()


@authentication.post("flows/{flow}/copy", needs=MANAGE_REALM, ignore_unknown=True, event=_COPY)
def copy_flow(realm: RealmAdmin, flow: str, copied: CopiedFlow) -> Created:
    """Copies a flow, by its alias, with the flows and configurations in it."""
    flows = FlowsOfRealm(realm)
    name = given(copied.new_name, "")
    if name and flows.by_alias(name) is not None:
        raise Conflict("New flow alias name already exists")
    original = _named(flows, flow)
    if not name:
        raise InvalidRequest("A copy needs its newName")
    check_characters(name)
    check_lengths(name)
    made = flows.copy(realm, original, name)
    flows.store(realm)
    return Created(str(made.id))


@authentication.get("flows/{flow}/executions", needs=VIEW_REALM)
def get_executions(realm: RealmView, flow: str) -> list[AuthenticationExecutionInfoRepresentation]:
    """The steps of a flow, by its alias, each flow among them followed by its own."""
    flows = FlowsOfRealm(realm)
    return list(executions_within(flows, _named(flows, flow)))


@authentication.put(
    "flows/{flow}/executions",
    needs=MANAGE_REALM,
    event=Recorded("AUTH_EXECUTION"),
)
def put_execution(realm: RealmAdmin, flow: str, change: AuthenticationExecutionInfoRepresentation) -> NoContent:
    """Changes what is required of a step, and its place; of one that is a flow the name and description, too."""
    flows = FlowsOfRealm(realm)
    _named(flows, flow, "flow not found")
    above, step = flows.step(given(change.id, ""))
    changed = replace(step, requirement=_requirement(change.requirement), priority=given(change.priority, 0))
    flows.put_step(above, changed)
    if change.authentication_flow is True:
        _change_sub_flow(flows, change)
    flows.store(realm)
    return NoContent()


def _change_sub_flow(flows: FlowsOfRealm, change: AuthenticationExecutionInfoRepresentation) -> None:
    below = _found(flows, given(change.flow_id, ""), "Illegal execution")
    alias = given(change.display_name, below.alias)
    check_lengths(alias, change.description)
    if alias != below.alias and flows.by_alias(alias) is not None:
        raise Conflict("Flow alias name already exists")
    flows.put(replace(below, alias=alias, description=given(change.description, below.description)))


@authentication.post("flows/{flow}/executions/execution", needs=MANAGE_REALM, ignore_unknown=True, event=_EXECUTION)
def post_execution(realm: RealmAdmin, flow: str, execution: NewExecution) -> Created:
    """Adds a step to a flow, by its alias; disabled at first."""
    flows = FlowsOfRealm(realm)
    above = flows.by_alias(flow)
    if above is None:
        raise BadRequest("Parent flow doesn't exist")
    refuse_built_in(above, "It is illegal to add execution to a built in flow")
    provider = given(execution.provider, "")
    known = authenticators.authenticator(provider)
    if known is None or known["kind"] != authenticators.kind_within(given(above.provider_id, "")):
        raise BadRequest(f"No authentication provider found for id: {provider or 'null'}")
    priority = given(execution.priority, flows.next_priority(above))
    step = new_step(realm.new_id(), priority=priority, authenticator=provider)
    flows.put_step(above, step)
    flows.store(realm)
    return Created(str(step.id), _under(realm, "executions"))


@authentication.post("flows/{flow}/executions/flow", needs=MANAGE_REALM, ignore_unknown=True, event=_SUB_FLOW)
def post_sub_flow(realm: RealmAdmin, flow: str, sub_flow: NewSubFlow) -> Created:
    """Adds a flow to another one, by its alias; disabled at first."""
    flows = FlowsOfRealm(realm)
    above = flows.by_alias(flow)
    if above is None:
        raise ErrorMessage(400, "Parent flow doesn't exist")
    refuse_built_in(above, "It is illegal to add sub-flow to a built in flow")
    alias, kind = given(sub_flow.alias, ""), given(sub_flow.type, "")
    if flows.by_alias(alias) is not None:
        raise Conflict("New flow alias name already exists")
    if not alias or not kind:
        raise InvalidRequest("A flow needs its alias and type")
    check_lengths(alias, kind, sub_flow.description, sub_flow.provider)
    made = AuthenticationFlowRepresentation(
        id=realm.new_id(),
        alias=alias,
        description=given(sub_flow.description, ""),
        provider_id=kind,
        top_level=False,
        built_in=False,
        authentication_executions=[],
    )
    priority = given(sub_flow.priority, flows.next_priority(above))
    step = new_step(realm.new_id(), priority=priority, flow_alias=alias)
    if kind == authenticators.FORM:
        step = replace(step, authenticator=sub_flow.provider)
    flows.put(made)
    flows.put_step(above, step)
    flows.store(realm)
    return Created(str(made.id), _under(realm, "flows"))


@authentication.post("executions", needs=MANAGE_REALM, event=Recorded("AUTH_EXECUTION", numbered=True))
def post_any_execution(realm: RealmAdmin, execution: AuthenticationExecutionRepresentation) -> Created:
    """Adds a step to the flow that ``parentFlow`` is the `id` of."""
    flows = FlowsOfRealm(realm)
    requirement = _requirement(execution.requirement)
    above = flows.by_id(given(execution.parent_flow, ""))
    if above is None:
        raise BadRequest("Parent flow doesn't exist")
    refuse_built_in(above, "It is illegal to add execution to a built in flow")
    below = flows.by_id(given(execution.flow_id, ""))
    step = new_step(
        given(execution.id, "") or realm.new_id(),
        priority=given(execution.priority, flows.next_priority(above)),
        requirement=requirement,
        **({"authenticator": execution.authenticator} if below is None else {"flow_alias": below.alias}),
    )
    flows.put_step(above, step)
    flows.store(realm)
    return Created(str(step.id))


@authentication.get("executions/{execution_id}", needs=VIEW_REALM)
def get_execution(realm: RealmView, execution_id: str) -> AuthenticationExecutionRepresentation:
    """One step."""
    flows = FlowsOfRealm(realm)
    return execution(flows, *flows.step(execution_id))


@authentication.delete("executions/{execution_id}", needs=MANAGE_REALM, event=Recorded("AUTH_EXECUTION"))
def delete_execution(realm: RealmAdmin, execution_id: str) -> NoContent:
    """Removes a step from a flow of the realm's own; with it the flow that it is, and its configuration."""
    flows = FlowsOfRealm(realm)
    flows.remove_step(execution_id)
    flows.store(realm)
    return NoContent()


@authentication.post("executions/{execution_id}/raise-priority", needs=MANAGE_REALM, event=_MOVED)
def raise_priority(realm: RealmAdmin, execution_id: str) -> NoContent:
    """Changes places with the step before it."""
    return _moved(realm, execution_id, -1)


@authentication.post("executions/{execution_id}/lower-priority", needs=MANAGE_REALM, event=_MOVED)
def lower_priority(realm: RealmAdmin, execution_id: str) -> NoContent:
    """Changes places with the step behind it."""
    return _moved(realm, execution_id, 1)


def _moved(realm: RealmAdmin, execution_id: str, by: int) -> NoContent:
    flows = FlowsOfRealm(realm)
    flows.move(execution_id, by)
    flows.store(realm)
    return NoContent()


@authentication.get("authenticator-providers", needs=VIEW_REALM)
def get_authenticator_providers(realm: RealmView) -> list[Any]:
    """What the steps of a flow can be."""
    return authenticators.listed("authenticator")


@authentication.get("client-authenticator-providers", needs=VIEW_REALM | QUERY_CLIENTS)
def get_client_authenticator_providers(realm: RealmView) -> Any:
    """How clients may prove who they are."""
    return listing("client_authenticators")


@authentication.get("form-providers", needs=VIEW_REALM)
def get_form_providers(realm: RealmView) -> list[Any]:
    """What a flow that is a form can be."""
    return authenticators.listed("form")


@authentication.get("form-action-providers", needs=VIEW_REALM)
def get_form_action_providers(realm: RealmView) -> list[Any]:
    """What the steps of a form can be."""
    return authenticators.listed("form_action")


@authentication.get("per-client-config-description", needs=VIEW_REALM | QUERY_CLIENTS)
def get_client_authenticator_settings(realm: RealmView) -> Any:
    """What a client can say of how it proves who it is."""
    return listing("client_authenticator_settings")
