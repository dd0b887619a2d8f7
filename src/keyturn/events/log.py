"""Failed requests as lines of the log, like Keycloak's ``jboss-logging`` listener: errors warn, the rest is debug."""

import logging
from typing import Final

from keyturn.events.event import Event

_LOGGER: Final = logging.getLogger("keyturn.events")
_LONGEST: Final = 200
"""Characters of one value."""


class LogSink:
    """Writes events to the log."""

    def record(self, event: Event) -> None:
        """One line: the type and what is known, in a fixed order."""
        level = logging.DEBUG if event.error is None else logging.WARNING
        if _LOGGER.isEnabledFor(level):
            known = {
                "type": event.type,
                "realm": event.realm,
                "clientId": event.client_id,
                "userId": event.user_id,
                "sessionId": event.session_id,
                "ipAddress": event.address,
                "error": event.error,
                **event.details,
                **({"log": event.log} if event.log else {}),
            }
            # Values come from callers: as reprs, so that none of them can begin a line of its own.
            _LOGGER.log(
                level, ", ".join(f"{name}={_shown(value)}" for name, value in known.items() if value is not None)
            )


def _shown(value: str) -> str:
    """`value` as a repr, cut where it is longer than a line is read: whoever sends much must not fill the log."""
    return repr(value) if len(value) <= _LONGEST else f"{value[:_LONGEST]!r}…"
