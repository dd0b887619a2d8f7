"""Owns getting, keeping and renewing access tokens for a machine (client credentials), and putting them on requests.

Refuses to look into tokens, which are the resource server's business, and to store them. Needs nothing of the server.
"""

from keyturn.client.assertion import ClientSecretJwt, PrivateKeyJwt
from keyturn.client.authentication import Authentication, ClientSecretBasic, ClientSecretPost, TlsClientAuth
from keyturn.client.dpop import DpopKey
from keyturn.client.errors import (
    AccessDenied,
    AuthorizationServerError,
    AuthorizationServerUnavailable,
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidResponse,
    InvalidScope,
    InvalidTarget,
    NoWorkloadToken,
    OAuthError,
    TemporarilyUnavailable,
    TokenError,
    UnauthorizedClient,
    UnsupportedGrantType,
    UseDpopNonce,
)
from keyturn.client.httpx_auth import BearerAuth, DpopAuth
from keyturn.client.token import Token
from keyturn.client.token_request import client_credentials_request, process_token_response
from keyturn.client.token_source import TokenSource
from keyturn.client.workload import GitHubActionsToken, WorkloadToken

__all__ = [
    "AccessDenied",
    "Authentication",
    "AuthorizationServerError",
    "AuthorizationServerUnavailable",
    "BearerAuth",
    "ClientSecretBasic",
    "ClientSecretJwt",
    "ClientSecretPost",
    "DpopAuth",
    "DpopKey",
    "GitHubActionsToken",
    "InvalidClient",
    "InvalidGrant",
    "InvalidRequest",
    "InvalidResponse",
    "InvalidScope",
    "InvalidTarget",
    "NoWorkloadToken",
    "OAuthError",
    "PrivateKeyJwt",
    "TemporarilyUnavailable",
    "TlsClientAuth",
    "Token",
    "TokenError",
    "TokenSource",
    "UnauthorizedClient",
    "UnsupportedGrantType",
    "UseDpopNonce",
    "WorkloadToken",
    "client_credentials_request",
    "process_token_response",
]
