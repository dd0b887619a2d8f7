"""Authentication flows and client authenticators, as far as tools read them.

Source: Keycloak ``AuthenticationManagementResource``.
"""

from typing import Any, Final

from keyturn.admin.authentication_flows import flows_of, required_actions_of
from keyturn.admin.context import RealmView
from keyturn.admin.permissions import (
    QUERY_CLIENTS,
    QUERY_USERS,
    VIEW_REALM,
    Needs,
)
from keyturn.admin.resource import Resource
from keyturn.representations.authentication import (
    AuthenticationFlowRepresentation,
    RequiredActionProviderRepresentation,
)
from keyturn.representations.defaults import listing

__all__ = ["authentication"]

authentication: Final = Resource("authentication")


def _but(needs: Needs, role: str) -> Needs:
    return Needs(tuple(roles - {role} for roles in needs.each))


_READ_FLOWS: Final = VIEW_REALM | _but(QUERY_CLIENTS, "manage-clients")
_READ_ACTIONS: Final = VIEW_REALM | _but(QUERY_USERS, "manage-users")


@authentication.get("flows", needs=_READ_FLOWS)
def get_flows(realm: RealmView) -> list[AuthenticationFlowRepresentation]:
    """The flows that do not stand inside another one."""
    return [flow for flow in flows_of(realm.realm) if flow.top_level is True]


@authentication.get("required-actions", needs=_READ_ACTIONS)
def get_required_actions(realm: RealmView) -> list[RequiredActionProviderRepresentation]:
    """What people may have to do when they sign in."""
    return required_actions_of(realm.realm)


@authentication.get("client-authenticator-providers", needs=VIEW_REALM | QUERY_CLIENTS)
def get_client_authenticator_providers(realm: RealmView) -> Any:
    """How clients may prove who they are."""
    return listing("client_authenticators")
