"""A request to the admin API and its answer, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class AdminResponse:
    """What the edge sends; `body` is already encoded."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    secured: bool = True
    """Whether it has security headers: Keycloak's answers from outside its resources have none."""
