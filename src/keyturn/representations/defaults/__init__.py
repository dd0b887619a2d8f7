"""Owns the defaults of a new realm, as data: what Keycloak 26.7.3 makes, without ids, related by name.

Refuses decisions: `keyturn.model.new_realm` makes a realm of them.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal
from urllib.parse import quote

from keyturn.representations.base import decode, encode
from keyturn.representations.realm import RealmRepresentation

__all__ = ["FRAGMENTS", "Fragment", "Listing", "fragment", "listing"]

Fragment = Literal[
    "administration", "authentication", "client_scopes", "clients", "components", "master", "realm", "roles"
]
"""A part of a realm, written as a realm's import: the fields that it is about."""

FRAGMENTS: Final[tuple[Fragment, ...]] = (
    "administration",  # the client {realm}-realm in master, whose roles administer the realm
    "authentication",
    "client_scopes",
    "clients",
    "components",
    "master",  # how the realm master differs from every other
    "realm",
    "roles",
)

Listing = Literal[
    "authenticators",
    "client_authenticator_settings",
    "client_authenticators",
    "client_profiles",
    "client_registration_policy_providers",
    "credential_registrators",
    "event_types",
    "identity_provider_types",
    "ldap_mappers",
    "required_action_settings",
    "user_profile",
]
"""What the admin API tells of every realm alike."""

_PLAIN_IN_PATHS: Final = "'"
"""What a realm's name may have that paths show as it is, beside what they always do."""


def fragment(name: Fragment, realm: str) -> RealmRepresentation:
    """The defaults in `name`.json for a realm of the name `realm`; each call gives a document of its own."""
    content = _content(name)
    in_path = f"/{quote(realm, safe=_PLAIN_IN_PATHS)}/"
    for placeholder, value in (
        (b"/{realm}/", in_path),
        (b"{realm}", realm),
        (b"{lower-case realm}", realm.lower()),
    ):
        content = content.replace(placeholder, encode(value)[1:-1])  # escaped as JSON
    return decode(content, RealmRepresentation)


def listing(name: Listing) -> Any:
    """What `name`.json holds; each call gives objects of their own."""
    return decode(_content(name), Any)


@cache
def _content(name: str) -> bytes:
    return files(__name__).joinpath(f"{name}.json").read_bytes()
