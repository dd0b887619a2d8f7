"""Errors: the three shapes in which Keycloak's admin API reports them, and OAuth's."""

from typing import Any

from keyturn.representations.base import UNSET, Maybe, Representation

__all__ = ["ErrorRepresentation", "OAuth2ErrorRepresentation"]


class ErrorRepresentation(Representation):
    """An error of the admin API: ``{"errorMessage"}``, ``{"field", "errorMessage", "params"}`` or a list of these."""

    field: Maybe[str] = UNSET
    error_message: Maybe[str] = UNSET
    params: Maybe[list[Any]] = UNSET
    errors: Maybe[list["ErrorRepresentation"]] = UNSET


class OAuth2ErrorRepresentation(Representation, rename=None):
    """``{"error"}`` or ``{"error", "error_description"}``: OAuth (RFC 6749 §5.2), and the admin API's plain errors."""

    error: Maybe[str] = UNSET
    error_description: Maybe[str] = UNSET
