"""What a realm demands to know of a person before the account counts as set up (Keycloak ``UserProfileProvider``)."""

import json
from typing import Any, Final

from keyturn.model.realm import Realm
from keyturn.representations import UserRepresentation, given
from keyturn.representations.defaults import listing
from keyturn.store.collections import COMPONENTS
from keyturn.store.spi import Reader

PROVIDER_TYPE: Final = "org.keycloak.userprofile.UserProfileProvider"
CONFIG: Final = "kc.user.profile.config"

_MASTER: Final = "master"


def is_complete(reader: Reader, realm: Realm, user: UserRepresentation) -> bool:
    """Whether the user has every attribute that the realm's profile requires of users."""
    have = {
        "username": given(user.username, ""),
        "email": given(user.email, ""),
        "firstName": given(user.first_name, ""),
        "lastName": given(user.last_name, ""),
    } | {name: "".join(values) for name, values in given(user.attributes, {}).items()}
    return all(have.get(name) for name in _required(reader, realm))


def _required(reader: Reader, realm: Realm) -> frozenset[str]:
    for component in reader.select(COMPONENTS, realm.id, where={"provider_type": PROVIDER_TYPE}):
        config = given(component.config, {}).get(CONFIG)
        if config:
            return _required_by(json.loads(config[0]))
    # Keycloak asks nothing of administrators unless it is told to.
    return frozenset() if realm.name == _MASTER else _required_by(listing("user_profile"))


def _required_by(profile: dict[str, Any]) -> frozenset[str]:
    return frozenset(str(a["name"]) for a in profile.get("attributes", []) if _required_of_users(a.get("required")))


def _required_of_users(required: Any) -> bool:
    if not isinstance(required, dict):
        return False
    roles = required.get("roles") or []
    return "user" in roles or (not roles and not required.get("scopes"))
