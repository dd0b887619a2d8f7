"""Owns accepting access tokens: validation, the issuer's keys, required roles and scopes, the answer to who lacks them.

Refuses to issue, renew or introspect tokens, and needs nothing of the server. Tokens are checked offline: see
``Validator`` for what that does NOT tell.
"""

from keyturn.resource_server.access_token import AccessToken
from keyturn.resource_server.asgi import BearerTokenMiddleware
from keyturn.resource_server.client_certificate import CertificateOf, from_proxy, from_tls, thumbprint_of
from keyturn.resource_server.errors import (
    InsufficientScope,
    InvalidDpopProof,
    InvalidRequest,
    InvalidToken,
    IssuerUnavailable,
    NoCredentials,
    Refused,
    TooManyProofs,
    UseDpopNonce,
)
from keyturn.resource_server.possession import DpopRequest
from keyturn.resource_server.requirement import Requirement, require
from keyturn.resource_server.resource_server import ResourceServer
from keyturn.resource_server.validator import Validator

__all__ = [
    "AccessToken",
    "BearerTokenMiddleware",
    "CertificateOf",
    "DpopRequest",
    "InsufficientScope",
    "InvalidDpopProof",
    "InvalidRequest",
    "InvalidToken",
    "IssuerUnavailable",
    "NoCredentials",
    "Refused",
    "Requirement",
    "ResourceServer",
    "TooManyProofs",
    "UseDpopNonce",
    "Validator",
    "from_proxy",
    "from_tls",
    "require",
    "thumbprint_of",
]
