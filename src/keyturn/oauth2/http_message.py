"""Requests and answers as the protocol sees them: no framework, no connection."""

from dataclasses import dataclass, field
from typing import Any, Final

from keyturn.jose.client_certificate import ClientCertificate
from keyturn.representations import encode

Headers = tuple[tuple[bytes, bytes], ...]

JSON: Final = (b"content-type", b"application/json")
NO_STORE: Final[Headers] = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))


@dataclass(frozen=True, slots=True)
class Request:
    """A request to an endpoint of a realm.

    `base_url` is the server as its caller names it (no slash at the end), `address` the caller's IP address.
    `raw_path` is the path as it was sent; empty where only one path leads here.
    """

    base_url: str
    address: str
    content_type: str = ""
    authorization: str | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)
    query: bytes = field(default=b"", repr=False)
    accept: str = ""
    origin: str | None = None
    method: str = "POST"
    raw_path: bytes = b""
    dpop: str | None = field(default=None, repr=False)
    """The ``DPoP`` header; several are joined as one (RFC 9110 §5.3), which is none."""

    if_none_match: str | None = None
    certificate: ClientCertificate | None = field(default=None, repr=False)
    """The client's: that of its connection, or one that somebody whom we trust has passed on."""

    mtls_url: str | None = None
    """`base_url` where clients show certificates; None where nobody looks at them."""

    by_mtls_url: bool = False
    """Whether it was sent there."""

    @property
    def url(self) -> str:
        """Where it was sent, without its query."""
        base_url = self.mtls_url if self.by_mtls_url and self.mtls_url else self.base_url
        return base_url + self.raw_path.partition(b"?")[0].decode("latin-1")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: `headers` without the security headers and the length, which every answer gets."""

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)


def json_response(status: int, document: Any, headers: Headers = ()) -> Response:
    """`document` as JSON."""
    return Response(status, (*headers, JSON), encode(document))
