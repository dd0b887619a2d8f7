"""One realm. Source: Keycloak ``RealmAdminResource``."""

from typing import Final

from keyturn.admin.context import RealmView
from keyturn.admin.permissions import ANY_ROLE
from keyturn.admin.resource import Resource
from keyturn.representations.realm import RealmRepresentation

__all__ = ["realm_resource"]

realm_resource: Final = Resource("realm")


@realm_resource.get("", needs=ANY_ROLE)
def get_realm(realm: RealmView) -> RealmRepresentation:
    """The realm, or what little of it the caller may see."""
    return realm.realm
