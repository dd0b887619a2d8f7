"""One user: the document, its groups, and what there is of federation. Source: Keycloak ``UserResource``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin.admin_events import ACTION, CREATE, Located, Recorded
from keyturn.admin.answers import NoContent, Unchanged
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import ErrorMessage, NotEnabled, NotFound
from keyturn.admin.group_documents import group_document, group_path_order
from keyturn.admin.identity_providers import links_of
from keyturn.admin.like import like
from keyturn.admin.paging import slice_of
from keyturn.admin.permissions import DECIDED_WITHIN, IMPERSONATE, MANAGE_USERS, VIEW_USERS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.admin.user_access import user_document
from keyturn.admin.user_changes import change_user
from keyturn.admin.user_passwords import hashed
from keyturn.admin.user_profile import Values, profile_of
from keyturn.admin.user_sessions import end_sessions
from keyturn.representations import UNSET, given, present, replace
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, GROUPS, LOGIN_FAILURES, USERS
from keyturn.store.spi import Relation

__all__ = ["user_resource"]


def _without_credentials(_realm: RealmView, _values: Located, change: UserRepresentation | None) -> Any:
    return None if change is None else replace(change, credentials=UNSET)


def _named(_realm: RealmView, values: Located, _body: Any) -> UserRepresentation:
    user = values["user"]
    return UserRepresentation(id=user.id, username=user.username)


def _member(_realm: RealmView, values: Located) -> dict[str, str]:
    user = values["user"]
    known = {"username": user.username, "email": user.email}
    return {name: value for name, value in known.items() if isinstance(value, str)}


def _joined(realm: RealmView, values: Located, _body: Any) -> GroupRepresentation:
    return group_document(realm, _group(realm, values["group_id"]), brief=False)


user_resource: Final = Resource("user", located=("user",), event=Recorded("USER", shows=_without_credentials))

_MEMBERSHIP: Final = "GROUP_MEMBERSHIP"


@dataclass(frozen=True, slots=True)
class OneUserQuery(Query):
    """Whether what forms are made of is told, too."""

    user_profile_metadata: bool = False


@user_resource.get("", needs=VIEW_USERS)
def get_user(realm: RealmView, user: UserRepresentation, query: OneUserQuery) -> UserRepresentation:
    """The user."""
    document = replace(user_document(realm, user), federated_identities=links_of(realm, user) or UNSET)
    if query.user_profile_metadata:
        profile = profile_of(realm.reader, realm.realm).of(user)
        document = replace(document, user_profile_metadata=profile.metadata(user))
    return document


def _with_hashes(
    realm: RealmView, _: Mapping[str, Any], change: UserRepresentation | None
) -> UserRepresentation | None:
    if change is None or not present(change.credentials):
        return change
    return replace(change, credentials=[hashed(realm, credential) for credential in given(change.credentials, [])])


@user_resource.put("", needs=MANAGE_USERS, prepare=_with_hashes)
def put_user(realm: RealmAdmin, user: UserRepresentation, change: UserRepresentation | None) -> NoContent:
    """Changes what the body gives; with ``attributes``, attributes that it does not give go."""
    if change is None:
        raise ErrorMessage(400, "Could not update user!")
    change_user(realm, user, change)
    return NoContent()


@user_resource.delete("", needs=MANAGE_USERS, no_cache=True, event=Recorded("USER", shows=_named))
def delete_user(realm: RealmAdmin, user: UserRepresentation) -> NoContent:
    """Removes the user, and ends the sessions."""
    end_sessions(realm, user)
    realm.tx.delete(LOGIN_FAILURES, realm.id, str(user.id))
    realm.tx.delete(USERS, realm.id, str(user.id))
    return NoContent()


@user_resource.get("unmanagedAttributes", needs=VIEW_USERS)
def get_unmanaged_attributes(realm: RealmView, user: UserRepresentation) -> Values:
    """The attributes that the user profile does not know."""
    return profile_of(realm.reader, realm.realm).of(user).unmanaged(user)


@dataclass(frozen=True, slots=True)
class GroupsOfUserQuery(Query):
    """A page by name; ``search`` is a part of the name."""

    search: str | None = None
    first: int | None = None
    max: int | None = None
    brief_representation: bool = True


@user_resource.get("groups", needs=VIEW_USERS)
def get_groups_of_user(
    realm: RealmView, user: UserRepresentation, query: GroupsOfUserQuery
) -> list[GroupRepresentation]:
    """The groups that the user is in, without those above them."""
    page = slice_of(_groups(realm, user, query.search), query.first, query.max)
    return [group_document(realm, group, brief=query.brief_representation) for group in page]


@user_resource.get("groups/count", needs=VIEW_USERS)
def count_groups_of_user(realm: RealmView, user: UserRepresentation, query: GroupsOfUserQuery) -> dict[str, int]:
    """How many groups the user is in."""
    return {"count": len(_groups(realm, user, query.search))}


def _groups(realm: RealmView, user: UserRepresentation, search: str | None) -> list[GroupRepresentation]:
    ids = realm.reader.targets(Relation.MEMBERSHIP, realm.id, str(user.id))
    matching = like(f"%{(search or '').strip()}%")
    groups = [group for group in realm.reader.get_many(GROUPS, realm.id, ids) if matching(group.name)]
    return sorted(groups, key=group_path_order)


@user_resource.put(
    "groups/{group_id}",
    needs=MANAGE_USERS,
    no_cache=True,
    event=Recorded(_MEMBERSHIP, CREATE, _joined, details=_member),
)
def join_group(realm: RealmAdmin, user: UserRepresentation, group_id: str) -> NoContent:
    """Makes the user a member."""
    group = _group(realm, group_id)
    return NoContent() if realm.tx.link(Relation.MEMBERSHIP, realm.id, str(user.id), str(group.id)) else Unchanged()


@user_resource.delete(
    "groups/{group_id}", needs=MANAGE_USERS, no_cache=True, event=Recorded(_MEMBERSHIP, shows=_joined, details=_member)
)
def leave_group(realm: RealmAdmin, user: UserRepresentation, group_id: str) -> NoContent:
    """Makes the user no longer a member."""
    group = _group(realm, group_id)
    return NoContent() if realm.tx.unlink(Relation.MEMBERSHIP, realm.id, str(user.id), str(group.id)) else Unchanged()


def _group(realm: RealmView, group_id: str) -> GroupRepresentation:
    group = realm.reader.get(GROUPS, realm.id, group_id)
    if group is None:
        raise NotFound("Group not found")
    return group


@user_resource.delete("consents/{client_id}", needs=MANAGE_USERS, no_cache=True, event=Recorded("USER", ACTION))
def revoke_consent(realm: RealmAdmin, user: UserRepresentation, client_id: str) -> NoContent:
    """Takes a consent and the offline sessions with the client back."""
    client = realm.reader.find(CLIENTS, realm.id, client_id=client_id)
    if client is None:
        raise NotFound("Client not found")
    if not end_sessions(realm, user, client_id=str(client.id), offline=True):
        raise NotFound("Consent nor offline token not found")
    return NoContent()


@user_resource.post("impersonation", needs=DECIDED_WITHIN, event=None)
def impersonate(realm: RealmView, user: UserRepresentation) -> None:
    """Acting as somebody at a browser: there are no pages to do so at."""
    realm.require(IMPERSONATE)
    raise NotEnabled
