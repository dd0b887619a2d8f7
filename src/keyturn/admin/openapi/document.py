"""The OpenAPI 3.1 document of the admin API."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from keyturn import KEYCLOAK_VERSION
from keyturn.admin.openapi.operations import Body, Operation, Parameter, operations
from keyturn.admin.openapi.schemas import Document, documents, schema_of, schemas
from keyturn.admin.openapi.texts import texts
from keyturn.admin.routing import Mount
from keyturn.representations import ErrorRepresentation, OAuth2ErrorRepresentation

__all__ = ["admin_documents", "document"]

_ERRORS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("BadRequest", "The request is refused: by its parameters, its body, or a rule of the resource."),
    401: ("Unauthorized", "There is no token, or it does not count here."),
    403: ("Forbidden", "The caller lacks the right, or calls from an origin that is not its client's."),
    404: ("NotFound", "Something on the path is not there, or a number in the query is none."),
    406: ("NotAcceptable", "The caller does not accept JSON."),
    409: ("Conflict", "A name is taken."),
    413: ("TooLarge", "The body is too large."),
    415: ("UnsupportedMediaType", "The body is of another media type."),
    500: ("ServerError", "Something broke, and the server's log says what; or e-mail was to be sent, as in Keycloak."),
    501: ("NotEnabled", "A feature that Keycloak has off by default, and that is not here."),
    503: ("Unavailable", "The database cannot be used now; nothing has changed."),
}
_ERROR: Final = "Error"
_DESCRIPTION: Final = f"""\
The admin REST API of Keycloak {KEYCLOAK_VERSION}, as keyturn serves it.

Calls take an access token of the realm `master` or of the realm that they concern. What the caller may do is decided
by the management roles that it holds at the moment; each operation says which (`x-rights`: of each list, one).
A field that is absent and one that is `null` mean the same unless a field says otherwise; `null` is never answered.
"""


def admin_documents(mounts: Iterable[Mount]) -> tuple[Document, ...]:
    """The representations that the operations of `mounts` take and answer, as ``schemas.documents``."""
    found = operations(mounts)
    bodies, answers = _kinds(found)
    return documents(bodies, [*answers, ErrorRepresentation, OAuth2ErrorRepresentation])


def document(mounts: Iterable[Mount]) -> dict[str, Any]:
    """The whole document, to be encoded as JSON. It names no host: paths are those of the server that answers it."""
    found = operations(mounts)
    bodies, answers = _kinds(found)
    paths: dict[str, dict[str, Any]] = {}
    for operation in found:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    components = schemas(bodies, [*answers, ErrorRepresentation, OAuth2ErrorRepresentation])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "keyturn admin API",
            "version": KEYCLOAK_VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"accessToken": []}],
        "tags": [{"name": tag, "description": texts().about[tag]} for tag in sorted({each.tag for each in found})],
        "paths": paths,
        "components": {
            "schemas": {**components, _ERROR: _error()},
            "responses": {name: _failure(text) for name, text in _ERRORS.values()},
            "securitySchemes": {"accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _kinds(found: Iterable[Operation]) -> tuple[list[Any], list[Any]]:
    """What is sent, and what is answered."""
    bodies = [operation.body.kind for operation in found if operation.body is not None]
    answers = [body.kind for operation in found for body in operation.answers.values() if body is not None]
    return bodies, answers


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary.partition(". ")[0].rstrip("."),
        "description": f"{operation.summary}\n\nTakes {operation.right}.",
    }
    if operation.needs:
        described["x-rights"] = [list(each) for each in operation.needs]
    if operation.deprecated:
        described["deprecated"] = True
    if operation.parameters:
        described["parameters"] = [_parameter(each) for each in operation.parameters]
    if operation.body is not None:
        described["requestBody"] = {"required": operation.body.required, "content": _content(operation.body)}
    described["responses"] = {
        str(status): response for status, response in sorted({**_answers(operation), **_failures(operation)}.items())
    }
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = dict(parameter.schema)
    if parameter.default is not None and parameter.default != ():
        schema["default"] = parameter.default
    described = {"name": parameter.name, "in": parameter.within, "description": parameter.text, "schema": schema}
    return {**described, "required": True} if parameter.within == "path" else described


def _content(body: Body) -> dict[str, Any]:
    schema = {"type": "string"} if body.kind is bytes else schema_of(body.kind)
    return {body.media_type: {"schema": schema}}


_SUCCESS: Final = {200: "It is as asked.", 201: "It was made; `Location` says where it is.", 204: "It is done."}
_LOCATION: Final = {
    "description": "Where it is.",
    "required": True,
    "schema": {"type": "string", "format": "uri"},
}


def _answers(operation: Operation) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for status, body in operation.answers.items():
        found[status] = {"description": _SUCCESS[status]}
        if status == 201:
            found[status]["headers"] = {"Location": _LOCATION}
        if body is not None:
            found[status]["content"] = _content(body)
    return found


def _failures(operation: Operation) -> dict[int, Any]:
    statuses = {400, 401, 403, 500, 503}
    if operation.in_a_realm:
        statuses.add(404)
    if operation.endpoint.produces is not None:
        statuses.add(406)
    if operation.endpoint.parameters.writes or operation.method == "POST":
        statuses.add(409)
    if operation.body is not None:
        statuses.add(413)
        if operation.body.media_type != "*/*":
            statuses.add(415)
    if not operation.answers:
        statuses.add(501)
    return {status: {"$ref": f"#/components/responses/{_ERRORS[status][0]}"} for status in statuses}


def _failure(text: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{_ERROR}"}
    return {"description": text, "content": {"application/json": {"schema": reference}}}


def _error() -> dict[str, Any]:
    names = (OAuth2ErrorRepresentation.__name__, ErrorRepresentation.__name__)
    return {
        "description": "Keycloak has several shapes of errors: what they say is in `error` or in `errorMessage`.",
        "anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names],
    }
