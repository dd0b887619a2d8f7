"""Authentication flows and client authenticators, as far as tools read them.

Source: Keycloak ``AuthenticationManagementResource``.
"""

from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from keyturn.admin.context import RealmView
from keyturn.admin.permissions import (
    QUERY_CLIENTS,
    QUERY_USERS,
    VIEW_REALM,
    Needs,
)
from keyturn.admin.resource import Resource
from keyturn.representations import given, replace
from keyturn.representations.authentication import (
    AuthenticationFlowRepresentation,
    RequiredActionProviderRepresentation,
)
from keyturn.representations.defaults import fragment, listing
from keyturn.representations.realm import RealmRepresentation

__all__ = ["authentication"]

authentication: Final = Resource("authentication")

_WITHOUT_A_FLOW: Final = "saml ecp"
"""Keycloak keeps this flow and does not list it."""


def _but(needs: Needs, role: str) -> Needs:
    return Needs(tuple(roles - {role} for roles in needs.each))


_READ_FLOWS: Final = VIEW_REALM | _but(QUERY_CLIENTS, "manage-clients")
_READ_ACTIONS: Final = VIEW_REALM | _but(QUERY_USERS, "manage-users")


def _kept(realm: RealmView) -> RealmRepresentation:
    """The realm's own flows and actions, if an import brought some, else the usual ones."""
    usual = fragment("authentication", realm.name)
    return replace(
        usual,
        authentication_flows=given(realm.realm.authentication_flows, given(usual.authentication_flows, [])),
        required_actions=given(realm.realm.required_actions, given(usual.required_actions, [])),
    )


@authentication.get("flows", needs=_READ_FLOWS)
def get_flows(realm: RealmView) -> list[AuthenticationFlowRepresentation]:
    """The flows that do not stand inside another one."""
    return [
        replace(flow, id=given(flow.id, str(uuid5(NAMESPACE_URL, f"{realm.id}/{flow.alias}"))))
        for flow in given(_kept(realm).authentication_flows, [])
        if flow.top_level is True and flow.alias != _WITHOUT_A_FLOW
    ]


@authentication.get("required-actions", needs=_READ_ACTIONS)
def get_required_actions(realm: RealmView) -> list[RequiredActionProviderRepresentation]:
    """What people may have to do when they sign in."""
    return list(given(_kept(realm).required_actions, []))


@authentication.get("client-authenticator-providers", needs=VIEW_REALM | QUERY_CLIENTS)
def get_client_authenticator_providers(realm: RealmView) -> Any:
    """How clients may prove who they are."""
    return listing("client_authenticators")
