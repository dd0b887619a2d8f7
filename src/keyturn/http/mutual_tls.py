"""Connections whose clients have shown certificates: which one, for every request that they bring."""

import ssl
import sys
import time
from typing import Any

from keyturn.http.client_certificates import CONNECTION, MTLS_PORT
from keyturn.http.client_trust import ClientTrust
from keyturn.http.token_protocol import TokenProtocol
from keyturn.jose.client_certificate import ClientCertificate, read_certificate

if sys.version_info < (3, 13):
    import _ssl


class MutualTlsProtocol(TokenProtocol):
    """One connection on a port where clients may show certificates. It ends with its certificate.

    `trust` knows who may say who any client is. `is_mtls_port`: the port has this one purpose.
    """

    def __init__(self, *args: Any, trust: ClientTrust, is_mtls_port: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self._trust = trust
        self._added: dict[str, Any] = {MTLS_PORT: True} if is_mtls_port else {}
        self._until = float("inf")

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        certificate = _certificate(transport.get_extra_info("ssl_object"))
        if certificate is None:
            return
        authorities = self._trust.authorities
        self._added[CONNECTION] = certificate.under(authorities, time.time()) if authorities else certificate
        self._until = certificate.valid_until
        # The same bytes mean something else on a connection with another certificate (docs/adr/0011).
        self._sender = self.sender(certificate.thumbprint)

    def data_received(self, data: bytes) -> None:
        if time.time() >= self._until:
            self.transport.close()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope.update(self._added)  # type: ignore[typeddict-item]


def _certificate(connection: ssl.SSLObject) -> ClientCertificate | None:
    """The certificate of the other side, which OpenSSL has verified; nobody has said yet who may vouch for it."""
    der = connection.getpeercert(binary_form=True)
    if der is None:
        return None
    return read_certificate(der, [other for other in _sent(connection) if other != der], of_connection=True)


def _sent(connection: ssl.SSLObject) -> list[bytes]:
    """The certificates that the other side has sent, in DER."""
    if sys.version_info >= (3, 13):
        return connection.get_unverified_chain()
    chain = connection._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
    return [certificate.public_bytes(_ssl.ENCODING_DER) for certificate in chain or ()]
