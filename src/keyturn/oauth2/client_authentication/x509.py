"""tls_client_auth (RFC 8705 §2.1): the client is who its certificate names, which the TLS connection has proved."""

from typing import ClassVar, Final, cast, get_args

from keyturn.jose.client_certificate import AlternativeName, ClientCertificate
from keyturn.model.client import Client
from keyturn.model.client_certificates import ALTERNATIVE_NAMES, AUTHENTICATOR, authorities_of
from keyturn.model.patterns import Patterns, check_pattern
from keyturn.oauth2.client_authentication.certificate import named, shown
from keyturn.oauth2.client_authentication.presented import NOT_PROVED
from keyturn.oauth2.client_authentication.spi import NO_MORE, Credentials, Proof, not_proved
from keyturn.oauth2.errors import UnauthorizedClient
from keyturn.oauth2.spi import Clients

_SUBJECT: Final = "x509.subjectdn"
_CA_SUBJECT: Final = "x509.casubjectdn"
_PATTERN: Final = "x509.allow.regex.pattern.comparison"


class X509:
    """The subject is the client's ``x509.subjectdn``, a name or a pattern; the issuer its ``x509.casubjectdn``, if any.

    Or the certificate has a name beside its subject. A client that names authorities takes no others' certificates, and
    another one only those that whoever ended the connection vouches for.

    Source: Keycloak ``X509ClientAuthenticator``; RFC 8705 §2.1.
    """

    authenticator: ClassVar[str] = AUTHENTICATOR
    metadata: ClassVar[tuple[str, ...]] = ("tls_client_auth",)

    def identify(self, credentials: Credentials, clients: Clients) -> str | None:
        """The ``client_id`` of the form, else of the query."""
        return named(credentials)

    def prove(self, client: Client, credentials: Credentials, clients: Clients) -> Proof:
        """That the certificate is `client`'s. Raises InvalidClient, UnauthorizedClient."""
        certificate = shown(client, credentials)
        try:
            matches = _matches(certificate, client, credentials.now)
        except ValueError:
            text = "Unexpected error when authenticating client"
            raise UnauthorizedClient(text, status=400, event=NOT_PROVED, told={}) from None
        if not matches:
            raise not_proved({}, log="another's certificate, or of another issuer")
        return NO_MORE


def _matches(certificate: ClientCertificate, client: Client, now: float) -> bool:
    """Raises ValueError: the attributes are neither names nor patterns, or no authorities."""
    if not _has_names(certificate, client):
        return False
    authorities = authorities_of(client.attributes)
    held = certificate if authorities is None else certificate.under(authorities, now)
    if not held.vouched_for:
        return False
    issuer = client.attributes.get(_CA_SUBJECT, "")
    return not issuer.strip() or held.has_issuer(issuer)


def _has_names(certificate: ClientCertificate, client: Client) -> bool:
    """Whether it has each name that is expected, and one is. Raises ValueError."""
    subject = client.attributes.get(_SUBJECT, "")
    expected = {kind: client.attributes.get(ALTERNATIVE_NAMES + kind, "").strip() for kind in get_args(AlternativeName)}
    if not subject.strip() and not any(expected.values()):
        return False
    if not all(
        certificate.has_alternative_name(cast("AlternativeName", kind), name) for kind, name in expected.items() if name
    ):
        return False
    if not subject.strip():
        return True
    # Older clients know no such attribute, and mean patterns.
    if client.attributes.get(_PATTERN, "true").lower() == "true":
        return _fits(subject, certificate.subject_texts())
    return certificate.has_subject(subject)


def _fits(pattern: str, texts: tuple[str, ...]) -> bool:
    """Raises ValueError: it is no pattern, or one that cannot be decided on in reasonable time."""
    check_pattern(pattern)
    patterns = Patterns()
    return any(patterns.match(pattern, text) for text in texts)
