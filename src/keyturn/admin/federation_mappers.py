"""The mappers that a new LDAP federation brings along: kept as it is, and of no effect.

Source: Keycloak ``LDAPStorageProviderFactory.onCreate``.
"""

from collections.abc import Callable, Iterator
from typing import Final

from keyturn.representations import given
from keyturn.representations.component import ComponentRepresentation
from keyturn.representations.defaults import listing

__all__ = ["FEDERATION", "mappers_of_new"]

FEDERATION: Final = "org.keycloak.storage.UserStorageProvider"
_MAPPER: Final = "org.keycloak.storage.ldap.mappers.LDAPStorageMapper"
_CN: Final = "cn"


def mappers_of_new(component: ComponentRepresentation, new_id: Callable[[], str]) -> list[ComponentRepresentation]:
    """The mappers of a federation that has just been made; none of anything else."""
    if component.provider_type != FEDERATION or component.provider_id != "ldap":
        return []
    settings = {name: values[0] for name, values in given(component.config, {}).items() if values}
    known = listing("ldap_mappers")
    read_only = {"read.only": "false" if settings.get("editMode") == "WRITABLE" else "true"}
    again = "false" if settings.get("editMode") == "UNSYNCED" else "true"
    usual_of = {
        "user-attribute-ldap-mapper": read_only | {"always.read.value.from.ldap": again},
        "full-name-ldap-mapper": read_only,
        "msad-user-account-control-mapper": {"always.read.enabled.value.from.ldap": again},
    }
    made = []
    for name, more in _named(settings):
        provider_id = known[name]["providerId"]
        config = {**usual_of.get(provider_id, {}), **known[name]["config"], **more}
        made.append(
            ComponentRepresentation(
                id=new_id(),
                name=name,
                provider_id=provider_id,
                provider_type=_MAPPER,
                parent_id=component.id,
                config={setting: [text] for setting, text in config.items()},
            )
        )
    return made


def _named(settings: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The mappers' names, and what the federation's settings say of each."""
    active_directory = settings.get("vendor") == "ad"
    username = settings.get("usernameLDAPAttribute", _CN if active_directory else "uid")
    yield "username", {"ldap.attribute": username}
    if settings.get("rdnLDAPAttribute", username).lower() != _CN:
        yield "first name", {"ldap.attribute": _CN}
    elif username.lower() == _CN:
        yield "first name", {"ldap.attribute": "givenName"}
    elif settings.get("editMode") == "WRITABLE":
        yield "first name", {"ldap.attribute": "givenName"}
        yield "username-cn", {}
    else:
        yield "full name", {}
    yield "last name", {}
    yield "email", {}
    yield "creation date", {"ldap.attribute": "whenCreated" if active_directory else "createTimestamp"}
    yield "modify date", {"ldap.attribute": "whenChanged" if active_directory else "modifyTimestamp"}
    if active_directory:
        yield "MSAD account controls", {}
    yield "Kerberos principal attribute mapper", {}
