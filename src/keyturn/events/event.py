"""An event, in Keycloak's words (``org.keycloak.events.Event``)."""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

NO_DETAILS: Final[Mapping[str, str]] = {}


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened in a realm. `type` is Keycloak's ``EventType``; an error's ends in ``_ERROR``.

    `details` never holds a secret, a token or a password; `log` is for the operator's log alone. `time` is in epoch
    seconds. `realm` is the realm's name. `kept` says whether the realm wants it stored, `issued_to` the ``id`` of the
    client that got tokens, `algorithm` what the access token is signed with, `proved` the ``id`` of a client that has
    proved who it is and got none, and `credential` the name of what it was proved by.

    A Struct because one is made for each token: that takes a tenth of what a frozen dataclass takes.
    """

    type: str
    realm: str
    realm_id: str
    time: float
    address: str
    client_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    error: str | None = None
    details: Mapping[str, str] = NO_DETAILS
    kept: bool = False
    issued_to: str | None = None
    credential: str = ""
    proved: str | None = None
    log: str = ""
    algorithm: str = ""


class Sink(Protocol):
    """Where events go. Called on the token path: quick, and never waiting."""

    def record(self, event: Event) -> None:
        """Takes note of `event`."""
        ...
