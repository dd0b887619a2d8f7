"""What a request shows of a client that proves itself by the certificate of its connection (RFC 8705 §2)."""

from urllib.parse import parse_qsl

from keyturn.jose.client_certificate import ClientCertificate
from keyturn.model.client import Client
from keyturn.oauth2.client_authentication.presented import NOT_PROVED
from keyturn.oauth2.client_authentication.spi import Credentials, not_proved
from keyturn.oauth2.errors import InvalidClient


def named(credentials: Credentials) -> str | None:
    """The ``client_id`` of the form, else of the query: the certificate alone does not tell it."""
    name = credentials.form.get("client_id")
    if name is not None:
        return name
    query = credentials.http.query
    return dict(reversed(parse_qsl(query.decode("latin-1")))).get("client_id") if query else None


def shown(client: Client, credentials: Credentials) -> ClientCertificate:
    """The certificate, which is within its times. Does NOT check whose it is.

    Raises:
        InvalidClient: there is none, or `client` was not named, or is disabled.
    """
    if named(credentials) is None:
        raise InvalidClient("Missing client_id parameter", status=400, event=NOT_PROVED, told={})
    if not client.enabled:
        raise not_proved({}, log="disabled client", event="client_disabled")
    certificate = credentials.http.certificate
    if certificate is None:
        raise not_proved({}, log="no certificate")
    if not certificate.is_valid_at(credentials.now):
        raise not_proved({}, log="the certificate is out of its time")
    return certificate
