"""Organizations of people: there are none. Source: Keycloak ``OrganizationsResource``."""

from typing import Any, Final

from keyturn.admin.context import RealmView
from keyturn.admin.errors import ErrorMessage, NotFound
from keyturn.admin.permissions import (
    DECIDED_WITHIN,
    MANAGE_ORGANIZATIONS,
    VIEW_ORGANIZATIONS,
    VIEW_USERS,
    Needs,
)
from keyturn.admin.resource import Resource
from keyturn.store.collections import USERS

__all__ = ["organizations"]

organizations: Final = Resource("organizations")


def _refuse_where_off(realm: RealmView, needs: Needs = VIEW_ORGANIZATIONS) -> None:
    realm.require(needs)
    if realm.realm.organizations_enabled is not True:
        raise ErrorMessage(404, "Organizations not enabled for this realm.")


@organizations.get("", needs=DECIDED_WITHIN)
def get_organizations(realm: RealmView) -> list[Any]:
    """All: none, even where they are on."""
    _refuse_where_off(realm)
    return []


@organizations.get("count", needs=DECIDED_WITHIN)
def get_organizations_count(realm: RealmView) -> int:
    """How many there are: none."""
    _refuse_where_off(realm)
    return 0


@organizations.get("members/{member_id}/organizations", needs=DECIDED_WITHIN)
def get_organizations_of_member(realm: RealmView, member_id: str) -> list[Any]:
    """Those that somebody is a member of: none."""
    _refuse_where_off(realm, VIEW_ORGANIZATIONS & VIEW_USERS)
    if realm.reader.get(USERS, realm.id, member_id) is None:
        raise NotFound
    return []


@organizations.post("", needs=DECIDED_WITHIN, event=None)
def post_organization(realm: RealmView) -> None:
    """Adds none: they are not there, even where they are on."""
    _refuse_where_off(realm, MANAGE_ORGANIZATIONS)
    raise NotFound


@organizations.get("{organization_id}", needs=DECIDED_WITHIN)
def get_organization(realm: RealmView, organization_id: str) -> None:
    """One: there is none."""
    _refuse_where_off(realm)
    raise ErrorMessage(404, "Organization not found.")
