"""Components: key providers, registration policies, the user profile."""

from typing import Annotated

from keyturn.representations.base import UNSET, Maybe, Representation
from keyturn.representations.secrecy import secret_entries

__all__ = ["ComponentExportRepresentation", "ComponentRepresentation"]

_SECRET_CONFIG = secret_entries(
    "privateKey",
    "eddsaPrivateKey",
    "ecdsaPrivateKey",
    "ecdhPrivateKey",
    "secret",
    "keystorePassword",
    "keyPassword",
    "bindCredential",
)


class ComponentRepresentation(Representation):
    """A component of a realm."""

    id: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    provider_id: Maybe[str] = UNSET
    provider_type: Maybe[str] = UNSET
    parent_id: Maybe[str] = UNSET
    sub_type: Maybe[str] = UNSET
    config: Annotated[Maybe[dict[str, list[str]]], _SECRET_CONFIG] = UNSET


class ComponentExportRepresentation(Representation):
    """A component in a realm's import or export, keyed there by its ``providerType``."""

    id: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    provider_id: Maybe[str] = UNSET
    sub_type: Maybe[str] = UNSET
    sub_components: Maybe[dict[str, list["ComponentExportRepresentation"]]] = UNSET
    config: Annotated[Maybe[dict[str, list[str]]], _SECRET_CONFIG] = UNSET
