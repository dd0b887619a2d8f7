"""How users come and change: the attributes as the user profile has it, then the rest of the document.

Source: Keycloak ``UsersResource.createUser``, ``UserResource.updateUser``, ``UserResource.updateUserFromRep``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keyturn.admin.authentication_flows import required_actions_of
from keyturn.admin.authenticators import required_action_names
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import AdminError, Conflict, ErrorMessage, InvalidField, InvalidRequest
from keyturn.admin.new_users import insert_user
from keyturn.admin.user_passwords import with_credentials
from keyturn.admin.user_profile import ROOT, AttributeFault, UserProfile, Values, profile_of, values_of
from keyturn.model.login_failures import DISABLED_REASON
from keyturn.model.new_documents import new_user
from keyturn.representations import UNSET, given, present, replace
from keyturn.representations.group import GroupRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.collections import GROUPS, USERS
from keyturn.store.spi import Duplicate, Relation

__all__ = ["change_user", "create_user", "group_of_path"]

_MISSING: Final = "missingUsernameMessage"
_EMAIL_TAKEN: Final = "emailExistsMessage"
_TAKEN: Final = "usernameOrEmailExistsMessage"
"""Of an address that several users have: they were allowed to share it once."""
_USERNAME_TAKEN: Final = "usernameExistsMessage"
_READ_ONLY: Final = "error-user-attribute-read-only"
_NEVER_EDITED: Final = frozenset(
    {"kerberos_principal", "ldap_id", "ldap_entry_dn", "created_timestamp", "createtimestamp", "modifytimestamp"}
)
"""Attributes that only the server writes (Keycloak ``DEFAULT_ADMIN_READ_ONLY_ATTRIBUTES``), in lower case."""
_LONGEST_VALUE: Final = 255
"""Characters in a column of Keycloak's database."""


def create_user(realm: RealmAdmin, posted: UserRepresentation) -> UserRepresentation:
    """Stores the user of `posted` with the realm's default role and groups, and with its own groups.

    Raises:
        AdminError: an attribute is not what the user profile allows, a name is taken, a group is not there.
    """
    values, faults = _Attributes(realm, profile_of(realm.reader, realm.realm), None).taken(posted)
    _raise(faults)
    user = _with_values(posted, values)
    user = replace(user, id=realm.new_id(), service_account_client_id=UNSET, federation_link=UNSET, credentials=UNSET)
    user = new_user(user, new_id=realm.new_id, now_ms=realm.now_milliseconds())
    actions = [*_default_actions(realm), *_known_actions(realm, given(posted.required_actions, []))]
    user = replace(user, required_actions=list(dict.fromkeys(actions)), not_before=0)
    user = with_credentials(realm, user, given(posted.credentials, []))
    try:
        insert_user(realm.tx, realm.realm, user)
    except Duplicate:
        raise Conflict("User exists with same username") from None
    for path in given(posted.groups, []):
        group = group_of_path(realm, path)
        if group is None:
            raise InvalidRequest(f"There is no group at {path!r}")
        realm.tx.link(Relation.MEMBERSHIP, realm.id, str(user.id), str(group.id))
    return user


def change_user(realm: RealmAdmin, user: UserRepresentation, change: UserRepresentation) -> None:
    """Stores what `change` gives; with ``attributes``, attributes that it does not give go.

    Raises:
        AdminError: an attribute is not what the user profile allows, or a name is taken.
    """
    values, faults = _Attributes(realm, profile_of(realm.reader, realm.realm).of(user), user).taken(change)
    _raise(faults)
    changed = _with_values(user, values)
    if present(change.enabled):
        changed = replace(changed, enabled=change.enabled)
        if changed.enabled:
            # Somebody locked out permanently is let in again.
            attributes = {
                name: found for name, found in given(changed.attributes, {}).items() if name != DISABLED_REASON
            }
            changed = replace(changed, attributes=attributes or UNSET)
    if present(change.email_verified):
        changed = replace(changed, email_verified=change.email_verified)
    if present(change.required_actions):
        changed = replace(changed, required_actions=_known_actions(realm, given(change.required_actions, [])))
    changed = with_credentials(realm, changed, given(change.credentials, []))
    try:
        realm.tx.update(USERS, realm.id, changed)
    except Duplicate:
        raise Conflict("User exists with same username") from None


def _with_values(user: UserRepresentation, values: Values) -> UserRepresentation:
    root = {name: values.get(name) for name in ROOT}
    if any(value is not None and len(value[0]) > _LONGEST_VALUE for value in root.values()):
        raise InvalidRequest(f"A value is longer than {_LONGEST_VALUE} characters")
    attributes = {name: found for name, found in values.items() if name not in ROOT}
    return replace(
        user,
        username=(root["username"] or [""])[0],
        email=root["email"][0] if root["email"] else UNSET,
        first_name=root["firstName"][0] if root["firstName"] else UNSET,
        last_name=root["lastName"][0] if root["lastName"] else UNSET,
        attributes=attributes or UNSET,
    )


def _known_actions(realm: RealmAdmin, actions: Iterable[str]) -> list[str]:
    asked = list(dict.fromkeys(actions))
    known = required_action_names(realm.name) if asked else {}
    return [action for action in asked if action in known]


def _default_actions(realm: RealmAdmin) -> list[str]:
    """What everybody who is new has to do; nothing, in a realm that has the usual actions."""
    if not present(realm.realm.required_actions):
        return []
    actions = required_actions_of(realm.realm)
    return [str(action.alias) for action in actions if action.enabled is True and action.default_action is True]


