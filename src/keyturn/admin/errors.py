"""The admin API's errors, in the several shapes that Keycloak gives them, and what the store's errors become.

An error's text is for the wire; what is private goes to `log` and never leaves the server.
"""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from keyturn.store.spi import Duplicate, InDoubt, StoreError

__all__ = [
    "HTTP_FORBIDDEN",
    "HTTP_NOT_FOUND",
    "AdminError",
    "BadRequest",
    "Conflict",
    "DuplicateResource",
    "ErrorMessage",
    "Forbidden",
    "HttpError",
    "InvalidField",
    "InvalidRequest",
    "KnownDuplicate",
    "NoSuchService",
    "NotEnabled",
    "NotFound",
    "OAuthError",
    "ServerError",
    "Unauthorized",
    "duplicate",
    "unavailable",
    "unknown_error",
]

_log = logging.getLogger(__name__)

HTTP_NOT_FOUND: Final = "HTTP 404 Not Found"
HTTP_FORBIDDEN: Final = "HTTP 403 Forbidden"
_LOOK_IN_THE_LOG: Final = "For more on this error consult the server log."
_REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "HTTP 400 Bad Request",
        401: "HTTP 401 Unauthorized",
        403: HTTP_FORBIDDEN,
        404: HTTP_NOT_FOUND,
        405: "HTTP 405 Method Not Allowed",
        406: "HTTP 406 Not Acceptable",
        415: "The content-type header value did not match the value in @Consumes",
        501: "Feature not enabled",
    }
)


class AdminError(Exception):
    """Ends the request with `status` and `document`; the transaction, if any, is rolled back.

    `log` is the private detail.
    """

    secured: ClassVar[bool] = True
    """Whether the answer has security headers: it has none where Keycloak makes it outside its resources."""

    def __init__(self, status: int, document: Mapping[str, Any], *, log: str | None = None) -> None:
        super().__init__(f"{status} {dict(document)}")
        self.status = status
        self.document = document
        self.log = log


class HttpError(AdminError):
    """``{"error": "HTTP 404 Not Found"}``: the status in words, or another text."""

    def __init__(self, status: int, error: str | None = None, *, log: str | None = None) -> None:
        super().__init__(status, {"error": error if error is not None else _REASONS[status]}, log=log)


class Unauthorized(HttpError):
    """401: no token, or one that does not count. Which of the two is for `log` only."""

    def __init__(self, log: str) -> None:
        super().__init__(401, log=log)


class Forbidden(HttpError):
    """403."""

    def __init__(self, error: str | None = None, *, log: str | None = None) -> None:
        super().__init__(403, error, log=log)


class NotFound(HttpError):
    """404, with what could not be found: ``{"error": "Could not find client"}``."""

    def __init__(self, error: str | None = None) -> None:
        super().__init__(404, error)


class BadRequest(HttpError):
    """400 as ``{"error": …}``."""

    def __init__(self, error: str | None = None) -> None:
        super().__init__(400, error)


class OAuthError(AdminError):
    """``{"error": …, "error_description": …}``."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(status, {"error": error, "error_description": description})


class DuplicateResource(OAuthError):
    """409: what was written violates a unique key of Keycloak's database, as its transaction ends."""

    secured = False

    def __init__(self) -> None:
        super().__init__(409, "conflict", "Duplicate resource error")


class KnownDuplicate(DuplicateResource):
    """As `DuplicateResource`, where Keycloak finds out before its transaction ends."""

    secured = True


class NoSuchService(HttpError):
    """405: a path below ``/admin`` that belongs to nothing."""

    secured = False

    def __init__(self) -> None:
        super().__init__(405)


class ErrorMessage(AdminError):
    """``{"errorMessage": …}`` (Keycloak ``ErrorResponse``)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, {"errorMessage": message})


class Conflict(ErrorMessage):
    """409 as ``{"errorMessage": …}``."""

    def __init__(self, message: str) -> None:
        super().__init__(409, message)


class InvalidField(AdminError):
    """400 as ``{"field": …, "errorMessage": …, "params": […]}`` (Keycloak ``ErrorRepresentation``)."""

    def __init__(self, field: str, message: str, *params: Any) -> None:
        super().__init__(400, {"field": field, "errorMessage": message, "params": list(params)})


class InvalidRequest(OAuthError):
    """400, and why, for what makes Keycloak fail with a 500 (docs/compatibility.md lists it)."""

    def __init__(self, description: str) -> None:
        super().__init__(400, "invalid_request", description)


class ServerError(OAuthError):
    """500: something of ours is broken."""

    def __init__(self) -> None:
        super().__init__(500, "unknown_error", _LOOK_IN_THE_LOG)


class NotEnabled(OAuthError):
    """501: a feature of Keycloak that is off there by default, and absent here."""

    def __init__(self) -> None:
        super().__init__(501, _REASONS[501], _LOOK_IN_THE_LOG)


_ALREADY_EXISTS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("realm", "realm"): "Conflict detected. See logs for details",
        ("client", "client_id"): "Client {client_id} already exists",
        ("client_scope", "name"): "Client Scope {name} already exists",
        ("role", "name"): "Role with name {name} already exists",
        ("user", "username"): "User exists with same username",
        ("group", "name"): "Top level group named '{name}' already exists.",
    }
)


def duplicate(error: Duplicate, document: Any) -> Conflict:
    """What the wire says of a unique key of `document` that is taken."""
    text = _ALREADY_EXISTS.get((error.collection, error.key), "Conflict detected. See logs for details")
    return Conflict(text.format_map(_Fields(document)))


class _Fields(dict[str, Any]):
    def __init__(self, document: Any) -> None:
        super().__init__()
        self.document = document

    def __missing__(self, name: str) -> Any:
        return getattr(self.document, name)


def unavailable(error: StoreError) -> AdminError:
    """What the wire says where the store does not do what was asked; the log says why, in a line."""
    if isinstance(error, Duplicate):
        return DuplicateResource()
    _log.error("an administrator's request failed: %s", error)
    changed = "whether anything has changed is not known" if isinstance(error, InDoubt) else "nothing has changed"
    return OAuthError(503, "temporarily_unavailable", f"The database cannot be used now; {changed}.")


def unknown_error(error: BaseException, error_id: str) -> ServerError:
    """What the wire says of an error that nobody expected; the log has it under `error_id`, the traceback included."""
    _log.error("unexpected error %s", error_id, exc_info=error)
    return ServerError()
