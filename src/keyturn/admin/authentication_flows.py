"""The realm's authentication flows: kept for tools, never run."""

from typing import Final
from uuid import NAMESPACE_URL, uuid5

from keyturn.representations import given, replace
from keyturn.representations.authentication import (
    AuthenticationFlowRepresentation,
    AuthenticatorConfigRepresentation,
    RequiredActionProviderRepresentation,
)
from keyturn.representations.defaults import fragment
from keyturn.representations.realm import RealmRepresentation

__all__ = ["action_alias", "configurations_of", "exported_flows", "flows_of", "is_flow", "required_actions_of"]

_WITHOUT_A_FLOW: Final = "saml ecp"
"""Keycloak keeps this flow and does not list it."""


def exported_flows(realm: RealmRepresentation) -> list[AuthenticationFlowRepresentation]:
    """The flows that an import brought, else the usual ones; each has an id that never changes."""
    usual = given(fragment("authentication", str(realm.realm)).authentication_flows, [])
    return [
        replace(flow, id=given(flow.id, _id_of(realm, str(flow.alias))))
        for flow in given(realm.authentication_flows, usual)
    ]


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


def required_actions_of(realm: RealmRepresentation) -> list[RequiredActionProviderRepresentation]:
    """The required actions that an import brought, else the usual ones."""
    usual = given(fragment("authentication", str(realm.realm)).required_actions, [])
    return list(given(realm.required_actions, usual))


def action_alias(realm: RealmRepresentation, action: str) -> str:
    """`action` as the realm spells it; one that it does not know stays as it is."""
    known = (str(each.alias) for each in required_actions_of(realm))
    return next((alias for alias in known if alias.lower() == action.lower()), action)


def _id_of(realm: RealmRepresentation, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{realm.id}/{name}"))


def is_flow(realm: RealmRepresentation, flow_id: str) -> bool:
    """Whether there is a flow of this id."""
    return any(flow_id == flow.id for flow in flows_of(realm))
