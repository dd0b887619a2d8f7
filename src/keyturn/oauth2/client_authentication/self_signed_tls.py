"""self_signed_tls_client_auth (RFC 8705 §2.2): the client is who holds one of its registered certificates."""

from typing import ClassVar

from keyturn.jose.client_certificate import ClientCertificate
from keyturn.model.client import Client
from keyturn.model.client_certificates import key_set_url, own_certificates, thumbprints
from keyturn.model.client_keys import ClientKeys
from keyturn.oauth2.client_authentication.certificate import named, shown
from keyturn.oauth2.client_authentication.spi import NO_MORE, Credentials, Proof, not_proved
from keyturn.oauth2.inquiries import ReadKeys
from keyturn.oauth2.spi import Asked, Clients


class SelfSignedTls:
    """The certificate is in the client's key set (``x5c``), at a URL or in an attribute, its one own, or a named one.

    Nobody vouches for it but who has registered it: neither its names nor its issuer count. Keycloak has no such
    method; here it is that of ``client-x509`` clients with ``keyturn.x509.self.signed``.
    """

    authenticator: ClassVar[str] = "keyturn-self-signed-tls"
    metadata: ClassVar[tuple[str, ...]] = ()  # told by ``oauth2.metadata`` where certificates are looked at

    def identify(self, credentials: Credentials, clients: Clients) -> str | None:
        """The ``client_id`` of the form, else of the query."""
        return named(credentials)

    def prove(self, client: Client, credentials: Credentials, clients: Clients) -> Proof:
        """That the certificate is `client`'s. Raises InvalidClient, Asked."""
        certificate = shown(client, credentials)
        for key in () if client.more is None else client.more.keys:
            if key.is_shown(certificate.thumbprint, credentials.now):
                return Proof(credential=key.name)
        if not _is_own(certificate, client, clients):
            raise not_proved({}, log="a certificate that the client has not registered")
        return NO_MORE


def _is_own(certificate: ClientCertificate, client: Client, clients: Clients) -> bool:
    url = key_set_url(client.attributes)
    if url is None:
        return certificate.thumbprint in thumbprints(own_certificates(client.attributes))
    inquiry = ReadKeys(url, None, "", certificate=certificate.thumbprint)
    reply = (clients.replies or {}).get(inquiry)
    if reply is None:
        raise Asked(inquiry)
    return isinstance(reply, ClientKeys) and certificate.thumbprint in reply.certificates
