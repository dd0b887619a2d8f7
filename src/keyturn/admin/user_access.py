"""Users as administrators may see and touch them. Source: Keycloak ``UsersResource``, ``UserResource``."""

from collections.abc import Iterable

from keyturn.admin.context import RealmView
from keyturn.admin.errors import NotFound
from keyturn.admin.permissions import IMPERSONATE, MANAGE_USERS, QUERY_USERS, VIEW_USERS
from keyturn.admin.user_profile import UserProfile, profile_of
from keyturn.representations import UNSET, given, replace
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import USERS

__all__ = ["find_user", "listed_users", "member_document", "member_documents", "user_document"]


def find_user(realm: RealmView, user_id: str) -> UserRepresentation:
    """The user of this id; who may at least query users is told that there is none. Raises NotFound, Forbidden."""
    user = realm.reader.get(USERS, realm.id, user_id)
    if user is None:
        realm.require(QUERY_USERS)
        raise NotFound("User not found")
    return user


def member_document(realm: RealmView, user: UserRepresentation, *, brief: bool = False) -> UserRepresentation:
    """The stored `user` as the wire has it, without what the caller may do."""
    return _document(profile_of(realm.reader, realm.realm), user, brief=brief)


def member_documents(realm: RealmView, users: Iterable[UserRepresentation], *, brief: bool) -> list[UserRepresentation]:
    """The stored `users` as the wire has them, without what the caller may do."""
    profile = profile_of(realm.reader, realm.realm)
    return [_document(profile, user, brief=brief) for user in users]


def listed_users(realm: RealmView, users: Iterable[UserRepresentation], *, brief: bool) -> list[UserRepresentation]:
    """The stored `users` as a list has them."""
    access = {"manage": realm.may(MANAGE_USERS)}
    return [replace(document, access=access) for document in member_documents(realm, users, brief=brief)]


def user_document(realm: RealmView, user: UserRepresentation) -> UserRepresentation:
    """The stored `user` with all that the caller may do."""
    manage = realm.may(MANAGE_USERS)
    access = {
        "manageGroupMembership": manage,
        "resetPassword": manage,
        "view": realm.may(VIEW_USERS),
        "mapRoles": manage,
        "impersonate": realm.may(IMPERSONATE),
        "manage": manage,
    }
    return replace(member_document(realm, user), access=access)


def _document(profile: UserProfile, user: UserRepresentation, *, brief: bool) -> UserRepresentation:
    shown = profile.of(user).visible(user)
    document = UserRepresentation(
        id=user.id,
        username=user.username,
        email=shown.email,
        first_name=shown.first_name,
        last_name=shown.last_name,
        email_verified=given(user.email_verified, False),
        enabled=given(user.enabled, False),
        created_timestamp=user.created_timestamp,
    )
    if brief:
        return document
    return replace(
        document,
        attributes=given(shown.attributes, {}) or UNSET,
        totp=any(credential.type == "otp" for credential in given(user.credentials, [])),
        disableable_credential_types=[],
        required_actions=given(user.required_actions, []),
        not_before=given(user.not_before, 0),
    )
