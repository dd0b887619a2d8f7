"""Users. Source: Keycloak ``UsersResource``."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import Created
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.permissions import MANAGE_USERS, QUERY_USERS, VIEW_USERS
from keyturn.admin.resource import Resource
from keyturn.admin.user_access import listed_users
from keyturn.admin.user_changes import create_user
from keyturn.admin.user_passwords import hashed
from keyturn.admin.user_search import UserQuery, count_users, search_users
from keyturn.representations import UNSET, given, present, replace
from keyturn.representations.user import UserRepresentation

__all__ = ["users"]


def _without_credentials(_realm: RealmView, _values: Mapping[str, Any], user: UserRepresentation) -> UserRepresentation:
    return replace(user, credentials=UNSET)


users: Final = Resource("users", event=Recorded("USER", shows=_without_credentials))


@users.get("", needs=QUERY_USERS)
def get_users(realm: RealmView, query: UserQuery) -> list[UserRepresentation]:
    """A page of users by user name; none for who may only query them."""
    found = search_users(realm, query)
    if not realm.may(VIEW_USERS):
        return []
    return listed_users(realm, found, brief=query.brief_representation)


@users.get("count", needs=QUERY_USERS)
def get_users_count(realm: RealmView, query: UserQuery) -> int:
    """How many users a search finds; the real number even for who may only query them."""
    return count_users(realm, query)


def _with_hashes(realm: RealmView, _: Mapping[str, Any], user: UserRepresentation) -> UserRepresentation:
    if not present(user.credentials):
        return user
    return replace(user, credentials=[hashed(realm, credential) for credential in given(user.credentials, [])])


@users.post("", needs=MANAGE_USERS, prepare=_with_hashes)
def post_user(realm: RealmAdmin, user: UserRepresentation) -> Created:
    """Creates a user with credentials and groups; roles in the body are not taken."""
    return Created(str(create_user(realm, user).id))
