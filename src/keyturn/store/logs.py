"""The logs of the store: documents that are added and read, never changed. A new one is a line here."""

from typing import Final

from keyturn.representations import Maybe, given
from keyturn.representations.event import AdminEventRepresentation, AuthDetailsRepresentation, EventRepresentation
from keyturn.store.spi import Key, Log

__all__ = ["ADMIN_EVENTS", "EVENTS", "LOGS"]


def _text(value: Maybe[str]) -> str | None:
    return given(value, "") or None


def _author(event: AdminEventRepresentation) -> AuthDetailsRepresentation:
    return given(event.auth_details, AuthDetailsRepresentation())


EVENTS: Final = Log(
    "event",
    EventRepresentation,
    (
        Key("type", lambda event: _text(event.type)),
        Key("client_id", lambda event: _text(event.client_id)),
        Key("user_id", lambda event: _text(event.user_id)),
        Key("ip_address", lambda event: _text(event.ip_address)),
    ),
)
ADMIN_EVENTS: Final = Log(
    "admin_event",
    AdminEventRepresentation,
    (
        Key("operation_type", lambda event: _text(event.operation_type)),
        Key("resource_type", lambda event: _text(event.resource_type)),
        Key("resource_path", lambda event: _text(event.resource_path)),
        Key("auth_realm_id", lambda event: _text(_author(event).realm_id)),
        Key("auth_client_id", lambda event: _text(_author(event).client_id)),
        Key("auth_user_id", lambda event: _text(_author(event).user_id)),
        Key("auth_ip_address", lambda event: _text(_author(event).ip_address)),
    ),
)

LOGS: Final = (EVENTS, ADMIN_EVENTS)
