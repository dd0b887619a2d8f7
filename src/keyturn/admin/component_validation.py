"""What a component may be configured with: Keycloak's checks, in its words.

Source: Keycloak ``ConfigurationValidationHelper`` and the providers' ``validateConfiguration``.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from keyturn.admin.errors import BadRequest, ErrorMessage
from keyturn.admin.federation_mappers import FEDERATION
from keyturn.admin.server_info import component_type
from keyturn.model.key_providers import NAMED_KEY, NAMING, PROVIDER_TYPE, key_ring, material_of
from keyturn.representations import given
from keyturn.representations.component import ComponentRepresentation

__all__ = [
    "MASK",
    "check_component",
    "check_registration_policy",
    "known_config",
    "properties_of",
    "shown_config",
]

MASK: Final = "**********"
"""What a secret shows as; sent back, it means the one that there is."""
_CHECKED_LISTS: Final = frozenset(
    {"keySize", "secretSize", "ecdsaEllipticCurveKey", "eddsaEllipticCurveKey", "ecdhEllipticCurveKey"}
)
_SECRET_SIZES: Final = ["16", "24", "32", "64", "128", "256", "512"]
"""What Keycloak says of every kind of secret, though it takes fewer of some."""
_LABELS: Final = {"secretSize": "Secret size", "max-clients": "Max Clients Per Realm"}
_VERIFICATIONS: Final = {
    "host-sending-registration-request-must-match": "Host Sending Client Registration Request Must Match",
    "client-uris-must-match": "Client URIs Must Match",
}
_OPENID: Final = "openid"
"""A scope that every realm knows without having it."""
_NUMBERS: Final = {"priority", "max-clients"}
_REQUIRED: Final = frozenset({"privateKey", "keystore", "keystorePassword", "keyAlias", "max-clients"})
_OF_EVERY_FEDERATION: Final = (
    "enabled",
    "priority",
    "fullSyncPeriod",
    "changedSyncPeriod",
    "cachePolicy",
    "maxLifespan",
    "evictionHour",
    "evictionMinute",
    "evictionDay",
    "cacheInvalidBefore",
    "batchSizeForSync",
    "importEnabled",
    "lastSync",
    "removeInvalidUsersEnabled",
)
"""Settings that the catalogue of providers does not name (Keycloak ``UserStorageProviderSpi``)."""
_EDIT_MODES: Final = frozenset({"READ_ONLY", "WRITABLE", "UNSYNCED"})
_NO_PROVIDER: Final = "Invalid provider type or no such provider"
_KERBEROS: Final = "krbPrincipalAttribute"
_NUMBER: Final = re.compile(r"[+-]?[0-9]+")


def properties_of(component: ComponentRepresentation) -> dict[str, Mapping[str, Any]]:
    """The settings of the component's provider, by name.

    Raises:
        BadRequest: there is no such provider.
    """
    settings = _settings_of(component)
    if settings is None:
        raise BadRequest(_NO_PROVIDER)
    return settings


def _settings_of(component: ComponentRepresentation) -> dict[str, Mapping[str, Any]] | None:
    found = component_type(given(component.provider_type, ""), given(component.provider_id, ""))
    if found is None:
        return None
    every = _OF_EVERY_FEDERATION if component.provider_type == FEDERATION else ()
    return {name: {} for name in every} | {str(each["name"]): each for each in found["properties"]}


def known_config(component: ComponentRepresentation, *, with_keys: bool = False) -> dict[str, list[str]]:
    """The part of the component's configuration that its provider knows, with or without a key that it brings."""
    known: set[str] = set(properties_of(component))
    if with_keys and component.provider_type == PROVIDER_TYPE:
        material = material_of(given(component.provider_id, ""))
        known.update((*material, NAMED_KEY) if material else ())
    if component.provider_type == PROVIDER_TYPE and component.provider_id in NAMING:
        known.add(NAMED_KEY)
    kept = {name: [value for value in values if value] for name, values in given(component.config, {}).items()}
    usual = {}
    if component.provider_type == FEDERATION and component.provider_id == "ldap":
        usual[_KERBEROS] = ["userPrincipalName" if kept.get("vendor") == ["ad"] else "krb5PrincipalName"]
    return usual | {name: values for name, values in kept.items() if name in known and values}


