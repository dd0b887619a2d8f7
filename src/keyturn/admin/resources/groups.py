"""Groups: the tree, one group, its children and members, default groups.

Source: Keycloak ``GroupsResource``, ``GroupResource``, ``RealmAdminResource``.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from keyturn.admin.admin_events import CREATE, Located, Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import NotEnabled, NotFound
from keyturn.admin.group_changes import add_group, change_group, remove_group
from keyturn.admin.group_documents import GroupAccess, group_document
from keyturn.admin.group_search import GroupCountQuery, GroupQuery, count_groups, search_groups
from keyturn.admin.like import part
from keyturn.admin.paging import slice_of
from keyturn.admin.permissions import (
    DECIDED_WITHIN,
    MANAGE_REALM,
    MANAGE_USERS,
    QUERY_GROUPS,
    VIEW_REALM,
    VIEW_USERS,
)
from keyturn.admin.query import Query
from keyturn.admin.resource import JSON, Resource
from keyturn.admin.user_access import member_documents
from keyturn.admin.user_changes import group_of_path
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import GROUPS, USERS
from keyturn.store.spi import Relation

__all__ = ["group_resource", "groups", "realm_groups"]


def _operation(result: Any) -> str:
    """A group with an id in the body is moved, not made."""
    return CREATE if isinstance(result, Created) else "UPDATE"


def _named(_realm: RealmView, values: Located, _body: Any) -> GroupRepresentation:
    group = values["group"]
    return GroupRepresentation(id=group.id, name=group.name)


groups: Final = Resource("groups", event=Recorded("GROUP", _operation, numbered=True))
group_resource: Final = Resource("group", located=("group",), event=Recorded("GROUP"))
realm_groups: Final = Resource("groups of the realm", event=Recorded("GROUP"))

_PAGE: Final = 100
"""Members in one answer, unless the query says how many."""


@groups.get("", needs=QUERY_GROUPS)
def get_groups(realm: RealmView, query: GroupQuery) -> list[GroupRepresentation]:
    """The top of the tree, or what a search finds within it; none for who may only query groups."""
    return search_groups(realm, query) if realm.may(VIEW_USERS) else []


@groups.get("count", needs=QUERY_GROUPS)
def get_group_count(realm: RealmView, query: GroupCountQuery) -> dict[str, int]:
    """How many groups there are, or are found."""
    return {"count": count_groups(realm, query)}


@groups.post("", needs=MANAGE_USERS)
def post_group(realm: RealmAdmin, group: GroupRepresentation) -> Created | NoContent:
    """Makes a group at the top; with an ``id`` in the body, moves that group there."""
    made = add_group(realm, group, None)
    return NoContent() if made is None else Created(str(made.id))


@group_resource.get("", needs=VIEW_USERS)
def get_group(realm: RealmView, group: GroupRepresentation) -> GroupRepresentation:
    """The group."""
    return group_document(realm, group, brief=False, counted=True, access=GroupAccess.of(realm))


@group_resource.put("", needs=MANAGE_USERS)
def put_group(realm: RealmAdmin, group: GroupRepresentation, change: GroupRepresentation) -> NoContent:
    """Changes name, description and attributes."""
    change_group(realm, group, change)
    return NoContent()


@group_resource.delete("", needs=MANAGE_USERS, event=Recorded("GROUP", shows=_named))
def delete_group(realm: RealmAdmin, group: GroupRepresentation) -> NoContent:
    """Removes the group and the groups below it."""
    remove_group(realm, group)
    return NoContent()


@dataclass(frozen=True, slots=True)
class ChildrenQuery(Query):
    """A page by name; ``search`` is a part of the name unless ``exact``."""

    search: str | None = None
    exact: bool = False
    first: int | None = None
    max: int | None = None
    brief_representation: bool = False
    sub_groups_count: bool = True


@group_resource.get("children", needs=VIEW_USERS)
def get_children(realm: RealmView, group: GroupRepresentation, query: ChildrenQuery) -> list[GroupRepresentation]:
    """The groups right below."""
    where: dict[str, str | None] = {"parent_id": str(group.id)}
    like = {}
    if query.exact:  # without a name, it is that of none
        where["name"] = query.search or ""
    elif query.search is not None:
        like["name"] = part(query.search)
    children = realm.reader.select(GROUPS, realm.id, where=where, like=like, order_by="name")
    access = GroupAccess.of(realm)
    return [
        group_document(realm, child, brief=query.brief_representation, counted=query.sub_groups_count, access=access)
        for child in slice_of(children, query.first, query.max)
    ]


_CHILD: Final = Recorded("GROUP", _operation, numbered=True, below=lambda _result, _body: None)


@group_resource.post("children", needs=MANAGE_USERS, produces=JSON, no_cache=True, event=_CHILD)
def post_child(realm: RealmAdmin, group: GroupRepresentation, child: GroupRepresentation) -> Created | NoContent:
    """Makes a group below; with an ``id`` in the body, moves that group there."""
    made = add_group(realm, child, group)
    if made is None:
        return NoContent(JSON)
    document = group_document(realm, made, brief=False, access=GroupAccess.of(realm))
    return Created(str(made.id), f"/admin/realms/{quote(realm.name)}/groups", document)


@dataclass(frozen=True, slots=True)
class MembersQuery(Query):
    """A page by user name, a hundred of them unless ``max`` says otherwise."""

    first: int | None = None
    max: int | None = None
    brief_representation: bool = False


@group_resource.get("members", needs=VIEW_USERS)
def get_members(realm: RealmView, group: GroupRepresentation, query: MembersQuery) -> list[UserRepresentation]:
    """The members, without those of groups below."""
    most = _PAGE if query.max is None else query.max
    page = realm.reader.page_of_sources(
        USERS,
        Relation.MEMBERSHIP,
        realm.id,
        str(group.id),
        order_by="username",
        first=max(query.first or 0, 0),
        limit=None if most < 0 else most,
    )
    return member_documents(realm, page, brief=query.brief_representation)


@group_resource.get("management/permissions", needs=DECIDED_WITHIN)
def get_permissions_of_group(realm: RealmView, group: GroupRepresentation) -> None:
    """Fine-grained permissions, which are off."""
    raise NotEnabled


@group_resource.put("management/permissions", needs=DECIDED_WITHIN, event=None)
def put_permissions_of_group(realm: RealmView, group: GroupRepresentation) -> None:
    """Fine-grained permissions, which are off."""
    raise NotEnabled


@realm_groups.get("group-by-path/{path...}", needs=DECIDED_WITHIN)
def get_group_by_path(realm: RealmView, path: str) -> GroupRepresentation:
    """The group at a path; everybody is told that there is none."""
    group = group_of_path(realm, path)
    if group is None:
        raise NotFound("Group path does not exist")
    realm.require(VIEW_USERS)
    return group_document(realm, group, brief=False, counted=True)


@realm_groups.get("default-groups", needs=VIEW_REALM)
def get_default_groups(realm: RealmView) -> list[GroupRepresentation]:
    """The groups that new users are put into."""
    ids = realm.reader.targets(Relation.DEFAULT_GROUP, realm.id, realm.id)
    return [group_document(realm, group, brief=True) for group in realm.reader.get_many(GROUPS, realm.id, ids)]


@realm_groups.put("default-groups/{group_id}", needs=MANAGE_REALM, no_cache=True, event=Recorded("GROUP", CREATE))
def put_default_group(realm: RealmAdmin, group_id: str) -> NoContent:
    """Puts new users into the group from now on."""
    realm.tx.link(Relation.DEFAULT_GROUP, realm.id, realm.id, _default_group(realm, group_id))
    return NoContent()


@realm_groups.delete("default-groups/{group_id}", needs=MANAGE_REALM, no_cache=True)
def delete_default_group(realm: RealmAdmin, group_id: str) -> NoContent:
    """Puts new users into the group no more."""
    realm.tx.unlink(Relation.DEFAULT_GROUP, realm.id, realm.id, _default_group(realm, group_id))
    return NoContent()


def _default_group(realm: RealmView, group_id: str) -> str:
    if realm.reader.get(GROUPS, realm.id, group_id) is None:
        raise NotFound("Group not found")
    return group_id
