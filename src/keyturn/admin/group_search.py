"""How groups are searched and shown as a tree. Source: Keycloak ``GroupsResource``, ``GroupUtils``; asked of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keyturn.admin.context import RealmView
from keyturn.admin.group_documents import GroupAccess, group_document, group_path_order
from keyturn.admin.like import part
from keyturn.admin.paging import slice_of
from keyturn.admin.query import Query
from keyturn.admin.search_query import fields_of
from keyturn.representations import given
from keyturn.representations.group import GroupRepresentation
from keyturn.store.collections import GROUPS

__all__ = ["GroupCountQuery", "GroupQuery", "count_groups", "search_groups"]


@dataclass(frozen=True, slots=True)
class GroupQuery(Query):
    """Without ``search`` and ``q`` the top of the tree, else what is found at any depth, with the groups above it."""

    search: str | None = None
    q: str | None = None
    exact: bool = False
    first: int | None = None
    max: int | None = None
    brief_representation: bool = True
    populate_hierarchy: bool = True
    sub_groups_count: bool = True


@dataclass(frozen=True, slots=True)
class GroupCountQuery(Query):
    """``top`` counts the top of the tree only, unless there is a search."""

    search: str | None = None
    top: bool = False


def search_groups(realm: RealmView, query: GroupQuery) -> list[GroupRepresentation]:
    """A page of groups, by name. The page is one of what is found, not of the trees that it is shown in."""
    wanted = {name: value for name, value in fields_of(query.q or "").items() if name}
    if wanted:
        everywhere = realm.reader.select(GROUPS, realm.id, order_by="name")
        found = [
            group
            for group in everywhere
            if all(value in given(group.attributes, {}).get(name, []) for name, value in wanted.items())
        ]
        return _trees(realm, slice_of(found, query.first, query.max), query)
    if query.search is not None or query.q is not None:
        return _trees(realm, slice_of(_named(realm, query), query.first, query.max), query)
    top = realm.reader.select(
        GROUPS,
        realm.id,
        where={"parent_id": None},
        order_by="name",
        first=max(query.first or 0, 0),
        limit=None if query.max is None or query.max < 0 else query.max,
    )
    return _Showing(realm, query).documents(top)


def _named(realm: RealmView, query: GroupQuery) -> Sequence[GroupRepresentation]:
    name = (query.search or "").strip()
    if query.exact:
        return realm.reader.select(GROUPS, realm.id, where={"name": name}, order_by="name")
    return realm.reader.select(GROUPS, realm.id, like={"name": part(name)}, order_by="name")


def count_groups(realm: RealmView, query: GroupCountQuery) -> int:
    """How many groups there are, or are found."""
    if query.search is not None:
        return realm.reader.count(GROUPS, realm.id, like={"name": part(query.search)})
    return realm.reader.count(GROUPS, realm.id, where={"parent_id": None} if query.top else None)


@dataclass(frozen=True, slots=True)
class _Showing:
    """Makes documents of groups, as a query asks for them."""

    realm: RealmView
    query: GroupQuery

    def documents(self, groups: Iterable[GroupRepresentation]) -> list[GroupRepresentation]:
        """Of `groups`, which know their way up."""
        access = GroupAccess.of(self.realm)
        return [
            group_document(
                self.realm,
                group,
                brief=self.query.brief_representation,
                counted=self.query.sub_groups_count,
                access=access,
            )
            for group in groups
        ]


def _trees(realm: RealmView, found: Sequence[GroupRepresentation], query: GroupQuery) -> list[GroupRepresentation]:
    """`found` within the groups above each, as trees."""
    showing = _Showing(realm, query)
    if not query.populate_hierarchy:
        return showing.documents(found)
    known = {str(group.id): group for group in found}
    waiting = list(found)
    while waiting:
        parent_id = given(waiting.pop().parent_id, "")
        if parent_id and parent_id not in known:
            parent = realm.reader.get(GROUPS, realm.id, parent_id)
            if parent is not None:
                known[parent_id] = parent
                waiting.append(parent)
    documents = {str(document.id): document for document in showing.documents(known.values())}
    roots = []
    for document in sorted(documents.values(), key=group_path_order):
        parent = documents.get(given(document.parent_id, ""))
        if parent is None:
            roots.append(document)
        else:
            given(parent.sub_groups, []).append(document)
    return roots
