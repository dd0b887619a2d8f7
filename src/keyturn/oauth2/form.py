"""The form in a request's body (RFC 6749 Appendix B), read strictly and in bounded time."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

from keyturn.oauth2.errors import MalformedRequest

MAXIMUM_PARAMETERS: Final = 1000
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Form(dict[str, str]):
    """Parameters by name, of one that came twice the first value.

    ``repeated`` holds the names that came twice with all their values: the endpoints refuse them (RFC 6749 §3.2).
    """

    repeated: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def all(self, name: str) -> tuple[str, ...]:
        """All values of the parameter, which may be repeated (as ``audience``, RFC 8693 §2.1)."""
        return self.repeated.get(name) or ((self[name],) if name in self else ())


def parse(content_type: str, body: bytes) -> Form:
    """The form in `body`; empty where the content is no form, as for Keycloak.

    Raises:
        MalformedRequest: an escape or a character that cannot be read, or too many parameters. (Keycloak answers 500.)
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        return _urlencoded(body)
    if media_type == "multipart/form-data":
        return _multipart(content_type, body)
    return Form()


def decode_component(raw: bytes) -> str:
    """A name or value of ``application/x-www-form-urlencoded``. Raises MalformedRequest."""
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        if _BAD_ESCAPE.search(raw):
            raise MalformedRequest("Malformed percent-encoding in the form")
        raw = unquote_to_bytes(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MalformedRequest("The form is not UTF-8") from None


def _urlencoded(body: bytes) -> Form:
    form = Form()
    if body.count(b"&") >= MAXIMUM_PARAMETERS:
        raise MalformedRequest("Too many form parameters")
    for pair in body.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            _add(form, decode_component(name), decode_component(value))
    return form


def _multipart(content_type: str, body: bytes) -> Form:
    """RFC 7578: fields only; files are no parameters."""
    form = Form()
    boundary = _parameter(content_type, "boundary")
    if not boundary:
        return form
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(parts) > MAXIMUM_PARAMETERS:
        raise MalformedRequest("Too many form parameters")
    for part in parts[1:]:
        if part.startswith(b"--"):
            break
        head, separator, value = part.partition(b"\r\n\r\n")
        if not separator:
            continue
        try:
            disposition = _disposition(head.decode())
            name = _parameter(disposition, "name")
            if name is not None and _parameter(disposition, "filename") is None:
                _add(form, name, value.decode())
        except UnicodeDecodeError:
            raise MalformedRequest("The form is not UTF-8") from None
    return form


def _disposition(head: str) -> str:
    """The ``Content-Disposition`` of a part."""
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return value
    return ""


def _parameter(header: str, name: str) -> str | None:
    for piece in header.split(";")[1:]:
        key, separator, value = piece.strip().partition("=")
        if separator and key.lower() == name:
            return value.strip('"')
    return None


def _add(form: Form, name: str, value: str) -> None:
    if name in form:
        form.repeated = {**form.repeated, name: (*form.all(name), value)}
    else:
        form[name] = value
