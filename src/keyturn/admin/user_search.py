"""How users are searched. Source: Keycloak ``UsersResource.getUsers``, ``JpaUserProvider``; asked of Keycloak."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from keyturn.admin.context import RealmView
from keyturn.admin.dates import moment
from keyturn.admin.like import literal
from keyturn.admin.paging import page_of_those, slice_of
from keyturn.admin.query import Query
from keyturn.admin.search_query import fields_of
from keyturn.representations import UNSET, Maybe, Part, encode, given
from keyturn.representations.user import FederatedIdentityRepresentation, UserRepresentation
from keyturn.store.collections import USERS

__all__ = ["UserQuery", "count_users", "search_users"]

_PAGE: Final = 100
"""Users in one answer, unless the query says how many."""
_COLUMNS: Final[Mapping[str, str]] = {
    "username": "username",
    "email": "email",
    "firstName": "first_name",
    "lastName": "last_name",
}
_LOOK_UPS: Final[Mapping[str, str]] = {"id:": "id", "username:": "username", "email:": "email"}
_FLAGS: Final = frozenset({"enabled", "emailVerified"})
_WORD: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class UserQuery(Query):
    """``search`` looks for words in names and address, everything else narrows; ``q`` does so by attributes.

    Service accounts are found by anything that narrows, but neither by ``search`` nor without any parameter.
    """

    search: str | None = None
    username: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    enabled: bool | None = None
    email_verified: bool | None = None
    exact: bool = False
    q: str | None = None
    idp_alias: str | None = None
    idp_user_id: str | None = None
    created_after: str | None = None
    created_before: str | None = None
    first: int | None = None
    max: int | None = None
    brief_representation: bool = False


class _Tested(Part):
    """What of a user is tested where the store has no column for it."""

    id: str
    enabled: Maybe[bool] = UNSET
    email_verified: Maybe[bool] = UNSET
    created_timestamp: Maybe[int] = UNSET
    attributes: Maybe[dict[str, list[str]]] = UNSET
    federated_identities: Maybe[list[FederatedIdentityRepresentation]] = UNSET


_Test: TypeAlias = Callable[[_Tested], bool]


@dataclass(slots=True)
class _Wanted:
    """What a query comes to, for the store and for what the store has no column for."""

    where: dict[str, str | None] = field(default_factory=dict)
    like: dict[str, str] = field(default_factory=dict)
    any_like: list[dict[str, str]] = field(default_factory=list)
    tests: list[_Test] = field(default_factory=list)

    def rows(self) -> dict[str, Any]:
        """The conditions that the store knows."""
        return {"where": self.where, "like": self.like, "any_like": self.any_like}


def search_users(realm: RealmView, query: UserQuery) -> list[UserRepresentation]:
    """A page of the stored users that `query` asks for, by user name. Raises BadRequest."""
    first, most = max(query.first or 0, 0), _PAGE if query.max is None else query.max
    found = _looked_up(realm, query)
    if found is not None:
        return slice_of(found, query.first, most)
    wanted = _wanted(query)

    if wanted.tests:

        def read(start: int, count: int) -> Sequence[_Tested]:
            rows = wanted.rows()
            return realm.reader.parts(USERS, realm.id, _Tested, order_by="username", first=start, limit=count, **rows)

        page = page_of_those(lambda user: _passes(wanted, user), read, first, most)
        return realm.reader.get_many(USERS, realm.id, [user.id for user in page])
    limit = None if most < 0 else most
    return list(realm.reader.select(USERS, realm.id, order_by="username", first=first, limit=limit, **wanted.rows()))


def count_users(realm: RealmView, query: UserQuery) -> int:
    """How many users `query` finds on all pages. Raises BadRequest."""
    found = _looked_up(realm, query)
    if found is not None:
        return len(found)
    wanted = _wanted(query)
    if wanted.tests:
        tested = realm.reader.parts(USERS, realm.id, _Tested, order_by="username", **wanted.rows())
        return sum(_passes(wanted, user) for user in tested)
    return realm.reader.count(USERS, realm.id, **wanted.rows())


def _passes(wanted: _Wanted, user: _Tested) -> bool:
    return all(test(user) for test in wanted.tests)


def _looked_up(realm: RealmView, query: UserQuery) -> list[UserRepresentation] | None:
    """The users whom ``search`` names by ids, user names or addresses; None where it does not."""
    for prefix, key in _LOOK_UPS.items():
        if query.search is not None and query.search.startswith(prefix):
            values = _WORD.findall(query.search.removeprefix(prefix))
            found = []
            for value in dict.fromkeys(values):
                user = realm.reader.find(USERS, realm.id, **{key: value if key == "id" else value.lower()})
                if user is not None:
                    found.append(user)
            return found
    return None


def _wanted(query: UserQuery) -> _Wanted:
    wanted = _Wanted()
    _narrow_by_flags(wanted, query)
    search = (query.search or "").strip()
    if query.search is not None:
        wanted.where["service_account_client"] = None
        wanted.any_like = [dict.fromkeys(_COLUMNS.values(), _pattern(word)) for word in _WORD.findall(search)]
        return wanted
    columns = {
        "username": query.username,
        "email": query.email,
        "firstName": query.first_name,
        "lastName": query.last_name,
    }
    named = fields_of(query.q or "")
    columns = {name: text if text is not None else named.get(name) for name, text in columns.items()}
    for name, text in columns.items():
        if text is not None:
            wanted.like[_COLUMNS[name]] = literal(text) if query.exact else f"%{text}%"
    for name, value in named.items():
        if name not in _COLUMNS:
            wanted.tests.append(_attribute_test(name, value))
            if name not in _FLAGS:  # few have it somewhere in their document, and only those are looked at
                wanted.any_like.append({"document": f"%{literal(encode(value).decode())}%"})
    if query.idp_alias is not None or query.idp_user_id is not None:
        wanted.tests.append(lambda user: _is_linked(user, query))
        for text in filter(None, (query.idp_alias, query.idp_user_id)):
            wanted.any_like.append({"document": f"%{literal(encode(text).decode())}%"})
    if not wanted.like and not wanted.tests:
        wanted.where["service_account_client"] = None
    return wanted


def _is_linked(user: _Tested, query: UserQuery) -> bool:
    return any(
        query.idp_alias in (None, link.identity_provider) and query.idp_user_id in (None, link.user_id)
        for link in given(user.federated_identities, [])
    )


def _narrow_by_flags(wanted: _Wanted, query: UserQuery) -> None:
    for value, read in (
        (query.enabled, lambda user: given(user.enabled, False)),
        (query.email_verified, lambda user: given(user.email_verified, False)),
    ):
        if value is not None:
            wanted.tests.append(_equals(read, value))
    after, before = moment("createdAfter", query.created_after), moment("createdBefore", query.created_before)
    if after is not None:
        wanted.tests.append(lambda user: given(user.created_timestamp, 0) >= after)
    if before is not None:
        wanted.tests.append(lambda user: given(user.created_timestamp, 0) <= before)


def _equals(read: _Test, value: bool) -> _Test:
    return lambda user: read(user) is value


def _attribute_test(name: str, value: str) -> _Test:
    if name == "enabled":
        return _equals(lambda user: given(user.enabled, False), value.lower() == "true")
    if name == "emailVerified":
        return _equals(lambda user: given(user.email_verified, False), value.lower() == "true")
    wanted = value.lower()
    return lambda user: any(found.lower() == wanted for found in given(user.attributes, {}).get(name, []))


def _pattern(word: str) -> str:
    """A word of a search as an SQL pattern: in quotes exact, else the beginning, with ``*`` for any characters."""
    if len(word) > 1 and word[0] == word[-1] == '"':
        return literal(word[1:-1])
    pattern = literal(word).replace("*", "%")
    return pattern if pattern.endswith("%") else f"{pattern}%"