def group_of_path(realm: RealmView, path: str) -> GroupRepresentation | None:
    """The group at `path`, with or without a slash before it; a name may have slashes of its own."""
    return _below(realm, None, [segment for segment in path.split("/") if segment])


def _below(realm: RealmView, parent: str | None, segments: list[str]) -> GroupRepresentation | None:
    for length in range(len(segments), 0, -1):
        where = {"parent_id": parent, "name": "/".join(segments[:length])}
        for group in realm.reader.select(GROUPS, realm.id, where=where):
            if length == len(segments):
                return group
            found = _below(realm, str(group.id), segments[length:])
            if found is not None:
                return found
    return None


def _raise(faults: list[AttributeFault]) -> None:
    """Raises what the wire says of `faults`: of names that are missing or taken alone, else of all of them."""
    messages = {fault.message for fault in faults}
    if _MISSING in messages:
        raise ErrorMessage(400, "User name is missing")
    if _TAKEN in messages:
        raise Conflict("User exists with same username or email")
    if _EMAIL_TAKEN in messages:
        raise Conflict("User exists with same email")
    if _USERNAME_TAKEN in messages:
        raise Conflict("User exists with same username")
    if len(faults) == 1:
        raise InvalidField(faults[0].field, faults[0].message, faults[0].field, *faults[0].params)
    if faults:
        errors = [
            {"field": fault.field, "errorMessage": fault.message, "params": [fault.field, *fault.params]}
            for fault in faults
        ]
        raise AdminError(400, {"errors": errors})


@dataclass(frozen=True, slots=True)
class _Attributes:
    """The attributes that a user gets from a body, as the profile has it; `user` is None for a new one."""

    realm: RealmAdmin
    profile: UserProfile
    user: UserRepresentation | None

    def taken(self, body: UserRepresentation) -> tuple[Values, list[AttributeFault]]:
        """What is to be stored, and what is wrong with it."""
        stored = values_of(self.user) if self.user is not None else {}
        sent = self._sent(body, stored)
        values: Values = {}
        faults: list[AttributeFault] = []
        if "username" in sent and not sent["username"][0].strip() and not self.profile.email_is_username:
            faults.append(AttributeFault("username", _MISSING))
        for name in {**dict.fromkeys(self.profile.attributes), **sent, **stored}:
            given_values = [value for value in sent.get(name, []) if value]
            kept = stored.get(name, [])
            if self._edits(name):
                kept = [value for value in given_values if value.strip()] or self._default(name)
                faults.extend(self._faults(name, given_values or kept))
            elif self._changes(name, given_values, kept):
                faults += [AttributeFault(name, _READ_ONLY), *self.profile.faults(name, given_values)]
            if kept:
                values[name] = kept
        if self.profile.email_is_username and values.get("email"):
            values["username"] = values["email"]
        faults.extend(self._names_taken(sent, values))
        return values, faults

    def _sent(self, body: UserRepresentation, stored: Values) -> Values:
        """What the body gives, names and addresses in lower case. Without ``attributes``, the rest stays."""
        sent: Values = dict(given(body.attributes, {}))
        sent.pop("username", None)
        sent.pop("email", None)
        for name, value in zip(ROOT, (body.username, body.email, body.first_name, body.last_name), strict=True):
            if isinstance(value, str):
                sent[name] = [value.lower() if name in ("username", "email") else value]
        if not present(body.attributes):
            sent = {**stored, **sent}
        return sent

    def _edits(self, name: str) -> bool:
        if self.profile.manages(name):
            return self.profile.edits(name, new=self.user is None)
        return self.profile.edits_unmanaged

    def _default(self, name: str) -> list[str]:
        attribute = self.profile.attributes.get(name)
        default = given(attribute.default_value, "") if attribute is not None else ""
        return [default] if default else []

    def _changes(self, name: str, values: list[str], kept: list[str]) -> bool:
        """Whether something is to be set that administrators may not set, of a user that is there."""
        if self.user is None or not values or name not in self.profile.attributes:
            return False
        return values != kept and not (name == "username" and self.profile.email_is_username)

    def _faults(self, name: str, values: list[str]) -> Iterable[AttributeFault]:
        if name.lower() in _NEVER_EDITED and any(values):
            return [AttributeFault(name, "updateReadOnlyAttributesRejectedMessage")]
        if name == "username" and not any(value.strip() for value in values):
            return [AttributeFault(name, _MISSING)]
        return self.profile.faults(name, values)

    def _names_taken(self, sent: Values, values: Values) -> Iterable[AttributeFault]:
        realm = self.realm.realm
        username = (values if self.profile.email_is_username else sent).get("username", [""])[0]
        email = sent.get("email", [""])[0]
        by_email = realm.login_with_email_allowed is True
        if username and (self._taken(username=username) or (by_email and self._taken(email=username))):
            yield AttributeFault("username", _USERNAME_TAKEN)
        if email and realm.duplicate_emails_allowed is not True and not self._has(email):
            if self._taken(email=email) > 1:
                yield AttributeFault("email", _TAKEN)
            elif self._taken(email=email) or (by_email and self._taken(username=email)):
                yield AttributeFault("email", _EMAIL_TAKEN)

    def _has(self, email: str) -> bool:
        return self.user is not None and self.user.email == email

    def _taken(self, **keys: str) -> int:
        """How many other users have this name or address: none, one or more."""
        others = self.realm.reader.select(USERS, self.realm.id, where=dict(keys), limit=3)
        return sum(self.user is None or other.id != self.user.id for other in others)
