"""The realm's user profile. Source: Keycloak ``UserProfileResource``."""

from typing import Any, Final

from keyturn.admin.answers import Content
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import ErrorMessage
from keyturn.admin.permissions import MANAGE_REALM, QUERY_USERS, VIEW_REALM
from keyturn.admin.resource import JSON, Resource
from keyturn.admin.user_profile import config_of, profile_of
from keyturn.admin.user_profile_checks import complete, profile_faults
from keyturn.registry.user_profile import CONFIG, PROVIDER_TYPE
from keyturn.representations import encode
from keyturn.representations.component import ComponentRepresentation
from keyturn.representations.user_profile import UPConfig
from keyturn.store.collections import CLIENT_SCOPES, COMPONENTS

__all__ = ["user_profile"]

user_profile: Final = Resource("user profile")

_PROVIDER: Final = "declarative-user-profile"


@user_profile.get("", needs=VIEW_REALM | QUERY_USERS, no_cache=False)
def get_profile(realm: RealmView) -> UPConfig:
    """The configuration of the user profile."""
    return complete(config_of(realm.reader, realm.realm))


@user_profile.get("metadata", needs=VIEW_REALM | QUERY_USERS, no_cache=False)
def get_profile_metadata(realm: RealmView) -> dict[str, Any]:
    """What forms for a new user are made of."""
    return profile_of(realm.reader, realm.realm).metadata(None)


@user_profile.put("", needs=MANAGE_REALM, produces=JSON)
def put_profile(realm: RealmAdmin, config: UPConfig | None) -> Content:
    """Replaces the configuration; without a body, by the default."""
    if config is not None:
        faults = profile_faults(config, (str(scope.name) for scope in realm.reader.select(CLIENT_SCOPES, realm.id)))
        if faults:
            raise ErrorMessage(400, f"[{', '.join(faults)}]")
    for component in realm.reader.select(COMPONENTS, realm.id, where={"provider_type": PROVIDER_TYPE}):
        realm.tx.delete(COMPONENTS, realm.id, str(component.id))
    if config is not None:
        stored = ComponentRepresentation(
            id=realm.new_id(),
            provider_id=_PROVIDER,
            provider_type=PROVIDER_TYPE,
            parent_id=realm.id,
            config={CONFIG: [encode(complete(config)).decode()]},
        )
        realm.tx.insert(COMPONENTS, realm.id, stored)
    return Content(encode(complete(config_of(realm.tx, realm.realm))), JSON)
