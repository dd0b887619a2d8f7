"""What a realm says about the attributes of its users (Keycloak ``UPConfig``)."""

from typing import Any, Literal

from keyturn.representations.base import UNSET, Maybe, Representation

__all__ = ["UPAttribute", "UPAttributePermissions", "UPAttributeRequired", "UPAttributeSelector", "UPConfig", "UPGroup"]


class UPAttributeRequired(Representation):
    """When a value is required: for these roles or scopes; always, where neither is given."""

    roles: Maybe[list[str]] = UNSET
    scopes: Maybe[list[str]] = UNSET


class UPAttributePermissions(Representation):
    """Who may see and change an attribute: ``admin``, ``user``."""

    view: Maybe[list[str]] = UNSET
    edit: Maybe[list[str]] = UNSET


class UPAttributeSelector(Representation):
    """The client scopes for which an attribute counts."""

    scopes: Maybe[list[str]] = UNSET


class UPAttribute(Representation):
    """One attribute; ``validations`` holds a validator's configuration by its name."""

    name: Maybe[str] = UNSET
    display_name: Maybe[str] = UNSET
    validations: Maybe[dict[str, dict[str, Any]]] = UNSET
    annotations: Maybe[dict[str, Any]] = UNSET
    required: Maybe[UPAttributeRequired] = UNSET
    permissions: Maybe[UPAttributePermissions] = UNSET
    selector: Maybe[UPAttributeSelector] = UNSET
    group: Maybe[str] = UNSET
    multivalued: Maybe[bool] = UNSET
    default_value: Maybe[str] = UNSET


class UPGroup(Representation):
    """A heading under which attributes are shown."""

    name: Maybe[str] = UNSET
    display_header: Maybe[str] = UNSET
    display_description: Maybe[str] = UNSET
    annotations: Maybe[dict[str, Any]] = UNSET


class UPConfig(Representation):
    """A realm's user profile."""

    attributes: Maybe[list[UPAttribute]] = UNSET
    groups: Maybe[list[UPGroup]] = UNSET
    unmanaged_attribute_policy: Maybe[Literal["ENABLED", "ADMIN_EDIT", "ADMIN_VIEW"]] = UNSET
