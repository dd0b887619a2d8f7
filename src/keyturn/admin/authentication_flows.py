"""The realm's authentication flows: kept for tools, never run."""

from typing import Final
from uuid import NAMESPACE_URL, uuid5

from keyturn.representations import given, replace
from keyturn.representations.authentication import AuthenticationFlowRepresentation
from keyturn.representations.defaults import fragment
from keyturn.representations.realm import RealmRepresentation

__all__ = ["flows_of", "is_flow"]

_WITHOUT_A_FLOW: Final = "saml ecp"
"""Keycloak keeps this flow and does not list it."""


def flows_of(realm: RealmRepresentation) -> list[AuthenticationFlowRepresentation]:
    """The flows that an import brought, else the usual ones; each has an id that never changes."""
    usual = given(fragment("authentication", str(realm.realm)).authentication_flows, [])
    return [
        replace(flow, id=given(flow.id, str(uuid5(NAMESPACE_URL, f"{realm.id}/{flow.alias}"))))
        for flow in given(realm.authentication_flows, usual)
        if flow.alias != _WITHOUT_A_FLOW
    ]


def is_flow(realm: RealmRepresentation, flow_id: str) -> bool:
    """Whether there is a flow of this id."""
    return any(flow_id == flow.id for flow in flows_of(realm))
