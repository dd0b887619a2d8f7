"""What an endpoint may return besides a document, which is 200 with its JSON."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Content", "Created", "NoContent", "Unchanged"]


@dataclass(frozen=True, slots=True)
class Created:
    """201 with the Location of what was made, and its document where Keycloak sends that."""

    id: str
    """The last segment of the Location, not encoded."""
    under: str | None = None
    """Path that the Location's last segment stands under; None for the request's own."""
    document: Any = None


@dataclass(frozen=True, slots=True)
class NoContent:
    """204, with a Content-Type where Keycloak sends one nevertheless."""

    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged(NoContent):
    """204, and nothing has happened that an admin event would tell of."""


@dataclass(frozen=True, slots=True)
class Content:
    """200 with a body that is not JSON, or of another media type."""

    body: bytes
    media_type: str
