"""tls_client_auth (RFC 8705 §2.1): the client is who its certificate names, which the TLS connection has proved."""

from typing import ClassVar, Final
from urllib.parse import parse_qsl

from keyturn.jose.client_certificate import ClientCertificate, InvalidName
from keyturn.model.client import Client
from keyturn.oauth2.client_authentication.presented import NOT_PROVED
from keyturn.oauth2.client_authentication.spi import NO_MORE, Credentials, Proof, not_proved
from keyturn.oauth2.errors import InvalidClient, UnauthorizedClient
from keyturn.oauth2.spi import Clients

_SUBJECT: Final = "x509.subjectdn"
_CA_SUBJECT: Final = "x509.casubjectdn"
_PATTERN: Final = "x509.allow.regex.pattern.comparison"
_TIMEOUT: Final = 0.1
"""Seconds for one comparison: an administrator's pattern must not stop the server."""

_LONGEST: Final = 1000


class X509:
    """The subject is the client's ``x509.subjectdn``, a name or a pattern; the issuer its ``x509.casubjectdn``, if any.

    Source: Keycloak ``X509ClientAuthenticator``, where a certificate's chain is verified once more.
    """

    authenticator: ClassVar[str] = "client-x509"
    metadata: ClassVar[tuple[str, ...]] = ("tls_client_auth",)

    def identify(self, credentials: Credentials, clients: Clients) -> str | None:
        """The ``client_id`` of the form, else of the query."""
        return _client_id(credentials)

    def prove(self, client: Client, credentials: Credentials, clients: Clients) -> Proof:
        """That the certificate is `client`'s. Raises InvalidClient, UnauthorizedClient."""
        if _client_id(credentials) is None:
            raise InvalidClient("Missing client_id parameter", status=400, event=NOT_PROVED, told={})
        if not client.enabled:
            raise not_proved({}, log="disabled client", event="client_disabled")
        certificate = credentials.http.certificate
        if certificate is None:
            raise not_proved({}, log="no certificate")
        if not certificate.is_valid_at(credentials.now):
            raise not_proved({}, log="the certificate is out of its time")
        try:
            matches = _matches(certificate, client)
        except ValueError:
            text = "Unexpected error when authenticating client"
            raise UnauthorizedClient(text, status=400, event=NOT_PROVED, told={}) from None
        if not matches:
            raise not_proved({}, log="another's certificate, or of another issuer")
        return NO_MORE


def _client_id(credentials: Credentials) -> str | None:
    named = credentials.form.get("client_id")
    if named is not None:
        return named
    query = credentials.http.query
    return dict(reversed(parse_qsl(query.decode("latin-1")))).get("client_id") if query else None


def _matches(certificate: ClientCertificate, client: Client) -> bool:
    """Raises ValueError: the attributes are neither names nor patterns."""
    expected = client.attributes.get(_SUBJECT, "")
    if not expected.strip():
        return False
    # Older clients know no such attribute, and mean patterns.
    if client.attributes.get(_PATTERN, "true").lower() == "true":
        if not _fits(expected, certificate.subject_texts()):
            return False
    elif not certificate.has_subject(expected):
        return False
    issuer = client.attributes.get(_CA_SUBJECT, "")
    try:
        return not issuer.strip() or certificate.has_issuer(issuer)
    except InvalidName:
        return False


def _fits(pattern: str, texts: tuple[str, ...]) -> bool:
    import regex  # dear to import, and wanted by few

    if len(pattern) > _LONGEST:
        raise ValueError("a pattern that is too long")
    try:
        compiled = regex.compile(pattern)
        return any(compiled.fullmatch(text, timeout=_TIMEOUT) for text in texts)
    except (regex.error, TimeoutError):
        raise ValueError("no pattern, or one without end") from None
