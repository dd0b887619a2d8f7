"""A request to the admin API and its answer, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyturn.jose.client_certificate import ClientCertificate

__all__ = ["AdminRequest", "AdminResponse"]


@dataclass(frozen=True, slots=True)
class AdminRequest:
    """What the edge has read. `headers` have lower-case names; `path` is raw, still percent-encoded."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    base_url: str
    """Scheme and authority by which the server was reached: ``https://keycloak:8443``."""
    address: str
    """The caller's IP address."""
    certificate: ClientCertificate | None = field(default=None, repr=False)
    """The caller's, if it has shown one."""
    mtls_url: str | None = None
    """`base_url` of the port that the request came to, where that is the one for certificates."""


@dataclass(frozen=True, slots=True)
class AdminResponse:
    """What the edge sends; `body` is already encoded."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    secured: bool = True
    """Whether it has security headers: Keycloak's answers from outside its resources have none."""
