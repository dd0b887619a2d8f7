"""The realm's authentication flows: kept for tools, never run."""

from collections import Counter
from collections.abc import Iterable
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from keyturn.admin.authenticators import open_settings
from keyturn.admin.errors import InvalidRequest
from keyturn.representations import UNSET, given, replace
from keyturn.representations.authentication import (
    AuthenticationFlowRepresentation,
    AuthenticatorConfigRepresentation,
    RequiredActionProviderRepresentation,
    StoredExecution,
)
from keyturn.representations.defaults import fragment
from keyturn.representations.realm import RealmRepresentation

__all__ = [
    "BOUND_FLOWS",
    "MASK",
    "action_alias",
    "check_depth",
    "configurations_of",
    "exported_flows",
    "flows_of",
    "is_flow",
    "numbered_flows",
    "priority_behind",
    "required_actions_of",
    "shown_configuration",
    "shown_flow",
]

BOUND_FLOWS: Final = (
    "browser_flow",
    "registration_flow",
    "direct_grant_flow",
    "reset_credentials_flow",
    "client_authentication_flow",
    "docker_authentication_flow",
    "first_broker_login_flow",
)
"""The fields of a realm that name a flow."""

MASK: Final = "**********"
"""What is secret in a configuration shows as."""

_LARGEST: Final = 2**31 - 1
"""No document with a larger priority could be read again."""

_DEEPEST: Final = 100
"""How deep flows may stand in each other; Keycloak has no bound, and fails somewhere."""

_WITHOUT_A_FLOW: Final = "saml ecp"
"""Keycloak keeps this flow and does not list it."""


def numbered_flows(realm: RealmRepresentation) -> list[AuthenticationFlowRepresentation]:
    """The realm's own flows, else the usual ones. Each has an id that never changes, and so has each step of it."""
    usual = given(fragment("authentication", str(realm.realm)).authentication_flows, [])
    return [_numbered(realm, flow) for flow in given(realm.authentication_flows, usual)]


def _numbered(realm: RealmRepresentation, flow: AuthenticationFlowRepresentation) -> AuthenticationFlowRepresentation:
    flow_id = given(flow.id, _id_of(realm, str(flow.alias)))
    seen = Counter[str]()
    steps = []
    for step in given(flow.authentication_executions, []):
        name = f"{flow_id}/{given(step.flow_alias, '')}/{given(step.authenticator, '')}"
        seen[name] += 1
        steps.append(replace(step, id=given(step.id, _id_of(realm, f"{name}/{seen[name]}"))))
    return replace(flow, id=flow_id, authentication_executions=steps)


def shown_flow(flow: AuthenticationFlowRepresentation) -> AuthenticationFlowRepresentation:
    """As the wire has it: its steps in their order, and without their ids."""
    steps = sorted(given(flow.authentication_executions, []), key=lambda step: given(step.priority, 0))
    return replace(flow, authentication_executions=[_shown(step) for step in steps])


def _shown(step: StoredExecution) -> StoredExecution:
    return replace(step, id=UNSET)


def exported_flows(realm: RealmRepresentation) -> list[AuthenticationFlowRepresentation]:
    """The flows as exports have them."""
    return [shown_flow(flow) for flow in numbered_flows(realm)]


def flows_of(realm: RealmRepresentation) -> list[AuthenticationFlowRepresentation]:
    """The flows as they are listed."""
    return [flow for flow in exported_flows(realm) if flow.alias != _WITHOUT_A_FLOW]


def configurations_of(realm: RealmRepresentation) -> list[AuthenticatorConfigRepresentation]:
    """The settings of the flows' steps: those that an import brought, else the usual ones."""
    usual = given(fragment("authentication", str(realm.realm)).authenticator_config, [])
    return [
        replace(each, id=given(each.id, _id_of(realm, f"config/{each.alias}")))
        for each in given(realm.authenticator_config, usual)
    ]


def shown_configuration(configuration: AuthenticatorConfigRepresentation) -> AuthenticatorConfigRepresentation:
    """As the wire has it: what no authenticator declares is masked, as are secrets.

    Whose configuration it is does not matter. Source: Keycloak ``StripSecretsUtils``.
    """
    config, known = given(configuration.config, {}), open_settings()
    return replace(configuration, config={name: text if name in known else MASK for name, text in config.items()})


def priority_behind(priorities: Iterable[int]) -> int:
    """What stands behind all of these `priorities`; beside the largest that there can be."""
    return min(max(priorities, default=-1) + 1, _LARGEST)


def required_actions_of(realm: RealmRepresentation) -> list[RequiredActionProviderRepresentation]:
    """The realm's own required actions, else the usual ones, in their order."""
    usual = given(fragment("authentication", str(realm.realm)).required_actions, [])
    return sorted(given(realm.required_actions, usual), key=lambda action: given(action.priority, 0))


def check_depth(flows: Iterable[AuthenticationFlowRepresentation]) -> None:
    """Raises InvalidRequest where flows stand in each other too deep to be told, copied and removed."""
    below = {
        given(flow.alias, ""): [given(step.flow_alias, "") for step in given(flow.authentication_executions, [])]
        for flow in flows
    }
    depths: dict[str, int] = {}
    for start in below:
        path = [] if start in depths else [start]
        while path:
            alias = path[-1]
            depths.setdefault(alias, 0)  # what stands in itself is as deep as everything else in it
            unknown = next((each for each in below[alias] if each in below and each not in depths), None)
            if unknown is not None and len(path) <= _DEEPEST:
                path.append(unknown)
                continue
            depths[alias] = 1 + max((depths.get(each, 0) for each in below[alias] if each in below), default=0)
            path.pop()
            if unknown is not None or depths[alias] > _DEEPEST:
                raise InvalidRequest(f"Flows stand in each other more than {_DEEPEST} deep")


def action_alias(realm: RealmRepresentation, action: str) -> str:
    """`action` as the realm spells it; one that it does not know stays as it is."""
    known = (str(each.alias) for each in required_actions_of(realm))
    return next((alias for alias in known if alias.lower() == action.lower()), action)


def _id_of(realm: RealmRepresentation, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{realm.id}/{name}"))


def is_flow(realm: RealmRepresentation, flow_id: str) -> bool:
    """Whether there is a flow of this id."""
    return any(flow_id == flow.id for flow in flows_of(realm))
