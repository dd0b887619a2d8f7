"""Answers of the server: whether they are refusals, and what kcadm.sh says of those."""

from typing import Any

from keyturn.cli.kcadm.errors import KcadmError, TransportError
from keyturn.cli.kcadm.http_connection import Response
from keyturn.cli.kcadm.json_document import BrokenJSON, compact, parse
from keyturn.cli.kcadm.session import Session

__all__ = ["check_success", "get_json", "send_json"]


def check_success(url: str, response: Response) -> None:
    """Pass a success.

    Raises:
        KcadmError: the server refused; with its own words where it has some.
    """
    if 200 <= response.status < 300:
        return
    if response.status == 404:
        raise KcadmError(f"Resource not found for url: {url}")
    raise _refused(response)


def get_json(session: Session, url: str) -> Any:
    """The JSON at `url`; an empty list where the answer is not JSON.

    Raises:
        KcadmError: there is none, or the server refused.
    """
    try:
        response = session.http.send("GET", url, {**session.authorization, "Accept": "application/json"})
    except TransportError as error:
        raise KcadmError(f"HTTP request failed: GET {url}") from error
    check_success(url, response)
    if not (response.header("content-type") or "").startswith("application/json"):
        return []
    try:
        return parse(response.body.decode("utf-8", "replace"))
    except BrokenJSON:
        raise KcadmError("Failed to read JSON response") from None


def send_json(session: Session, method: str, url: str, document: Any, *, secret: bool = False) -> None:
    """Send `document`.

    A failure's message holds what was sent, as kcadm.sh's does; not so where it is `secret`.

    Raises:
        KcadmError: the server refused, or did not answer.
    """
    content = compact(document)
    headers = {**session.authorization, "Content-Type": "application/json"}
    try:
        response = session.http.send(method, url, headers, content.encode("utf-8", "replace"))
    except TransportError as error:
        sent = "" if secret else f"\n{content}"
        raise KcadmError(f"HTTP request failed: {method} {url}{sent}") from error
    if secret and not 200 <= response.status < 300:
        raise _refused(response)
    check_success(url, response)


def _refused(response: Response) -> KcadmError:
    return KcadmError(_refusal(response) or f"HTTP error - {response.status} {response.reason}")


def _refusal(response: Response) -> str | None:
    try:
        told = parse(response.body.decode("utf-8", "replace"))
    except BrokenJSON:
        return None
    if not isinstance(told, dict):
        return None
    message, error, description = (told.get(name) for name in ("errorMessage", "error", "error_description"))
    if message is not None:
        return _text(message)
    if error is None:
        return None
    return _text(error) if description is None else f"{_text(description)} [{_text(error)}]"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)
