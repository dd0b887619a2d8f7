"""``create``, ``get``, ``update`` and ``delete``: one request on one resource, and what comes before and after it."""

from dataclasses import dataclass
from typing import Any, Final

from keyturn.cli.kcadm import console
from keyturn.cli.kcadm.answers import check_success
from keyturn.cli.kcadm.arguments import Arguments
from keyturn.cli.kcadm.attributes import Change, apply_changes, merge, parse_change, parse_key_value
from keyturn.cli.kcadm.documents import read_document, read_file
from keyturn.cli.kcadm.errors import KcadmError, TransportError, UsageError
from keyturn.cli.kcadm.fields import parse_fields
from keyturn.cli.kcadm.http_connection import Response
from keyturn.cli.kcadm.json_document import BrokenJSON, compact, node_name, parse
from keyturn.cli.kcadm.output import print_body, print_headers
from keyturn.cli.kcadm.session import AUTHENTICATION_OPTIONS, Session, open_session, open_store
from keyturn.cli.kcadm.url import add_query, admin_root, in_java_order, resource_url

__all__ = ["is_idle", "perform", "run"]

_METHODS: Final = {"create": "POST", "get": "GET", "update": "PUT", "delete": "DELETE", "get-roles": "GET"}
_FORMATS: Final = frozenset({"json", "csv"})
_SOMETHING: Final = (
    *AUTHENTICATION_OPTIONS,
    "--file",
    "--body",
    "--fields",
    "--set",
    "--delete",
    "--query",
    "--header",
)
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the arguments describe it, before anything was sent."""

    method: str
    changes: list[Change]
    headers: dict[str, str]
    filters: dict[str, str]
    merging: bool
    document: tuple[str, Any] | None
    """The text and value of a JSON file."""
    raw: bytes | None
    """A body to send as it is."""


def is_idle(arguments: Arguments) -> bool:
    """Whether there is nothing to do: only the help is wanted."""
    return not arguments.words and not arguments.given(*_SOMETHING)


def run(arguments: Arguments) -> None:
    """Do what the command says.

    Raises:
        UsageError: the options do not go together.
        KcadmError: it failed.
    """
    store = open_store(arguments)
    request = describe(arguments)
    if not arguments.words:
        raise UsageError("Resource URI not specified")
    _check_options(arguments)
    request = with_body(arguments, request)
    with open_session(arguments, store) as session:
        perform(arguments, session, arguments.words[0], request)


def describe(arguments: Arguments) -> Request:
    """The request without its body.

    Raises:
        UsageError: a NAME=VALUE that is none.
        KcadmError: an attribute's key that cannot be read.
    """
    changes = [parse_change(operation, text) for operation, text in arguments.changes]
    headers: dict[str, str] = {}
    for name, value in map(parse_key_value, arguments.texts("--header")):
        same = next((present for present in headers if present.lower() == name.lower()), name)
        headers[same] = value
    filters = dict(map(parse_key_value, arguments.texts("--query")))
    merging = arguments.flag("--merge") or bool(
        changes and not arguments.given("--file") and not arguments.flag("--no-merge")
    )
    return Request(_METHODS[arguments.command[0]], changes, headers, filters, merging, None, None)


def _check_options(arguments: Arguments) -> None:
    if arguments.flag("--output") and arguments.flag("--id"):
        raise UsageError("Options -o and -i are mutually exclusive")
    check_format(arguments)
    if arguments.flag("--merge") and arguments.flag("--no-merge"):
        raise UsageError("Options --merge and --no-merge are mutually exclusive")
    if arguments.given("--body") and arguments.given("--file"):
        raise UsageError("Options --body and --file are mutually exclusive")


def check_format(arguments: Arguments) -> None:
    """Refuse a ``--format`` that does not exist.

    Raises:
        UsageError: it does not.
    """
    form = arguments.text("--format")
    if form is not None and form.lower() not in _FORMATS:
        raise UsageError(f"Unsupported output format: {form}")


def with_body(arguments: Arguments, request: Request) -> Request:
    """`request` with the body that ``--file`` or ``--body`` give.

    Raises:
        KcadmError: the file cannot be read, or is not JSON where it should be.
    """
    file, body = arguments.text("--file"), arguments.text("--body")
    document, raw = request.document, request.raw
    if file is not None:
        kind = _header(request.headers, "content-type")
        if kind is not None and kind != _JSON:
            raw = read_file(file)
        else:
            document = read_document(file)
    elif body is not None:
        raw = body.encode("utf-8", "replace")
    return Request(request.method, request.changes, request.headers, request.filters, request.merging, document, raw)


def perform(arguments: Arguments, session: Session, uri: str, request: Request) -> None:
    """Send the request and print what is wanted of the answer.

    Raises:
        KcadmError: the server refused or did not answer, or the answer cannot be printed as wanted.
    """
    headers = dict(request.headers)
    for name, value in {**session.authorization, "Accept": _JSON}.items():
        if _header(headers, name) is None:
            headers[name] = value
    root = arguments.text("--admin-root")
    bare_url = resource_url(admin_root(session.server) if root is None else root, session.target_realm, uri)
    url = add_query(bare_url, in_java_order(request.filters))
    pages = {"first": arguments.text("--offset"), "max": arguments.text("--limit")}
    numbers = [(name, str(int(value))) for name, value in pages.items() if value is not None]
    url = add_query(url, numbers)
    content = _content(session, url, request, headers)
    given = arguments.text("--fields")
    fields = None if given is None else parse_fields(given)
    if content is not None:
        if request.method == "GET":
            raise KcadmError("Request type does not support body: get")
        if _header(headers, "content-type") is None:
            headers["Content-Type"] = _JSON
    response = _send(session, request.method, url, headers, content)
    if arguments.flag("--print-headers"):
        print_headers(response)
    check_success(url, response)
    if arguments.flag("--print-headers"):
        console.write_line("")
    if request.method == "GET":
        print_body(response, arguments, fields)
        return
    location = response.header("location")
    if arguments.flag("--id"):
        if location is not None:
            console.write_line(_last_segment(location))
    elif arguments.flag("--output"):
        print_body(_outcome(session, request.method, uri, url, response), arguments, fields)
    elif location is not None:
        console.note(f"Created new {_type_name(bare_url)} with id '{_last_segment(location)}'")


def _content(session: Session, url: str, request: Request, headers: dict[str, str]) -> bytes | None:
    """The body to send, after what is there already was merged into it and the changes were made."""
    text, value = request.document or (None, None)
    if request.method == "PUT" and request.merging:
        present = _present(session, url, headers)
        if request.document is not None and isinstance(present, dict):
            merge(value, present)
        value = present
        text = compact(value)
    if request.changes:
        if request.raw is not None:
            raise KcadmError("Can't set attributes on content of type other than application/json")
        value = {} if text is None else value
        apply_changes(value, request.changes)
        text = compact(value)
    if request.raw is not None:
        return request.raw
    return None if text is None else text.encode("utf-8", "replace")


def _present(session: Session, url: str, headers: dict[str, str]) -> Any:
    response = _send(session, "GET", url, headers, None)
    check_success(url, response)
    try:
        present = parse(response.body.decode("utf-8", "replace"))
    except BrokenJSON as error:
        raise KcadmError(f"HTTP request error: {error}") from None
    if present is not None and not isinstance(present, dict):
        raise KcadmError(f"HTTP request error: {_not_an_object(present)}")
    return present


def _not_an_object(value: Any) -> str:
    kind, token = ("Array", "START_ARRAY") if isinstance(value, list) else ("value", node_name(value))
    return (
        f"Cannot deserialize value of type `com.fasterxml.jackson.databind.node.ObjectNode` from {kind} value "
        f"(token `JsonToken.{token}`)\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` "
        "disabled); line: 1, column: 1]"
    )


def _outcome(session: Session, method: str, uri: str, url: str, response: Response) -> Response:
    """The resource as it is now: read again where the answer told only where it is, or nothing at all."""
    if method not in ("POST", "PUT") or uri == "clients-initial-access":
        return response
    location = response.header("location")
    if location is None and response.status != 204:
        return response
    target = url if location is None else f"{url}/{_last_segment(location)}"
    read = _send(session, "GET", target, session.authorization, None)
    check_success(target, read)
    return read


def _send(session: Session, method: str, url: str, headers: dict[str, str], content: bytes | None) -> Response:
    try:
        return session.http.send(method, url, headers, content)
    except TransportError as error:
        raise KcadmError(f"HTTP request error: {error}") from error


def _header(headers: dict[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def _last_segment(url: str) -> str:
    return url.removesuffix("/").rpartition("/")[2] if "/" in url else url[1:]


def _type_name(url: str) -> str:
    return _last_segment(url).removesuffix("s")
