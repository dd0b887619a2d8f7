"""What the server says of itself, in Keycloak's words: tools decide by it what they may ask for."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from keyturn.representations import decode

__all__ = ["component_type", "mapper_types", "server_info"]

_DATA: Final = "keyturn.admin.data"


@cache
def server_info() -> Mapping[str, Any]:
    """What Keycloak 26.7.3 tells at ``/admin/serverinfo``, but for what is of the moment. Not to be changed."""
    return decode(files(_DATA).joinpath("server_info.json").read_bytes(), dict[str, Any])


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
