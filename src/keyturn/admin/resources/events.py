"""What a realm tells of its events. Source: Keycloak ``RealmAdminResource``, ``RealmEventsConfigRepresentation``."""

from typing import Any, Final

from keyturn.admin.answers import NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest
from keyturn.admin.permissions import MANAGE_EVENTS, VIEW_EVENTS
from keyturn.admin.resource import Resource
from keyturn.representations import given, merge, replace
from keyturn.representations.defaults import listing
from keyturn.representations.event import RealmEventsConfigRepresentation
from keyturn.representations.realm import RealmRepresentation
from keyturn.store.collections import REALMS

__all__ = ["events"]

events: Final = Resource("events")

_LISTENERS: Final = frozenset({"email", "event-queue", "jboss-logging"})


@events.get("events/config", needs=VIEW_EVENTS)
def get_config(realm: RealmView) -> RealmEventsConfigRepresentation:
    """Which events are kept; with none chosen, all of them are."""
    document = realm.realm
    return RealmEventsConfigRepresentation(
        events_enabled=given(document.events_enabled, False),
        events_expiration=document.events_expiration,
        events_listeners=given(document.events_listeners, []),
        enabled_event_types=given(document.enabled_event_types, []) or listing("event_types"),
        admin_events_enabled=given(document.admin_events_enabled, False),
        admin_events_details_enabled=given(document.admin_events_details_enabled, False),
    )


@events.put("events/config", needs=MANAGE_EVENTS)
def put_config(realm: RealmAdmin, config: RealmEventsConfigRepresentation) -> NoContent:
    """Chooses which events are kept. Without ``eventsEnabled``, none of the realm's endpoints."""
    if not set(given(config.events_listeners, [])) <= _LISTENERS:
        raise BadRequest("Unknown event listener")
    changed = merge(
        realm.realm,
        RealmRepresentation(
            events_listeners=config.events_listeners,
            enabled_event_types=config.enabled_event_types,
            admin_events_enabled=config.admin_events_enabled,
            admin_events_details_enabled=config.admin_events_details_enabled,
        ),
    )
    enabled = given(config.events_enabled, False)
    realm.update(REALMS, replace(changed, events_enabled=enabled, events_expiration=config.events_expiration))
    return NoContent()


@events.get("events", needs=VIEW_EVENTS)
def get_events(realm: RealmView) -> list[Any]:
    """Events of the realm's endpoints: they go to the log, none is kept in the store."""
    return []


@events.get("admin-events", needs=VIEW_EVENTS)
def get_admin_events(realm: RealmView) -> list[Any]:
    """Administrators' changes: as above."""
    return []


@events.delete("events", needs=MANAGE_EVENTS)
def delete_events(realm: RealmView) -> NoContent:
    """Nothing to remove."""
    return NoContent()


@events.delete("admin-events", needs=MANAGE_EVENTS)
def delete_admin_events(realm: RealmView) -> NoContent:
    """Nothing to remove."""
    return NoContent()
