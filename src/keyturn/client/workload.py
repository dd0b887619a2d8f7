"""A workload that shows its platform's token instead of a secret: a pod's, a SPIFFE workload's, a CI job's."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from keyturn.client.errors import NoWorkloadToken

__all__ = ["GitHubActionsToken", "WorkloadToken"]

_JWT: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SPIFFE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
_MAXIMUM: Final = 16 * 1024
"""Octets of a token, or of what GitHub answers."""
_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class WorkloadToken:
    """A token that the platform keeps in a file, and puts another one in its place before it expires.

    The file is read for each request: a projected service account's token of Kubernetes, or a JWT-SVID as
    ``spiffe-helper`` writes it (`spiffe`).
    """

    client_id: str
    file: Path
    spiffe: bool = False

    def headers(self) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def parameters(self) -> Mapping[str, str]:
        """``client_id``, ``client_assertion`` and its type. Raises NoWorkloadToken."""
        try:
            with self.file.open("rb") as opened:
                token = opened.read(_MAXIMUM + 1).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NoWorkloadToken(f"{self.file} cannot be read: {type(error).__name__}") from None
        if not token or len(token) > _MAXIMUM:
            raise NoWorkloadToken(f"{self.file} holds no token")
        return _parameters(self.client_id, token, _SPIFFE if self.spiffe else _JWT)


def _get(url: str, token: str) -> bytes:
    """The answer to a GET with this bearer token. Raises OSError."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})  # noqa: S310 - the scheme is checked before
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 - as above
        content: bytes = answer.read(_MAXIMUM + 1)
        return content


@dataclass(frozen=True, slots=True)
class GitHubActionsToken:
    """A job's own token, which GitHub makes for `audience` (the realm's issuer) when it is asked to.

    The job needs ``permissions: {id-token: write}``. Each request asks for another, and waits for it up to five
    seconds: where that must not block, call in a thread.
    """

    client_id: str
    audience: str
    request_url: str
    request_token: str = field(repr=False)
    get: Callable[[str, str], bytes] = field(default=_get, repr=False, compare=False)
    """Fetches a URL with a bearer token. Raises OSError."""

    def __post_init__(self) -> None:
        if urlsplit(self.request_url).scheme != "https":
            raise ValueError("GitHub is asked over https alone")

    @classmethod
    def from_environment(
        cls, client_id: str, audience: str, environment: Mapping[str, str] = os.environ
    ) -> "GitHubActionsToken":
        """What the runner says in ``ACTIONS_ID_TOKEN_REQUEST_URL`` and ``ACTIONS_ID_TOKEN_REQUEST_TOKEN``.

        Raises:
            NoWorkloadToken: it says nothing, as outside of a job, or in one that may not have such a token.
        """
        try:
            names = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
            url, token = (environment[name] for name in names)
        except KeyError:
            raise NoWorkloadToken("no job of GitHub Actions with id-token: write") from None
        return cls(client_id, audience, url, token)

    def headers(self) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def parameters(self) -> Mapping[str, str]:
        """``client_id``, a fresh ``client_assertion`` and its type. Raises NoWorkloadToken."""
        separator = "&" if "?" in self.request_url else "?"
        url = f"{self.request_url}{separator}audience={quote(self.audience, safe='')}"
        try:
            document = json.loads(self.get(url, self.request_token))
        except (OSError, ValueError, RecursionError) as error:
            code = f" {error.code}" if isinstance(error, urllib.error.HTTPError) else ""
            raise NoWorkloadToken(f"GitHub gives no token: {type(error).__name__}{code}") from None
        token = document.get("value") if isinstance(document, dict) else None
        if not isinstance(token, str) or not token:
            raise NoWorkloadToken("GitHub gives no token")
        return _parameters(self.client_id, token, _JWT)


def _parameters(client_id: str, token: str, kind: str) -> Mapping[str, str]:
    return {"client_id": client_id, "client_assertion_type": kind, "client_assertion": token}
