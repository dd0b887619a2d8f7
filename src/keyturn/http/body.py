"""Reads a request's body in bounded memory."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

MAXIMUM_FORM: Final = 1024 * 1024
"""Bytes of a form: a token of thousands of roles, and room to spare."""

MAXIMUM_DOCUMENT: Final = 64 * 1024 * 1024
"""Bytes of a document for the admin API: the export of a realm with tens of thousands of clients."""


class BodyTooLarge(Exception):
    """The body is longer than allowed: answer 413."""


class Disconnected(Exception):
    """The caller is gone: there is nobody to answer."""


async def read_body(
    receive: Receive, limit: int, *, free: int | None = None, admit: Callable[[], Awaitable[None]] | None = None
) -> bytes:
    """The whole body. Raises BodyTooLarge, Disconnected.

    Args:
        free: bytes that anybody may send; `admit` is awaited once before more is kept, and raises to refuse.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    if len(body) > limit:
        raise BodyTooLarge
    if not message.get("more_body", False):
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        if admit is not None and free is not None and size > free:
            await admit()
            admit = None
        parts.append(part)
    return b"".join(parts)