def shown_config(component: ComponentRepresentation) -> dict[str, list[str]]:
    """The configuration as the wire has it: what the provider knows, secrets masked."""
    settings, config = _settings_of(component), given(component.config, {})
    if settings is None:
        return config
    return {
        name: [MASK] if settings[name].get("secret") else values for name, values in config.items() if name in settings
    }


def check_component(component: ComponentRepresentation) -> None:
    """That the provider takes this configuration.

    Raises:
        AdminError: there is no such provider, or a setting is not one of its kind.
    """
    config = given(component.config, {})
    if component.provider_type == FEDERATION and component.provider_id == "ldap":
        _check_ldap({name: values[0] for name, values in config.items() if values})
    for name, setting in properties_of(component).items():
        label = _LABELS.get(name, str(setting.get("label", name)))
        values = config.get(name, [])
        value = values[0] if values else ""
        if len(values) > 1 and component.provider_type == PROVIDER_TYPE:
            raise _refused(f"'{label}' should be a single entry")
        if not value:
            if name in _REQUIRED:
                raise _refused(f"'{label}' is required")
        elif name in _NUMBERS and not _NUMBER.fullmatch(value):
            raise _refused(f"'{label}' should be a number")
        elif setting.get("type") == "boolean" and component.provider_type == PROVIDER_TYPE:
            if value not in {"true", "false"}:
                raise _refused(f"'{label}' should be 'true' or 'false'")
        elif name in _CHECKED_LISTS and value not in setting["options"]:
            options = _SECRET_SIZES if name == "secretSize" else list(map(str, setting["options"]))
            raise _refused(f"'{label}' should be {', '.join(options[:-1])} or {options[-1]}")
    if component.provider_id in {"rsa", "rsa-enc"} and not key_ring([component]).keys:
        raise _refused("Failed to decode private key")


def _check_ldap(settings: Mapping[str, str]) -> None:
    """Source: Keycloak ``LDAPStorageProviderFactory.validateConfiguration``."""
    search = settings.get("customUserSearchFilter", "")
    if search and not (search.startswith("(") and search.endswith(")")):
        raise _refused('Custom configured LDAP filter does not start with "(" or does not end with ")".')
    if not settings.get("editMode"):
        raise _refused("Edit Mode is mandatory")
    if settings["editMode"] not in _EDIT_MODES:
        raise BadRequest(_NO_PROVIDER)
    if settings.get("connectionTimeout") and not _NUMBER.fullmatch(settings["connectionTimeout"]):
        raise _refused("Connection Timeout must be a number")


def check_registration_policy(component: ComponentRepresentation, scopes: Collection[str]) -> None:
    """That a registration policy is configured as Keycloak wants it; no other component is looked at.

    Args:
        scopes: the names of the realm's client scopes.

    Raises:
        AdminError: a setting is missing, or not one of its kind.

    Source: Keycloak ``TrustedHostClientRegistrationPolicyFactory``, ``ClientScopesClientRegistrationPolicyFactory``.
    """
    config = given(component.config, {})
    if component.provider_id == "trusted-hosts":
        for name, label in _VERIFICATIONS.items():
            values = config.get(name, [])
            if len(values) > 1:
                raise _refused(f"'{label}' should be a single entry")
            if not values or not values[0]:
                raise _refused(f"'{label}' is required")
            if values[0] not in {"true", "false"}:
                raise _refused(f"'{label}' should be 'true' or 'false'")
        if all(config[name] == ["false"] for name in _VERIFICATIONS):
            raise _refused("At least one of hosts verification or client URIs validation must be enabled")
    elif component.provider_id == "allowed-client-templates":
        named = config.get("allowed-client-scopes", [])
        if not {*scopes, _OPENID}.issuperset(named):
            raise _refused(f"Client scopes not allowed: [{', '.join(named)}]")
    elif component.provider_id == "max-clients":
        values = config.get("max-clients", [])
        if len(values) > 1:
            raise _refused(f"'{_LABELS['max-clients']}' should be a single entry")
        if values and not -(2**31) <= int(values[0]) < 2**31:
            raise _refused(f"'{_LABELS['max-clients']}' should be a number")


def _refused(message: str) -> ErrorMessage:
    return ErrorMessage(400, message)
