"""Clients whose tokens must be bound to a key (RFC 9449) or a certificate (RFC 8705) never get plain ones.

Neither is checked here: such a client is refused as one that has shown none.
"""

from keyturn.model.client import Client
from keyturn.oauth2.errors import InvalidRequest


def check_key(client: Client) -> None:
    """Before the grant decides. Raises InvalidRequest. Source: Keycloak ``DPoPUtil``."""
    if client.flag("dpop.bound.access.tokens"):
        log = "the client's tokens must be bound to a key"
        raise InvalidRequest("DPoP proof is missing", log=log, event="invalid_dpop_proof")


def check_certificate(client: Client) -> None:
    """After the grant has decided. Raises InvalidRequest. Source: Keycloak ``MtlsHoKTokenUtil``."""
    if client.flag("tls.client.certificate.bound.access.tokens"):
        raise InvalidRequest(
            "Client Certification missing for MTLS HoK Token Binding",
            log="the client's tokens must be bound to a certificate",
        )
