"""Clients whose tokens must be bound to a certificate (RFC 8705) never get plain ones.

Certificates are not looked at: such a client is refused as one that has shown none.
"""

from keyturn.model.client import Client
from keyturn.oauth2.errors import InvalidRequest


def check_certificate(client: Client) -> None:
    """After the grant has decided. Raises InvalidRequest. Source: Keycloak ``MtlsHoKTokenUtil``."""
    if client.flag("tls.client.certificate.bound.access.tokens"):
        raise InvalidRequest(
            "Client Certification missing for MTLS HoK Token Binding",
            log="the client's tokens must be bound to a certificate",
        )
