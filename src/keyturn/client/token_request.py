"""The client credentials grant as requests and answers, without I/O (RFC 6749 §4.4)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from keyturn.client.authentication import Authentication
from keyturn.client.dpop import DpopKey
from keyturn.client.errors import AuthorizationServerUnavailable, InvalidResponse, oauth_error
from keyturn.client.token import Token

__all__ = ["HttpRequest", "client_credentials_request", "process_token_response"]

_BEARER: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)  # RFC 6750 §2.1
_ASSUMED_LIFETIME: Final = 60.0
"""Seconds, for a server that names none (``expires_in`` is only recommended)."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A POST to send, with any HTTP library."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def client_credentials_request(
    token_endpoint: str,
    authentication: Authentication,
    *,
    scope: str | None = None,
    parameters: Mapping[str, str] | None = None,
    dpop: DpopKey | None = None,
) -> HttpRequest:
    """The request for a token. `parameters` are further ones, such as ``resource`` or ``audience``.

    With `dpop`, the token is to be bound to that key; the request has a proof, and can be sent only once.

    Raises:
        ValueError: `parameters` name one that is set here.
    """
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope is not None else {})
    form |= authentication.parameters()
    if parameters and form.keys() & parameters.keys():
        raise ValueError(f"set twice: {', '.join(sorted(form.keys() & parameters.keys()))}")
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    headers |= authentication.headers()
    if dpop is not None:
        headers["dpop"] = dpop.proof("POST", token_endpoint)
    return HttpRequest(token_endpoint, headers, urlencode(form | dict(parameters or {})).encode())


def process_token_response(status: int, body: bytes, *, bound: bool = False) -> Token:
    """The token in the answer to a token request; `bound` where it was to be bound to a key.

    Does NOT check that the token is valid, for whom it is, or that it has the scopes that were asked for.

    Raises:
        OAuthError: the answer is an error; of the class of its code.
        AuthorizationServerUnavailable: a server error, or too many requests, without an OAuth error.
        InvalidResponse: anything else, among it a token of another type than was asked for.
    """
    document = _json_object(body)
    if status != 200:
        error, description = document.get("error"), document.get("error_description")
        if isinstance(error, str) and error:
            raise oauth_error(error, description if isinstance(description, str) else None, status)
        if status >= 500 or status == 429:
            raise AuthorizationServerUnavailable(f"status {status}")
        raise InvalidResponse(f"status {status} without an OAuth error")
    access_token, token_type, scope = (document.get(name) for name in ("access_token", "token_type", "scope"))
    if not isinstance(access_token, str) or not _BEARER.fullmatch(access_token):
        raise InvalidResponse("no access token")
    wanted = "DPoP" if bound else "Bearer"
    if not isinstance(token_type, str) or token_type.lower() != wanted.lower():
        # A server that does not know DPoP leaves the proof alone: its token would be anybody's (RFC 9449 §5).
        raise InvalidResponse("the token is not bound to the key" if bound else "the token is no bearer token")
    lifetime = _lifetime(document.get("expires_in"))
    return Token(access_token, lifetime, scope if isinstance(scope, str) else None, wanted)


def _lifetime(value: Any) -> float:
    if value is None:
        return _ASSUMED_LIFETIME
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return float(value)  # some servers quote it
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10**18:
        raise InvalidResponse("expires_in is no lifetime")
    return float(value)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
