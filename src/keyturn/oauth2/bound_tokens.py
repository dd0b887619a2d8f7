"""Tokens that are bound to a client's certificate (RFC 8705 §3), and what holders of bound tokens have to show."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeGuard

from keyturn.jose.client_certificate import ClientCertificate
from keyturn.model.client import Client
from keyturn.oauth2 import dpop
from keyturn.oauth2.access_token import BEARER
from keyturn.oauth2.errors import InvalidGrant, InvalidRequest, OAuth2Error, UnauthorizedClient
from keyturn.oauth2.http_message import Request
from keyturn.oauth2.spi import Binding

NO_MATCH: Final = "Client certificate missing, or its thumbprint and one in the token did NOT match"
_THUMBPRINT: Final = "x5t#S256"


def to_certificate(http: Request, client: Client, binding: Binding | None) -> Binding | None:
    """What the tokens are bound to, once a grant has decided: the certificate, where the client wants that.

    Raises:
        InvalidRequest: there is none.

    Source: Keycloak ``MtlsHoKTokenUtil``; a certificate takes the place of the key of a proof.
    """
    if not client.flag("tls.client.certificate.bound.access.tokens"):
        return binding
    if http.certificate is None:
        raise InvalidRequest(
            "Client Certification missing for MTLS HoK Token Binding",
            log="the client's tokens must be bound to a certificate",
        )
    confirmation = {_THUMBPRINT: http.certificate.thumbprint}
    if binding is None:
        return Binding(confirmation, BEARER, of_refresh_token=True)
    return replace(binding, confirmation=confirmation, of_refresh_token=True)


def names_certificate(confirmation: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether ``cnf`` is a certificate's."""
    return isinstance(confirmation, Mapping) and _THUMBPRINT in confirmation


def is_shown(confirmation: Mapping[str, Any], certificate: ClientCertificate | None) -> bool:
    """Whether the request came with the certificate that ``cnf`` names."""
    return certificate is not None and confirmation.get(_THUMBPRINT) == certificate.thumbprint


def check_confirmation(
    confirmation: Mapping[str, Any],
    http: Request,
    shown: Binding | None,
    refusal: type[OAuth2Error] = InvalidGrant,
    event: str = "",
) -> None:
    """That who holds a token, whose ``cnf`` is `confirmation`, holds the key or certificate that it is bound to.

    Raises:
        UnauthorizedClient: not the certificate.
        OAuth2Error: not the key; of the class `refusal`, which events call `event`.
    """
    if not names_certificate(confirmation):
        dpop.check_confirmation(confirmation, shown, refusal, event)
    elif not is_shown(confirmation, http.certificate):
        raise UnauthorizedClient(NO_MATCH, event="not_allowed")
