"""Events and their configuration."""

from typing import Annotated

from keyturn.representations.base import UNSET, Long, Maybe, Representation, kept

__all__ = [
    "AdminEventRepresentation",
    "AuthDetailsRepresentation",
    "EventRepresentation",
    "RealmEventsConfigRepresentation",
]


class AuthDetailsRepresentation(Representation):
    """Who did it."""

    realm_id: Maybe[str] = UNSET
    client_id: Maybe[str] = UNSET
    user_id: Maybe[str] = UNSET
    ip_address: Maybe[str] = UNSET


class EventRepresentation(Representation):
    """An event at the protocol. ``time`` is in milliseconds."""

    id: Maybe[str] = UNSET
    time: Maybe[Long] = UNSET
    type: Maybe[str] = UNSET
    realm_id: Maybe[str] = UNSET
    client_id: Maybe[str] = UNSET
    user_id: Maybe[str] = UNSET
    session_id: Maybe[str] = UNSET
    ip_address: Maybe[str] = UNSET
    error: Maybe[str] = UNSET
    details: Maybe[dict[str, str]] = UNSET


class AdminEventRepresentation(Representation):
    """A change through the admin API. ``time`` is in milliseconds."""

    id: Maybe[str] = UNSET
    time: Maybe[Long] = UNSET
    realm_id: Maybe[str] = UNSET
    auth_details: Maybe[AuthDetailsRepresentation] = UNSET
    operation_type: Maybe[str] = UNSET
    resource_type: Maybe[str] = UNSET
    resource_path: Maybe[str] = UNSET
    representation: Maybe[str] = UNSET
    error: Maybe[str] = UNSET
    details: Maybe[dict[str, str]] = UNSET


class RealmEventsConfigRepresentation(Representation):
    """Which events a realm keeps. ``eventsExpiration`` is in seconds."""

    events_enabled: Maybe[bool] = UNSET
    events_expiration: Maybe[Long] = UNSET
    events_listeners: Annotated[Maybe[list[str]], kept("listeners of events")] = UNSET
    enabled_event_types: Maybe[list[str]] = UNSET
    admin_events_enabled: Maybe[bool] = UNSET
    admin_events_details_enabled: Maybe[bool] = UNSET
