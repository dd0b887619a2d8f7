"""client_secret_basic and client_secret_post (RFC 6749 §2.3.1)."""

import hmac
from hashlib import sha256
from typing import ClassVar, Final

from keyturn.model.client import Client, SecretDigest
from keyturn.oauth2.client_authentication.presented import NOT_PROVED
from keyturn.oauth2.client_authentication.spi import INVALID, NO_MORE, Credentials, Proof
from keyturn.oauth2.errors import UnauthorizedClient
from keyturn.oauth2.spi import Clients

_ALLOWED_METHOD: Final = "client.secret.authentication.allowed.method"
"""The attribute that says in which of the two ways alone a client sends its secret."""
_NOBODYS: Final = (SecretDigest(bytes(sha256().digest_size)),)
"""No text is known whose SHA-256 this is."""


class ClientSecret:
    """The client's secret, in the Authorization header or in the form.

    Source: Keycloak ``ClientIdAndSecretAuthenticator``: what the form says goes before what the header says, each of
    client and secret for itself, although RFC 6749 §2.3 forbids to use both.
    """

    authenticator: ClassVar[str] = "client-secret"
    metadata: ClassVar[tuple[str, ...]] = ("client_secret_basic", "client_secret_post")

    def identify(self, credentials: Credentials, clients: Clients) -> str | None:
        """The ``client_id`` of the form, else of the header. Raises UnauthorizedClient."""
        return credentials.presented.client_id

    def prove(self, client: Client, credentials: Credentials, clients: Clients) -> Proof:
        """That the secret is one of the client's that has not expired. Compares with all, in constant time.

        Raises:
            UnauthorizedClient: it is not, or there is none, or it came in a way that is not the client's (Keycloak's
                choice of a code).
        """
        secret = credentials.presented.secret
        allowed = client.attributes.get(_ALLOWED_METHOD)
        if allowed and secret is not None and allowed != credentials.presented.method:
            text = (
                f"Invalid method used to get client secret. Client requires method '{allowed}' "
                "to obtain client secret from the request"
            )
            raise UnauthorizedClient(text, event=NOT_PROVED, told={})
        name = _name_of(client.secrets, secret, credentials.now)
        if name is None:
            log = "no secret" if secret is None else "wrong secret"
            raise UnauthorizedClient(INVALID, log=log, event=NOT_PROVED, told={})
        return Proof(credential=name) if name else NO_MORE

    def pretend(self, credentials: Credentials) -> None:
        """Compares with a secret that nobody has: a client that is not there takes as long as one that is."""
        _name_of(_NOBODYS, credentials.presented.secret, credentials.now)


def _name_of(secrets: tuple[SecretDigest, ...], secret: str | None, now: int) -> str | None:
    """What the use of this one of `secrets` is counted under; None where it is none of them that counts at `now`."""
    digest = sha256((secret or "").encode("utf-8", "surrogatepass")).digest()
    right = [
        known.name
        for known in secrets
        if hmac.compare_digest(digest, known.digest) and (known.expires is None or now <= known.expires)
    ]
    return right[0] if right and secret is not None else None
