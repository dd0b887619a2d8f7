"""User federation: there is none to be synchronized. Source: Keycloak ``UserStorageProviderResource``."""

from typing import Final

from keyturn.admin.context import RealmView
from keyturn.admin.errors import NotFound
from keyturn.admin.permissions import MANAGE_USERS
from keyturn.admin.resource import Resource

__all__ = ["user_storage"]

user_storage: Final = Resource("user storage")
_NONE: Final = "Could not find component"


@user_storage.post("{component_id}/sync", needs=MANAGE_USERS, event=None)
def sync_users(realm: RealmView, component_id: str) -> None:
    """Fetches users: from nowhere."""
    raise NotFound(_NONE)


@user_storage.post("{component_id}/remove-imported-users", needs=MANAGE_USERS, event=None)
def remove_imported_users(realm: RealmView, component_id: str) -> None:
    """Forgets users that were fetched: there are none."""
    raise NotFound(_NONE)


@user_storage.post("{component_id}/unlink-users", needs=MANAGE_USERS, event=None)
def unlink_users(realm: RealmView, component_id: str) -> None:
    """Keeps users that were fetched: there are none."""
    raise NotFound(_NONE)
