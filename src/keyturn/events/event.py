"""An event, in Keycloak's words (``org.keycloak.events.Event``)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a realm. `type` is Keycloak's ``EventType``; an error's ends in ``_ERROR``.

    `details` never holds a secret, a token or a password. `time` is in epoch seconds.
    """

    type: str
    realm: str
    time: float
    address: str
    client_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    error: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


class Sink(Protocol):
    """Where events go. Called on the token path: quick, and never waiting."""

    def record(self, event: Event) -> None:
        """Takes note of `event`."""
        ...
