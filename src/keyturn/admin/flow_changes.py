"""The realm's flows while they are changed. They refer to each other by their aliases, which are unique.

Source: Keycloak ``AuthenticationManagementResource``, ``KeycloakModelUtils.deepDeleteAuthenticationFlow``.
"""

from collections.abc import Iterator
from typing import Final

from keyturn.admin.authentication_flows import (
    BOUND_FLOWS,
    check_depth,
    configurations_of,
    numbered_flows,
    priority_behind,
)
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, Conflict, InvalidRequest, NotFound
from keyturn.representations import UNSET, Maybe, given, present, replace
from keyturn.representations.authentication import (
    AuthenticationFlowRepresentation as Flow,
)
from keyturn.representations.authentication import (
    AuthenticatorConfigRepresentation as Configuration,
)
from keyturn.representations.authentication import (
    StoredExecution as Step,
)
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import CLIENTS, REALMS

__all__ = ["REQUIREMENTS", "FlowsOfRealm", "new_step", "refuse_built_in"]

REQUIREMENTS: Final = frozenset({"REQUIRED", "CONDITIONAL", "DISABLED", "ALTERNATIVE"})
_OF_PROVIDERS: Final = ("first_broker_login_flow_alias", "post_broker_login_flow_alias")


class FlowsOfRealm:
    """Flows and configurations of a realm, as they are by now; changes count when they are stored."""

    def __init__(self, realm: RealmView) -> None:
        self.document: RealmRepresentation = realm.reader.get(REALMS, realm.id, realm.id) or realm.realm
        self.flows = numbered_flows(self.document)
        self.configurations = configurations_of(self.document)

    def store(self, realm: RealmAdmin) -> None:
        """Puts all into the store. Raises InvalidRequest where flows stand in each other too deep."""
        check_depth(self.flows)
        changed = replace(self.document, authentication_flows=self.flows, authenticator_config=self.configurations)
        realm.tx.update(REALMS, realm.id, changed)

    def by_id(self, flow_id: str) -> Flow | None:
        """The flow of this id."""
        return next((flow for flow in self.flows if flow.id == flow_id), None)

    def by_alias(self, alias: Maybe[str]) -> Flow | None:
        """The flow of this alias."""
        return next((flow for flow in self.flows if flow.alias == alias), None)

    def step(self, step_id: str) -> tuple[Flow, Step]:
        """A step, and the flow that it is of. Raises NotFound."""
        for flow in self.flows:
            for step in given(flow.authentication_executions, []):
                if step.id == step_id:
                    return flow, step
        raise NotFound("Illegal execution")

    def configuration(self, configuration_id: str) -> Configuration:
        """Raises NotFound."""
        for each in self.configurations:
            if each.id == configuration_id:
                return each
        raise NotFound("Could not find authenticator config")

    def configuration_of(self, step: Step) -> Configuration | None:
        """What a step is configured with."""
        if not present(step.authenticator_config):
            return None
        return next((each for each in self.configurations if each.alias == step.authenticator_config), None)

    def put(self, flow: Flow) -> None:
        """Puts `flow` into the place of the one of its id, or adds it; where its old alias stands, a new one will."""
        before = self.by_id(str(flow.id))
        if before is None:
            self.flows.append(flow)
            return
        self.flows = [flow if each.id == flow.id else each for each in self.flows]
        if before.alias != flow.alias:
            self._rename(before.alias, flow.alias)

    def _rename(self, before: Maybe[str], after: Maybe[str]) -> None:
        for flow in self.flows:
            steps = given(flow.authentication_executions, [])
            if any(present(step.flow_alias) and step.flow_alias == before for step in steps):
                renamed = [
                    replace(step, flow_alias=after) if given(step.flow_alias, None) == before else step
                    for step in steps
                ]
                self.flows = [
                    replace(flow, authentication_executions=renamed) if each.id == flow.id else each
                    for each in self.flows
                ]
        bound = {name: after for name in BOUND_FLOWS if getattr(self.document, name) == before}
        self.document = replace(self.document, **bound)
        providers = given(self.document.identity_providers, [])
        if any(getattr(each, name) == before for each in providers for name in _OF_PROVIDERS):
            self.document = replace(
                self.document,
                identity_providers=[
                    replace(each, **{name: after for name in _OF_PROVIDERS if getattr(each, name) == before})
                    for each in providers
                ],
            )

    def put_step(self, flow: Flow, step: Step) -> None:
        """Puts `step` into the place of the one of its id, or adds it."""
        steps = given(flow.authentication_executions, [])
        if any(each.id == step.id for each in steps):
            steps = [step if each.id == step.id else each for each in steps]
        else:
            steps = [*steps, step]
        self.put(replace(flow, authentication_executions=steps))

    def next_priority(self, flow: Flow) -> int:
        """What puts a step behind all others of a flow."""
        return priority_behind(given(step.priority, 0) for step in given(flow.authentication_executions, []))

    def move(self, step_id: str, by: int) -> None:
        """Lets a step change places with the one before it (-1) or behind it (1); at the edge it stays."""
        flow, step = self.step(step_id)
        refuse_built_in(flow, "It is illegal to modify execution in a built in flow")
        steps = sorted(given(flow.authentication_executions, []), key=lambda each: given(each.priority, 0))
        at = next(index for index, each in enumerate(steps) if each.id == step.id)
        if 0 <= at + by < len(steps):
            other = steps[at + by]
            self.put_step(flow, replace(step, priority=other.priority))
            self.put_step(self.step(step_id)[0], replace(other, priority=step.priority))

    def remove_step(self, step_id: str) -> None:
        """Takes a step away, with its configuration, or with the flow that it is. Raises NotFound, BadRequest."""
        flow, step = self.step(step_id)
        refuse_built_in(flow, "It is illegal to remove execution from a built in flow")
        self._remove(flow, step)

    def _remove(self, flow: Flow, step: Step) -> None:
        steps = [each for each in given(flow.authentication_executions, []) if each.id != step.id]
        self.put(replace(flow, authentication_executions=steps))
        self._forget(step)

    def _forget(self, step: Step) -> None:
        configuration = self.configuration_of(step)
        if configuration is not None and not any(self._configured(configuration)):
            self.configurations = [each for each in self.configurations if each.id != configuration.id]
        below = self.by_alias(step.flow_alias) if present(step.flow_alias) else None
        if below is not None and below.top_level is not True:
            self._remove_flow(below)

    def _configured(self, configuration: Configuration) -> Iterator[Step]:
        for flow in self.flows:
            for step in given(flow.authentication_executions, []):
                if present(step.authenticator_config) and step.authenticator_config == configuration.alias:
                    yield step

    def remove(self, realm: RealmAdmin, flow: Flow) -> None:
        """Takes a flow away, with those in it, and the step that it is elsewhere. Raises AdminError."""
        refuse_built_in(flow, "Can't delete built in flow")
        if any(getattr(self.document, name) == flow.alias for name in BOUND_FLOWS):
            raise InvalidRequest("The flow is one of those that the realm uses")
        providers = given(self.document.identity_providers, [])
        if any(getattr(each, name) == flow.alias for each in providers for name in _OF_PROVIDERS):
            raise InvalidRequest("An identity provider uses the flow")
        named = {"document": f"%{flow.id}%"}
        for client in realm.reader.select(CLIENTS, realm.id, any_like=[named]):
            if flow.id in given(client.authentication_flow_binding_overrides, {}).values():
                raise InvalidRequest(f"The client {client.client_id} uses the flow")
        for above in self.flows:
            for step in given(above.authentication_executions, []):
                if present(step.flow_alias) and step.flow_alias == flow.alias:
                    self._remove(above, step)
                    self._remove_flow(flow)
                    return
        self._remove_flow(flow)

    def _remove_flow(self, flow: Flow) -> None:
        self.flows = [each for each in self.flows if each.id != flow.id]
        for step in given(flow.authentication_executions, []):
            self._forget(step)

    def configure(self, step_id: str, configuration: Configuration) -> None:
        """Adds what a step is configured with from now on; what it had is forgotten."""
        flow, step = self.step(step_id)
        before = self.configuration_of(step)
        if before is not None and all(each.id == step.id for each in self._configured(before)):
            self.configurations = [each for each in self.configurations if each.id != before.id]
        self.put_step(flow, replace(step, authenticator_config=configuration.alias))
        self.configurations = [*self.configurations, configuration]

    def put_configuration(self, before: Configuration, after: Configuration | None) -> None:
        """Puts `after` into the place of `before`, or takes it away, for every step that has it."""
        alias = UNSET if after is None else after.alias
        if alias != before.alias:
            for step in list(self._configured(before)):
                self.put_step(self.step(str(step.id))[0], replace(step, authenticator_config=alias))
        kept = [after if each.id == before.id else each for each in self.configurations]
        self.configurations = [each for each in kept if each is not None]

    def check_new_configuration(self, alias: str, own: Configuration | None = None) -> None:
        """That the alias of a new configuration is free, or is that of `own`. Raises Conflict."""
        if not alias:
            raise Conflict("Failed to create authentication execution configuration with empty alias name")
        taken = (each for each in self.configurations if each.alias == alias)
        if any(own is None or each.id != own.id for each in taken):
            raise Conflict(f"Authentication execution configuration {alias} already exists")

    def copy(self, realm: RealmAdmin, flow: Flow, name: str) -> Flow:
        """A copy of a flow under a new name, which flows and configurations in it have at the beginning of theirs."""
        return self._copy(realm, flow, name, name)

    def _copy(self, realm: RealmAdmin, flow: Flow, alias: str, prefix: str) -> Flow:
        made = replace(flow, id=realm.new_id(), alias=alias, built_in=False, authentication_executions=[])
        self.put(made)  # before those in it: a flow that stands in itself has its name taken
        steps = []
        for step in given(flow.authentication_executions, []):
            copied = replace(step, id=realm.new_id())
            configuration = self.configuration_of(step)
            if configuration is not None:
                named = f"{prefix} {configuration.alias}"
                self.check_new_configuration(named)
                own = replace(configuration, id=realm.new_id(), alias=named)
                self.configurations = [*self.configurations, own]
                copied = replace(copied, authenticator_config=named)
            below = self.by_alias(step.flow_alias) if present(step.flow_alias) else None
            if below is not None:
                named = f"{prefix} {below.alias}"
                if self.by_alias(named) is not None:
                    raise Conflict("New flow alias name already exists")
                copied = replace(copied, flow_alias=self._copy(realm, below, named, prefix).alias)
            steps.append(copied)
        made = replace(made, authentication_executions=steps)
        self.put(made)
        return made


def refuse_built_in(flow: Flow, text: str) -> None:
    """Raises BadRequest with `text` where the flow is one that every realm has."""
    if flow.built_in is True:
        raise BadRequest(text)


def new_step(step_id: str, *, priority: int, requirement: str = "DISABLED", **more: Maybe[str]) -> Step:
    """A step of a flow: an ``authenticator``, or the flow that ``flow_alias`` names."""
    is_flow = "flow_alias" in more
    return Step(
        id=step_id,
        authenticator_flow=is_flow,
        autheticator_flow=is_flow,
        requirement=requirement,
        priority=priority,
        user_setup_allowed=False,
        **more,
    )
