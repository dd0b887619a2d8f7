"""The client and secret that a form or an ``Authorization: Basic`` header shows (RFC 6749 §2.3.1)."""

from base64 import b64decode
from dataclasses import dataclass, field
from typing import Final

from keyturn.oauth2.errors import InvalidRequest, UnauthorizedClient
from keyturn.oauth2.form import Form, decode_component
from keyturn.oauth2.http_message import Request

NOT_PROVED: Final = "invalid_client_credentials"
"""What events call a client that has not proved who it is."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What the request shows of its client; None for what it does not."""

    client_id: str | None
    secret: str | None = field(repr=False)
    method: str
    """How the secret came, if one did: ``client_secret_post`` or ``client_secret_basic``."""


def presented(request: Request, form: Form) -> Presented:
    """The client and secret of the form, else of the header, each for itself. Raises UnauthorizedClient."""
    client_id = form.get("client_id")
    secret = form.get("client_secret")
    method = "client_secret_basic" if secret is None else "client_secret_post"
    if request.authorization is not None and (client_id is None or secret is None):
        basic = basic_credentials(request.authorization)
        if basic is not None:
            client_id = basic[0] if client_id is None else client_id
            secret = basic[1] if secret is None else secret
    return Presented(client_id, secret, method)


def check_one_method(request: Request, form: Form) -> None:
    """That the request shows credentials of one kind, and of one client. A certificate is none: it may bind the token.

    Raises:
        InvalidRequest: it shows more.
        UnauthorizedClient: as ``basic_credentials``.

    Source: RFC 6749 §2.3, §5.2 (``invalid_request``).
    """
    basic = None if request.authorization is None else basic_credentials(request.authorization)
    shown = (basic is not None) + ("client_secret" in form) + ("client_assertion" in form)
    if shown > 1:
        raise InvalidRequest("More than one method of client authentication")
    if basic is not None and form.get("client_id", basic[0]) != basic[0]:
        raise InvalidRequest("More than one client")


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """User and password of an ``Authorization: Basic`` header, form-decoded; None where it is no such header.

    Raises:
        UnauthorizedClient: an escape that cannot be read, with Keycloak's text.
    """
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).partition(b":")
    except ValueError:
        return None
    if not colon:
        return None
    try:
        return decode_component(user), decode_component(password)
    except InvalidRequest:
        text = "Unexpected error when authenticating client"
        raise UnauthorizedClient(text, status=400, event=NOT_PROVED, told={}) from None
