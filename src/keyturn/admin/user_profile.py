"""A realm's user profile: which attributes users have, who sees and changes them, and what their values must be.

Source: Keycloak ``DeclarativeUserProfileProvider``, ``DefaultAttributes``, in the context ``USER_API``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from keyturn.admin.patterns import Patterns
from keyturn.admin.permissions import MASTER
from keyturn.admin.user_attribute_validators import Validator, multivalued_fault, validators
from keyturn.registry.user_profile import CONFIG, PROVIDER_TYPE
from keyturn.representations import UNSET, decode, given, present, replace
from keyturn.representations.defaults import listing
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.representations.user_profile import UPAttribute, UPAttributePermissions, UPAttributeRequired, UPConfig
from keyturn.store.collections import COMPONENTS
from keyturn.store.spi import Reader

__all__ = ["ROOT", "AttributeFault", "UserProfile", "Values", "config_of", "profile_of", "values_of"]

Values = dict[str, list[str]]
"""A user's attributes, those that are fields of the document among them."""

ROOT: Final = ("username", "email", "firstName", "lastName")
"""Attributes that are fields of the document."""

_LOCALE: Final = "locale"
_ADMIN: Final = "admin"
_EDITABLE_UNMANAGED: Final = frozenset({"ENABLED", "ADMIN_EDIT"})
_LONGEST: Final = {"min": 0, "max": 2048}
"""Of an attribute without a length of its own."""
_SINGLE: Final = {"max": "1"}
_ALWAYS: Final = UPAttributePermissions(view=[_ADMIN], edit=[_ADMIN])


@dataclass(frozen=True, slots=True)
class AttributeFault:
    """What is wrong with an attribute."""

    field: str
    message: str
    params: tuple[Any, ...] = ()


def config_of(reader: Reader, realm: RealmRepresentation) -> UPConfig:
    """The realm's configuration of its user profile; master's asks nothing of administrators by default."""
    for component in reader.select(COMPONENTS, str(realm.id), where={"provider_type": PROVIDER_TYPE}):
        stored = given(component.config, {}).get(CONFIG)
        if stored:
            return decode(stored[0], UPConfig)
    config = msgspec.convert(listing("user_profile"), UPConfig)
    if realm.realm == MASTER:
        attributes = [replace(attribute, required=UNSET) for attribute in given(config.attributes, [])]
        config = replace(config, attributes=attributes)
    return config


def profile_of(reader: Reader, realm: RealmRepresentation) -> "UserProfile":
    """The realm's user profile."""
    config = config_of(reader, realm)
    attributes = {str(attribute.name): attribute for attribute in given(config.attributes, [])}
    for name in ("username", "email"):
        attributes.setdefault(name, UPAttribute(name=name))
    if realm.internationalization_enabled is True:
        attributes.setdefault(_LOCALE, UPAttribute(name=_LOCALE, display_name=_LOCALE, permissions=_ALWAYS))
    return UserProfile(config, attributes, realm)


def values_of(user: UserRepresentation) -> Values:
    """All attributes of the stored `user`."""
    root = zip(ROOT, (user.username, user.email, user.first_name, user.last_name), strict=True)
    return {**given(user.attributes, {}), **{name: [value] for name, value in root if isinstance(value, str) and value}}


