"""How a client proves who it is at the token endpoint (RFC 6749 §2.3.1)."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote_plus

__all__ = ["Authentication", "ClientSecretBasic", "ClientSecretPost", "TlsClientAuth"]


class Authentication(Protocol):
    """A client's authentication method: a frozen value that adds to each token request."""

    @property
    def client_id(self) -> str:
        """Who it proves."""

    def headers(self) -> Mapping[str, str]:
        """What it adds to the request's headers."""

    def parameters(self) -> Mapping[str, str]:
        """What it adds to the form."""


@dataclass(frozen=True, slots=True)
class ClientSecretBasic:
    """The secret in the ``Authorization`` header; both parts form-urlencoded first, as §2.3.1 says and many forget."""

    client_id: str
    client_secret: str = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        """``Authorization``."""
        credentials = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return {"authorization": f"Basic {b64encode(credentials.encode()).decode()}"}

    def parameters(self) -> Mapping[str, str]:
        """Nothing."""
        return {}


@dataclass(frozen=True, slots=True)
class ClientSecretPost:
    """The secret in the form."""

    client_id: str
    client_secret: str = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def parameters(self) -> Mapping[str, str]:
        """``client_id`` and ``client_secret``."""
        return {"client_id": self.client_id, "client_secret": self.client_secret}


@dataclass(frozen=True, slots=True)
class TlsClientAuth:
    """The certificate of the connection (RFC 8705 §2), of an authority or of the client's own.

    It is in the ``ssl_context`` that requests are sent with: ``context.load_cert_chain(certificate, key)``, once more
    when they have been renewed.
    """

    client_id: str

    def headers(self) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def parameters(self) -> Mapping[str, str]:
        """``client_id``."""
        return {"client_id": self.client_id}
