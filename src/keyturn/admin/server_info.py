"""What the server says of itself, in Keycloak's words: tools decide by it what they may ask for."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from keyturn.representations import decode

__all__ = ["component_type", "mapper_types", "server_info", "server_info_with"]

_DATA: Final = "keyturn.admin.data"

_OFF: Final = frozenset({"ADMIN_FINE_GRAINED_AUTHZ_V2", "AUTHORIZATION", "IMPERSONATION", "WORKFLOWS"})
"""Keycloak's features that it has on by default, and whose endpoints answer 501 here."""


@cache
def server_info() -> Mapping[str, Any]:
    """What a Keycloak 26.7.3 without those tells of itself, but for what is of the moment. Not to be changed."""
    info = decode(files(_DATA).joinpath("server_info.json").read_bytes(), dict[str, Any])
    profile = info["profileInfo"]
    return info | {
        "features": [each | {"enabled": False} if each["name"] in _OFF else each for each in info["features"]],
        "profileInfo": profile | {"disabledFeatures": [*profile["disabledFeatures"], *sorted(_OFF)]},
    }


@cache
def server_info_with(features: frozenset[str]) -> Mapping[str, Any]:
    """The same where these previews are on. Not to be changed."""
    info = dict(server_info())
    previews = decode(files(_DATA).joinpath("previews.json").read_bytes(), dict[str, Any])
    for preview in (previews[name] for name in sorted(features & previews.keys())):
        name, kind = preview["feature"], preview["providerType"]
        profile, provided = info["profileInfo"], info["providers"][kind]
        disabled = [each for each in profile["disabledFeatures"] if each != name]
        providers = {**provided["providers"], preview["providerId"]: preview["provider"]}
        info |= {
            "features": [each | {"enabled": True} if each["name"] == name else each for each in info["features"]],
            "profileInfo": profile | {"disabledFeatures": disabled},
            "providers": info["providers"] | {kind: provided | {"providers": dict(sorted(providers.items()))}},
        }
        if "component" in preview:
            component = preview["componentType"]
            types = [*info["componentTypes"][component], preview["component"]]
            listed = {component: sorted(types, key=lambda each: str(each["id"]))}
            info |= {"componentTypes": info["componentTypes"] | listed}
        if "identityProvider" in preview:
            info |= {"identityProviders": [preview["identityProvider"], *info["identityProviders"]]}
    return info


@cache
def mapper_types() -> frozenset[str]:
    """The protocol mappers that there are, of all protocols."""
    types: Mapping[str, list[Mapping[str, Any]]] = server_info()["protocolMapperTypes"]
    return frozenset(str(each["id"]) for listed in types.values() for each in listed)


@cache
def component_type(provider_type: str, provider_id: str) -> Mapping[str, Any] | None:
    """What a component of this provider may be configured with; None where there is no such provider."""
    for each in server_info()["componentTypes"].get(provider_type, ()):
        if each["id"] == provider_id:
            found: Mapping[str, Any] = each
            return found
    return None
