"""An issuer's metadata and how to read it over HTTP (RFC 8414, OpenID Connect Discovery 1.0 §4)."""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

__all__ = ["Answer", "Http", "IssuerError", "check_url", "discovery_url", "endpoint", "json_object"]

_MAXIMUM_SIZE: Final = 1024 * 1024


class IssuerError(Exception):
    """The issuer does not answer, or not with what it should. The message is for logs: URLs, and no secrets."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has answered. `headers` by their names in small letters."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Http:
    """How to reach an issuer: certificates to trust (None for the system's), seconds to wait for an answer.

    Does NOT follow redirects: an issuer is where it says it is. Proxies are taken from the environment, as httpx does.
    """

    ssl_context: ssl.SSLContext | None = None
    timeout: float = 5

    def send(self, request: httpx.Request) -> Answer:
        """The answer to `request`.

        Raises:
            IssuerError: no answer in time, or one of over a megabyte.
        """
        try:
            with httpx.Client(verify=self._verify(request), timeout=self.timeout) as client:
                deadline = time.monotonic() + self.timeout
                response = client.send(request, stream=True)
                body = b""
                for chunk in response.iter_bytes():
                    body = _grown(body, chunk, request)
                    if time.monotonic() > deadline:
                        raise TimeoutError
                return _answer(response, body)
        except (httpx.HTTPError, TimeoutError) as error:
            raise IssuerError(f"{request.url}: {type(error).__name__}") from None

    async def send_async(self, request: httpx.Request) -> Answer:
        """As ``send``."""
        try:
            async with (
                asyncio.timeout(self.timeout),
                httpx.AsyncClient(verify=self._verify(request), timeout=self.timeout) as client,
            ):
                response = await client.send(request, stream=True)
                body = b""
                async for chunk in response.aiter_bytes():
                    body = _grown(body, chunk, request)
                return _answer(response, body)
        except (httpx.HTTPError, TimeoutError) as error:
            raise IssuerError(f"{request.url}: {type(error).__name__}") from None

    def _verify(self, request: httpx.Request) -> ssl.SSLContext | bool:
        # Reading the system's certificates takes a while, and plain HTTP needs none.
        return self._context if request.url.scheme == "https" else False

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self.ssl_context or ssl.create_default_context()


def _answer(response: httpx.Response, body: bytes) -> Answer:
    return Answer(response.status_code, body, {name.lower(): value for name, value in response.headers.items()})


def check_url(url: str, *, dangerously_allow_http: bool) -> None:
    """That `url` is https, or http to this machine itself, where nobody listens in.

    Raises:
        ValueError: it is not.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname and (dangerously_allow_http or _is_loopback(parts.hostname)):
        return
    raise ValueError(f"{url}: must be https (or pass dangerously_allow_http=True)")


def discovery_url(issuer: str) -> str:
    """Where an issuer's metadata is."""
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


def endpoint(answer: Answer, issuer: str, name: str, *, mutual_tls: bool = False) -> str:
    """The URL `name` (such as ``jwks_uri``) in the `answer` to a request for an issuer's metadata.

    With `mutual_tls` the one where a certificate is shown, if there is one of its own (RFC 8705 §5).

    Raises:
        IssuerError: no metadata, or another issuer's (RFC 8414 §3.3), or the URL is missing or leaves https.
    """
    document = json_object(answer, discovery_url(issuer))
    if document.get("issuer") != issuer:
        raise IssuerError(f"{discovery_url(issuer)}: metadata of another issuer")
    url = document.get(name)
    aliases = document.get("mtls_endpoint_aliases") if mutual_tls else None
    if isinstance(aliases, dict):
        url = aliases.get(name, url)
    if not isinstance(url, str) or (issuer.startswith("https:") and not url.startswith("https:")):
        raise IssuerError(f"{discovery_url(issuer)}: no usable {name}")
    try:
        return str(httpx.URL(url))
    except httpx.InvalidURL:
        raise IssuerError(f"{discovery_url(issuer)}: no usable {name}") from None


def json_object(answer: Answer, url: str) -> dict[str, Any]:
    """The JSON object in a successful `answer`.

    Raises:
        IssuerError: it is no success, or no JSON object.
    """
    if answer.status != 200:
        raise IssuerError(f"{url}: status {answer.status}")
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise IssuerError(f"{url}: no JSON") from None
    if not isinstance(document, dict):
        raise IssuerError(f"{url}: no JSON object")
    return document


def _grown(body: bytes, chunk: bytes, request: httpx.Request) -> bytes:
    if len(body) + len(chunk) > _MAXIMUM_SIZE:
        raise IssuerError(f"{request.url}: too long an answer")
    return body + chunk


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
