"""Events and their configuration. Source: Keycloak ``RealmAdminResource``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.admin.admin_events import Recorded
from keyturn.admin.answers import NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.dates import moment
from keyturn.admin.errors import BadRequest, InvalidRequest
from keyturn.admin.permissions import MANAGE_EVENTS, VIEW_EVENTS
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.admin.server_info import server_info
from keyturn.representations import UNSET, given, present, replace
from keyturn.representations.defaults import listing
from keyturn.representations.event import (
    AdminEventRepresentation,
    EventRepresentation,
    RealmEventsConfigRepresentation,
)
from keyturn.store.collections import REALMS
from keyturn.store.logs import ADMIN_EVENTS, EVENTS
from keyturn.store.spi import Entries

__all__ = ["events"]

events: Final = Resource("events", event=Recorded("REALM"))

_LISTENERS: Final = frozenset({"email", "event-queue", "jboss-logging"})
_PAGE: Final = 100
"""Events in one answer, unless the query says how many (Keycloak ``Constants.DEFAULT_MAX_RESULTS``)."""


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
    """What is looked for: all conditions hold. A page, a hundred events unless ``max`` says otherwise."""

    type: tuple[str, ...] = ()
    client: str | None = None
    user: str | None = None
    ip_address: str | None = None
    date_from: str | None = None
    date_to: str | None = None
    direction: str | None = None
    first: int | None = None
    max: int | None = None


@events.get("events", needs=VIEW_EVENTS, after_events=True)
def get_events(realm: RealmView, query: EventQuery) -> list[EventRepresentation]:
    """The events that are kept, the newest first unless ``direction`` is ``asc``."""
    _check(query.type, "eventType")
    keys = {"type": query.type, **_equal(client_id=query.client, user_id=query.user, ip_address=query.ip_address)}
    return list(realm.reader.entries(EVENTS, realm.id, _wanted(query, keys)))


@events.delete("events", needs=MANAGE_EVENTS, event=None, after_events=True)
def clear_events(realm: RealmAdmin) -> NoContent:
    """Forgets all events."""
    realm.tx.forget(EVENTS, realm.id)
    return NoContent()


@dataclass(frozen=True, slots=True)
class AdminEventQuery(Query):
    """What is looked for, as with events. In ``resourcePath``, ``*`` stands for any characters."""

    operation_types: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    auth_realm: str | None = None
    auth_client: str | None = None
    auth_user: str | None = None
    auth_ip_address: str | None = None
    resource_path: str | None = None
    date_from: str | None = None
    date_to: str | None = None
    direction: str | None = None
    first: int | None = None
    max: int | None = None


@events.get("admin-events", needs=VIEW_EVENTS)
def get_admin_events(realm: RealmView, query: AdminEventQuery) -> list[AdminEventRepresentation]:
    """The admin events that are kept, the newest first unless ``direction`` is ``asc``."""
    _check(query.operation_types, "operationType")
    _check(query.resource_types, "resourceType")
    keys = {
        "operation_type": query.operation_types,
        "resource_type": query.resource_types,
        **_equal(
            auth_realm_id=query.auth_realm,
            auth_client_id=query.auth_client,
            auth_user_id=query.auth_user,
            auth_ip_address=query.auth_ip_address,
        ),
    }
    like = {} if query.resource_path is None else {"resource_path": _pattern(query.resource_path)}
    return list(realm.reader.entries(ADMIN_EVENTS, realm.id, _wanted(query, keys, like)))


@events.delete("admin-events", needs=MANAGE_EVENTS, event=None)
def clear_admin_events(realm: RealmAdmin) -> NoContent:
    """Forgets all admin events."""
    realm.tx.forget(ADMIN_EVENTS, realm.id)
    return NoContent()


def _check(names: Iterable[str], enumeration: str) -> None:
    """Raises InvalidRequest for a name that the enumeration does not have."""
    if not set(names) <= set(server_info()["enums"][enumeration]):
        raise InvalidRequest(f"There is no such {enumeration}")


def _equal(**values: str | None) -> dict[str, tuple[str, ...]]:
    return {name: (value,) for name, value in values.items() if value is not None}


def _pattern(path: str) -> str:
    """Keycloak lets SQL's own wildcards through, too."""
    return path.replace("\\", "\\\\").replace("*", "%")


def _wanted(
    query: EventQuery | AdminEventQuery, keys: Mapping[str, tuple[str, ...]], like: Mapping[str, str] | None = None
) -> Entries:
    since, until = moment("dateFrom", query.date_from), moment("dateTo", query.date_to, end=True)
    if query.direction is not None and query.direction not in {"asc", "desc"}:
        raise BadRequest("Invalid value for sortDirection, expected value is asc or desc")
    limit = _PAGE if query.max is None else query.max
    return Entries(
        any_of={name: values for name, values in keys.items() if values},
        like=like or {},
        since=since,
        until=until,
        newest_first=query.direction != "asc",
        first=max(query.first or 0, 0),
        limit=None if limit < 0 else limit,
    )