@dataclass(frozen=True, slots=True)
class UserProfile:
    """A realm's user profile, as administrators meet it."""

    config: UPConfig
    attributes: Mapping[str, UPAttribute]
    realm: RealmRepresentation
    of_service_account: bool = False
    """Service accounts may have any attribute, and must have none."""
    checks: Mapping[str, Validator] = field(default_factory=lambda: validators(Patterns()))
    """The validators; regular expressions have an allowance of time for all that is asked of this profile."""

    def of(self, user: UserRepresentation | None) -> "UserProfile":
        """The profile as it is for `user`."""
        if user is None or not given(user.service_account_client_id, ""):
            return self
        config = replace(self.config, unmanaged_attribute_policy="ENABLED")
        return UserProfile(config, self.attributes, self.realm, of_service_account=True, checks=self.checks)

    @property
    def email_is_username(self) -> bool:
        """Whether the e-mail address is the user name."""
        return self.realm.registration_email_as_username is True

    def manages(self, name: str) -> bool:
        """Whether the attribute is one of the profile's, or never may be anything else."""
        return name in self.attributes or name in ROOT or name == _LOCALE

    @property
    def edits_unmanaged(self) -> bool:
        """Whether administrators may set attributes that the profile does not know."""
        return self.config.unmanaged_attribute_policy in _EDITABLE_UNMANAGED

    def edits(self, name: str, *, new: bool) -> bool:
        """Whether administrators may set this attribute, of a `new` user or of one that is there."""
        attribute = self.attributes.get(name)
        if attribute is None:
            return False
        if name == "username" and (self.email_is_username or not (new or self.realm.edit_username_allowed is True)):
            return False
        permissions = given(attribute.permissions, None)
        if permissions is None:
            return name in ("username", "email")
        return _ADMIN in given(permissions.edit, [])

    def shows(self, name: str) -> bool:
        """Whether administrators see this attribute."""
        attribute = self.attributes.get(name)
        if attribute is None:
            return not self.manages(name) and present(self.config.unmanaged_attribute_policy)
        permissions = given(attribute.permissions, None)
        if permissions is None:
            return name in ("username", "email")
        return _ADMIN in given(permissions.view, []) or _ADMIN in given(permissions.edit, [])

    def requires(self, name: str) -> bool:
        """Whether administrators must give a value."""
        if name == "email" and self.email_is_username:
            return True
        if name == "username":
            return not self.email_is_username
        if self.of_service_account:
            return False
        attribute = self.attributes.get(name)
        required = None if attribute is None else given(attribute.required, None)
        return required is not None and _required_of_administrators(required)

    def visible(self, user: UserRepresentation) -> UserRepresentation:
        """`user` with the attributes that administrators see."""
        attributes = {name: values for name, values in given(user.attributes, {}).items() if self.shows(name)}
        return replace(
            user,
            email=user.email if self.shows("email") else UNSET,
            first_name=user.first_name if self.shows("firstName") else UNSET,
            last_name=user.last_name if self.shows("lastName") else UNSET,
            attributes=attributes or UNSET,
        )

    def unmanaged(self, user: UserRepresentation) -> Values:
        """Those attributes of `user` that are shown though the profile does not know them."""
        return {
            name: values
            for name, values in given(user.attributes, {}).items()
            if name not in self.attributes and self.shows(name)
        }

    def faults(self, name: str, values: list[str]) -> Iterator[AttributeFault]:
        """What is wrong with these values of the attribute, which administrators set."""
        filled = [value for value in values if value]
        if self.requires(name) and name != "username" and not any(value.strip() for value in filled):
            yield AttributeFault(name, "error-user-attribute-required")
        for validator, config in self._validators(name).items():
            if validator == "multivalued":
                needed = {"min": 1} if config is _SINGLE and filled and self.requires(name) else {}
                found = multivalued_fault(len(values), {**config, **needed})
            else:
                check = self.checks[validator]
                found = next((fault for value in filled if (fault := check(value, config)) is not None), None)
            if found is not None:
                yield AttributeFault(name, found[0], found[1])

    def _validators(self, name: str) -> dict[str, Mapping[str, Any]]:
        attribute = self.attributes.get(name)
        if attribute is None:
            return {"length": _LONGEST}
        asked: dict[str, Mapping[str, Any]] = dict(given(attribute.validations, {}))
        asked.setdefault("length", _LONGEST)
        if attribute.multivalued is not True:
            asked.setdefault("multivalued", _SINGLE)
        return asked

    def metadata(self, user: UserRepresentation | None) -> dict[str, Any]:
        """What forms for a user are made of; None stands for a new user."""
        names = [name for name in self.attributes if self.shows(name)]
        groups = [msgspec.to_builtins(group) for group in given(self.config.groups, [])]
        return {"attributes": [self._metadata(name, user) for name in names], "groups": groups}

    def _metadata(self, name: str, user: UserRepresentation | None) -> dict[str, Any]:
        attribute = self.attributes[name]
        told: dict[str, Any] = {
            "name": name,
            "displayName": given(attribute.display_name, f"${{{name}}}" if name in ("username", "email") else name),
            "required": self.requires(name),
            "readOnly": not self.edits(name, new=user is None),
        }
        if present(attribute.annotations):
            told["annotations"] = attribute.annotations
        validators: dict[str, Any] = {
            validator: {**config, "ignore.empty.value": True}
            for validator, config in given(attribute.validations, {}).items()
        }
        if attribute.multivalued is not True and name != _LOCALE:
            validators.setdefault("multivalued", dict(_SINGLE))
        told["validators"] = validators
        if present(attribute.group):
            told["group"] = attribute.group
        told["multivalued"] = attribute.multivalued is True
        if present(attribute.default_value):
            told["defaultValue"] = attribute.default_value
        return told


def _required_of_administrators(required: UPAttributeRequired) -> bool:
    roles, scopes = given(required.roles, []), given(required.scopes, [])
    return not scopes and (not roles or _ADMIN in roles)
