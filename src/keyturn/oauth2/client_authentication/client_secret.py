"""client_secret_basic and client_secret_post (RFC 6749 §2.3.1)."""

import hmac
from base64 import b64decode
from hashlib import sha256
from typing import ClassVar, Final

from keyturn.model.client import Client, SecretDigest
from keyturn.oauth2.client_authentication.spi import NOT_PROVED, Presented
from keyturn.oauth2.errors import InvalidRequest, UnauthorizedClient
from keyturn.oauth2.form import Form, decode_component
from keyturn.oauth2.http_message import Request

_NOBODYS: Final = (SecretDigest(bytes(sha256().digest_size)),)
"""No text is known whose SHA-256 this is."""


class ClientSecret:
    """The client's secret, in the Authorization header or in the form.

    Source: Keycloak ``ClientIdAndSecretAuthenticator``: what the form says goes before what the header says, each of
    client and secret for itself, although RFC 6749 §2.3 forbids to use both.
    """

    authenticator: ClassVar[str] = "client-secret"
    metadata: ClassVar[tuple[str, ...]] = ("client_secret_basic", "client_secret_post")

    def present(self, request: Request, form: Form) -> Presented | None:
        """The client and secret of the form, else of the header. Raises UnauthorizedClient."""
        client_id = form.get("client_id")
        secret = form.get("client_secret")
        if request.authorization is not None and (client_id is None or secret is None):
            basic = basic_credentials(request.authorization)
            if basic is not None:
                client_id = basic[0] if client_id is None else client_id
                secret = basic[1] if secret is None else secret
        return None if client_id is None else Presented(client_id, secret)

    def proves(self, presented: Presented, client: Client, now: int) -> bool:
        """Whether the secret is one of the client's that has not expired. Compares with all, in constant time."""
        return _is_one_of(client.secrets, presented.secret, now)

    def pretend(self, presented: Presented, now: int) -> None:
        """Compares with a secret that nobody has: a client that is not there takes as long as one that is."""
        _is_one_of(_NOBODYS, presented.secret, now)


def _is_one_of(secrets: tuple[SecretDigest, ...], secret: str | None, now: int) -> bool:
    digest = sha256((secret or "").encode("utf-8", "surrogatepass")).digest()
    right = [
        hmac.compare_digest(digest, known.digest) and (known.expires is None or now < known.expires)
        for known in secrets
    ]
    return secret is not None and any(right)


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
