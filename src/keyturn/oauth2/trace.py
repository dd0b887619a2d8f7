"""What an event tells of a request. Filled in while the request is decided; the edge makes the event of it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Trace:
    """Who asked, for whom and with what outcome, in Keycloak's words (``EventBuilder``, ``Details``, ``Errors``).

    None of it is secret. `error` is an event's code, which is not always the one on the wire; None for success.
    `kept` False: Keycloak keeps no event of such a request, so that it is told to the log and the metrics alone.
    """

    error: str | None = None
    client_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    details: dict[str, str] = field(default_factory=dict)
    kept: bool = True
    proved: tuple[str, str] | None = None
    """The ``id`` of the client that has proved who it is, and the name of the credential that it was proved by."""
