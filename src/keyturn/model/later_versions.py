"""What later versions of Keycloak gave to realms that were there already: an export of an older one gets it, too.

Nothing is given to an import that does not tell its version. What is for people alone is left out.

Source: Keycloak ``MigrationModelManager.migrateImport`` and its migrations; asked of Keycloak.
"""

import json
import re
from typing import Final, Literal, TypeAlias

from keyturn.representations import (
    UNSET,
    ClientRepresentation,
    ComponentExportRepresentation,
    RealmRepresentation,
    given,
    replace,
)
from keyturn.representations.defaults import listing

__all__ = ["KEY_PROVIDER", "later_scopes", "with_later_settings"]

KEY_PROVIDER: Final = "org.keycloak.keys.KeyProvider"

Version: TypeAlias = tuple[int, int, int]

_VERSION: Final = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,4}))?(?:\.([0-9]{1,4}))?")
_SCOPES: Final[tuple[tuple[str, Version, Literal["default", "optional", ""]], ...]] = (
    ("roles", (4, 6, 0), "default"),
    ("web-origins", (4, 6, 0), "default"),
    ("microprofile-jwt", (6, 0, 0), "optional"),
    ("acr", (18, 0, 0), "default"),
    ("basic", (25, 0, 0), "default"),
    ("service_account", (26, 1, 0), ""),
    ("AuthnContextClassRef", (26, 7, 0), "default"),
)
"""Client scopes, the version that brought them, and how the clients of that time got them."""
_USER_PROFILES: Final = (24, 0, 0)
_LIGHTWEIGHT_ADMINISTRATORS: Final = (26, 0, 0)

_USER_PROFILE: Final = "org.keycloak.userprofile.UserProfileProvider"
_PROFILE_CONFIG: Final = "kc.user.profile.config"
_PROFILE_WAS_ON: Final = "userProfileEnabled"
_ADMINISTRATORS: Final = frozenset({"admin-cli", "security-admin-console"})


def later_scopes(source: RealmRepresentation) -> dict[str, Literal["default", "optional", ""]]:
    """The client scopes that the exported realm could not have, and how its clients of their protocol get them."""
    version = _version(source)
    return {} if version is None else {name: how for name, since, how in _SCOPES if version < since}


def with_later_settings(source: RealmRepresentation) -> RealmRepresentation:
    """`source` with what is in other places than client scopes.

    Since version 24 a user has only the attributes of the realm's user profile, unless it says otherwise: it says so
    for realms of before, and they get a key for HS512. Since 26 administrators' clients get lightweight access tokens.
    """
    version = _version(source)
    if version is None:
        return source
    if version < _USER_PROFILES:
        attributes = {k: v for k, v in given(source.attributes, {}).items() if k != _PROFILE_WAS_ON}
        source = replace(
            source,
            components=_components(source),
            attributes=attributes if isinstance(source.attributes, dict) else source.attributes,
        )
    if version < _LIGHTWEIGHT_ADMINISTRATORS and isinstance(source.clients, list):
        source = replace(source, clients=[_administrator(client) for client in source.clients])
    return source


def _version(source: RealmRepresentation) -> Version | None:
    if not isinstance(source.keycloak_version, str):
        return None
    match = _VERSION.match(source.keycloak_version)
    return (0, 0, 0) if match is None else (int(match[1]), int(match[2] or 0), int(match[3] or 0))


def _administrator(client: ClientRepresentation) -> ClientRepresentation:
    if client.client_id not in _ADMINISTRATORS:
        return client
    attributes = {**given(client.attributes, {}), "client.use.lightweight.access.token.enabled": "true"}
    return replace(client, attributes=attributes, full_scope_allowed=True)


def _components(source: RealmRepresentation) -> dict[str, list[ComponentExportRepresentation]]:
    components = dict(given(source.components, {}))
    keys = components.get(KEY_PROVIDER)
    if keys is not None and not any("HS512" in given(key.config, {}).get("algorithm", ()) for key in keys):
        config = {"priority": ["100"], "algorithm": ["HS512"]}
        added = ComponentExportRepresentation(name="hmac-generated-hs512", provider_id="hmac-generated", config=config)
        components[KEY_PROVIDER] = [*keys, added]
    if given(source.attributes, {}).get(_PROFILE_WAS_ON) != "true":
        profiles = components.get(_USER_PROFILE) or [
            ComponentExportRepresentation(provider_id="declarative-user-profile", config=UNSET)
        ]
        components[_USER_PROFILE] = [_with_unmanaged_attributes(profile) for profile in profiles]
    return components


def _with_unmanaged_attributes(profile: ComponentExportRepresentation) -> ComponentExportRepresentation:
    config = given(profile.config, {})
    try:
        told = json.loads(config.get(_PROFILE_CONFIG, [""])[0] or "null") or listing("user_profile")
    except (ValueError, IndexError):
        return profile  # what reads it refuses it
    told["unmanagedAttributePolicy"] = "ENABLED"
    return replace(profile, config={**config, _PROFILE_CONFIG: [json.dumps(told, separators=(",", ":"))]})
