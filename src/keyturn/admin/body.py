"""A request's body as the type that an endpoint takes."""

import re
from types import NoneType, UnionType
from typing import Any, Final, get_args
from urllib.parse import parse_qsl

from keyturn.admin.errors import AdminError, HttpError, InvalidRequest
from keyturn.admin.http_message import AdminRequest
from keyturn.admin.media_types import essence
from keyturn.admin.resource import Endpoint, Form, Multipart
from keyturn.representations.reading import UnreadableDocument, read

__all__ = ["read_body", "unreadable"]

_MAXIMUM_PARTS: Final = 100
_PART_NAME: Final = re.compile(rb'(?i)content-disposition:[^\r\n]*?;\s*name="?([^";\r\n]*)')
_ERRORS: Final = {
    "broken_json": "invalid_request",
    "malformed_value": "HTTP 400 Bad Request",
    "wrong_type": "unknown_error",
}


def read_body(endpoint: Endpoint, request: AdminRequest) -> Any:
    """The body that `endpoint` takes; None where it takes none, or where it may be missing (``X | None``) and is.

    Raises:
        AdminError: another media type (415), or what cannot be read, in Keycloak's words.
    """
    if endpoint.consumes not in {None, "*/*"} and "content-type" in request.headers:
        sent = essence(request.headers["content-type"])
        if sent != endpoint.consumes and sent not in {"*/*", "application/*"}:
            raise HttpError(415)
    if endpoint.parameters.body is None:
        return None
    kind = endpoint.parameters.body[1]
    if kind is bytes:
        return request.body
    if kind is Multipart:
        return _multipart(request.headers.get("content-type", ""), request.body)
    if kind is Form:
        pairs = parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)
        return Form(dict(reversed(pairs)))
    wanted = [each for each in get_args(kind) if each is not NoneType] if isinstance(kind, UnionType) else [kind]
    try:
        return read(request.body, wanted[0], ignore_unknown=endpoint.ignore_unknown)
    except UnreadableDocument as error:
        if error.kind == "empty" and wanted[0] is not kind:
            return None
        raise (endpoint.unreadable or unreadable)(error) from None


def _multipart(content_type: str, body: bytes) -> Multipart:
    """The fields and files; none where it is no such form."""
    parts = Multipart()
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    if essence(content_type) != "multipart/form-data" or boundary is None:
        return parts
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:_MAXIMUM_PARTS]:
        head, separator, value = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if separator and name is not None:
            parts.setdefault(name[1].decode(errors="replace"), value)
    return parts


def unreadable(error: UnreadableDocument, status: int = 400) -> AdminError:
    """Keycloak's usual answer to a body that cannot be read."""
    if error.kind == "empty":
        return InvalidRequest("The body is missing")
    if error.kind == "unrecognized_field":
        return HttpError(status, str(error))
    return AdminError(status, {"error": _ERRORS[error.kind], "error_description": str(error)})
