"""Events and their configuration. Source: Keycloak ``RealmAdminResource``."""

from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin.answers import NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.dates import moment
from keyturn.admin.errors import BadRequest, ServerError
from keyturn.admin.permissions import MANAGE_EVENTS, VIEW_EVENTS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.representations import UNSET, given, present, replace
from keyturn.representations.defaults import listing
from keyturn.representations.event import RealmEventsConfigRepresentation
from keyturn.store.collections import REALMS

__all__ = ["events"]

events: Final = Resource("events")

_LISTENERS: Final = frozenset({"email", "event-queue", "jboss-logging"})
_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "ACTION"})


@events.get("events/config", needs=VIEW_EVENTS)
def get_events_config(realm: RealmView) -> RealmEventsConfigRepresentation:
    """Which events the realm keeps; all of those that are kept by default, where it names none."""
    document = realm.realm
    types = given(document.enabled_event_types, [])
    return RealmEventsConfigRepresentation(
        events_enabled=given(document.events_enabled, False),
        events_expiration=document.events_expiration,
        events_listeners=given(document.events_listeners, []),
        enabled_event_types=types or listing("event_types"),
        admin_events_enabled=given(document.admin_events_enabled, False),
        admin_events_details_enabled=given(document.admin_events_details_enabled, False),
    )


@events.put("events/config", needs=MANAGE_EVENTS)
def put_events_config(realm: RealmAdmin, config: RealmEventsConfigRepresentation) -> NoContent:
    """Changes which events the realm keeps. ``eventsEnabled`` and ``eventsExpiration`` are as given, even if absent."""
    listeners = given(config.events_listeners, None)
    if listeners is not None and not _LISTENERS.issuperset(listeners):
        raise BadRequest("Unknown event listener")
    changed = replace(
        realm.realm,
        events_enabled=given(config.events_enabled, False),
        events_expiration=given(config.events_expiration, 0) or UNSET,
    )
    if listeners is not None:
        changed = replace(changed, events_listeners=list(dict.fromkeys(listeners)))
    if present(config.enabled_event_types):
        changed = replace(changed, enabled_event_types=list(dict.fromkeys(given(config.enabled_event_types, []))))
    if present(config.admin_events_enabled):
        changed = replace(changed, admin_events_enabled=config.admin_events_enabled)
    if present(config.admin_events_details_enabled):
        changed = replace(changed, admin_events_details_enabled=config.admin_events_details_enabled)
    realm.tx.update(REALMS, realm.id, changed)
    return NoContent()


@dataclass(frozen=True, slots=True)
class EventQuery(Query):
    """What is looked for."""

    type: str | None = None
    date_from: str | None = None
    date_to: str | None = None
    direction: str | None = None
    first: int | None = None
    max: int | None = None


@events.get("events", needs=VIEW_EVENTS)
def get_events(realm: RealmView, query: EventQuery) -> list[Any]:
    """The events that are kept: none, as they go to the log."""
    if query.type is not None and query.type not in _event_types():
        raise ServerError
    _check(query.date_from, query.date_to, query.direction)
    return []


def _event_types() -> frozenset[str]:
    return frozenset(listing("event_types"))


@events.delete("events", needs=MANAGE_EVENTS)
def clear_events(realm: RealmAdmin) -> NoContent:
    """Forgets all events."""
    return NoContent()


@dataclass(frozen=True, slots=True)
class AdminEventQuery(Query):
    """What is looked for."""

    operation_types: str | None = None
    resource_types: str | None = None
    date_from: str | None = None
    date_to: str | None = None
    direction: str | None = None
    first: int | None = None
    max: int | None = None


@events.get("admin-events", needs=VIEW_EVENTS)
def get_admin_events(realm: RealmView, query: AdminEventQuery) -> list[Any]:
    """The admin events that are kept: none, as they go to the log."""
    if query.operation_types is not None and query.operation_types not in _OPERATIONS:
        raise ServerError
    _check(query.date_from, query.date_to, query.direction)
    return []


@events.delete("admin-events", needs=MANAGE_EVENTS)
def clear_admin_events(realm: RealmAdmin) -> NoContent:
    """Forgets all admin events."""
    return NoContent()


def _check(date_from: str | None, date_to: str | None, direction: str | None) -> None:
    moment("dateFrom", date_from)
    moment("dateTo", date_to, end=True)
    if direction is not None and direction not in {"asc", "desc"}:
        raise BadRequest("Invalid value for sortDirection, expected value is asc or desc")
