"""Users of a partial import: they hold what they bring, and nothing by default.

Source: Keycloak ``UsersPartialImport``.
"""

from dataclasses import dataclass
from typing import Final

from keyturn.admin.authentication_flows import action_alias
from keyturn.admin.context import RealmAdmin
from keyturn.admin.errors import InvalidRequest
from keyturn.admin.partial_import.held_roles import held_roles
from keyturn.admin.partial_import.kind import duplicate_resource
from keyturn.admin.user_changes import group_of_path
from keyturn.admin.user_sessions import end_sessions
from keyturn.model.new_documents import new_user
from keyturn.representations import UNSET, given, replace
from keyturn.representations.partial_import import ResourceType
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import CLIENTS, LOGIN_FAILURES, USERS
from keyturn.store.spi import Relation

__all__ = ["Users"]

_LONGEST: Final = 255
"""Characters in a column of Keycloak's database."""


@dataclass(frozen=True, slots=True)
class Users:
    """See `Kind`."""

    realm: RealmAdmin
    type: ResourceType = "USER"

    def takes(self, _: UserRepresentation) -> bool:
        return True

    def name(self, user: UserRepresentation) -> str:
        name = given(user.username, "")
        if not name.strip():
            raise InvalidRequest("A user needs a username")
        return name

    def find(self, user: UserRepresentation) -> str | None:
        found = self._found(user)
        return None if found is None else str(found.id)

    def _found(self, user: UserRepresentation) -> UserRepresentation | None:
        """Who has the name or, where that tells people apart, the address."""
        found = self.realm.tx.find(USERS, self.realm.id, username=self.name(user).lower())
        return found if found is not None else self._of_email(user)

    def _of_email(self, user: UserRepresentation) -> UserRepresentation | None:
        email = given(user.email, "").lower()
        if not email or self.realm.realm.duplicate_emails_allowed is True:
            return None
        return next(iter(self.realm.tx.select(USERS, self.realm.id, where={"email": email}, limit=1)), None)

    def taken(self, user: UserRepresentation) -> str:
        return f"User with user name {user.username} already exists."

    def remove(self, user: UserRepresentation) -> None:
        found = self._found(user)
        if found is not None:
            end_sessions(self.realm, found)
            self.realm.tx.delete(LOGIN_FAILURES, self.realm.id, str(found.id))
            self.realm.tx.delete(USERS, self.realm.id, str(found.id))

    def create(self, user: UserRepresentation) -> str:
        made = self._made(user)
        if self._of_email(user) is not None:
            raise duplicate_resource()
        self.realm.tx.insert(USERS, self.realm.id, made)
        user_id = str(made.id)
        for role in held_roles(self.realm, user.realm_roles, user.client_roles):
            self.realm.tx.link(Relation.USER_ROLE, self.realm.id, user_id, role)
        for path in given(user.groups, []):
            group = group_of_path(self.realm, path)
            if group is None:
                raise InvalidRequest(f"Unable to find group specified by path: {path}")
            self.realm.tx.link(Relation.MEMBERSHIP, self.realm.id, user_id, str(group.id))
        return user_id

    def _made(self, user: UserRepresentation) -> UserRepresentation:
        made = new_user(user, new_id=self.realm.new_id, now_ms=self.realm.now_milliseconds())
        texts = (made.username, made.email, made.first_name, made.last_name)
        if any(isinstance(text, str) and len(text) > _LONGEST for text in texts):
            raise InvalidRequest(f"A value is longer than {_LONGEST} characters")
        for consent in given(user.client_consents, []):
            self._client(given(consent.client_id, ""))
        client = given(user.service_account_client_id, "")
        return replace(
            made,
            service_account_client_id=self._client(client) if client else UNSET,
            required_actions=[action_alias(self.realm.realm, each) for each in given(user.required_actions, [])],
        )

    def _client(self, client_id: str) -> str:
        client = self.realm.tx.find(CLIENTS, self.realm.id, client_id=client_id)
        if client is None:
            raise InvalidRequest(f"Unable to find client: {client_id}")
        return str(client.id)
