"""Writes what the sinks of events have gathered, and forgets what has been kept for long enough."""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from keyturn.events.event import Event
from keyturn.events.recorder import LONGEST, NotSaved, Save, Uses
from keyturn.representations import UNSET, Maybe, RealmRepresentation, given
from keyturn.representations.client_initial_access import ClientInitialAccessPresentation
from keyturn.representations.event import EventRepresentation
from keyturn.store.collections import INITIAL_ACCESS, REALMS
from keyturn.store.logs import ADMIN_EVENTS, EVENTS
from keyturn.store.retrying import retried
from keyturn.store.spi import ClientUse, Log, Store, StoreError

ADMIN_EVENTS_EXPIRATION: Final = "adminEventsExpiration"
"""The realm's attribute that says for how many seconds admin events are kept."""

_SECONDS: Final = re.compile(r"[0-9]{1,18}")
CLOCKS_APART: Final = 900
"""Seconds for which what has expired is kept: a node whose clock is behind may still take what was used or revoked."""
_BATCHES: Final = "events"
"""Where in the store's used keys the batches stand that have been written."""
_REMEMBERED: Final = 3600
"""Seconds for which it is known that a batch has been written."""
_AT_ONCE: Final = 5000
"""Entries that are forgotten in one transaction, so that nobody waits long for it."""


def saver(store: Store, new_id: Callable[[], str], clock: Callable[[], float] = time.time) -> Save:
    """What writes a batch to `store`, in one transaction, and once. `new_id` gives fresh ids."""
    name = ""

    def save(events: Sequence[Event], uses: Uses) -> None:
        entries = [(event.realm_id, _entry(event, new_id())) for event in events]
        used = [
            ClientUse(realm_id, client, use.tokens, use.last, credential, _storable(use.address))
            for (realm_id, client, credential), use in uses.items()
        ]

        def write() -> None:
            with store.write(shared=True) as transaction:
                if transaction.use_once(_BATCHES, name, int(clock()) + _REMEMBERED):
                    transaction.append(EVENTS, entries)
                    transaction.count_uses(used)

        nonlocal name
        name = name or (given(entries[0][1].id, "") if entries else new_id())
        try:
            retried(write)
        except StoreError as error:
            raise NotSaved(str(error)) from None  # which may have been written: then its name says so the next time
        name = ""

    return save


def _entry(event: Event, id_: str) -> EventRepresentation:
    details = {name: _storable(value) for name, value in event.details.items()}
    return EventRepresentation(
        id=id_,
        time=int(event.time * 1000),
        type=event.type,
        realm_id=event.realm_id,
        client_id=_text(event.client_id),
        user_id=_text(event.user_id),
        session_id=_text(event.session_id),
        ip_address=_text(event.address),
        error=_text(event.error),
        details=details or UNSET,
    )


def _text(value: str | None) -> Maybe[str]:
    return UNSET if value is None else _storable(value)


def _storable(value: str) -> str:
    """`value` as the database can take it: what callers send may be long, and no Unicode."""
    return value[:LONGEST].encode("utf-8", "replace").decode()


def tidy(store: Store, now: float) -> None:
    """Forgets what has expired at `now` (epoch seconds) by the clock of the database, too. Raises StoreError."""
    now = store.agreed_time(now)
    retried(lambda: store.prune(int(now) - CLOCKS_APART))
    with store.read() as reader:
        realms = reader.select(REALMS, None)
    for realm in realms:
        _forget_spent(store, given(realm.id, ""), int(now))
        for log, lifespan in ((EVENTS, given(realm.events_expiration, 0)), (ADMIN_EVENTS, _admin_lifespan(realm))):
            if lifespan > 0:
                _expire(store, log, given(realm.id, ""), max(int(now) - lifespan, 0) * 1000)


def _forget_spent(store: Store, realm_id: str, now: int) -> None:
    """Removes initial access tokens that register nothing more.

    Source: Keycloak ``ClearExpiredClientInitialAccessTokens``.
    """
    with store.read() as reader:
        spent = [access.id for access in reader.select(INITIAL_ACCESS, realm_id) if _is_spent(access, now)]
    if spent:
        retried(lambda: _remove(store, realm_id, spent))


def _remove(store: Store, realm_id: str, spent: Sequence[Maybe[str]]) -> None:
    with store.write() as transaction:
        for access_id in spent:
            transaction.delete(INITIAL_ACCESS, realm_id, given(access_id, ""))


def _is_spent(access: ClientInitialAccessPresentation, now: int) -> bool:
    lifespan = given(access.expiration, 0)
    return given(access.remaining_count, 0) == 0 or 0 < lifespan < now - given(access.timestamp, 0)


def _admin_lifespan(realm: RealmRepresentation) -> int:
    text = given(realm.attributes, {}).get(ADMIN_EVENTS_EXPIRATION) or ""
    return int(text) if _SECONDS.fullmatch(text) else 0


def _expire(store: Store, log: Log[Any], realm_id: str, before: int) -> None:
    def some() -> int:
        with store.write() as transaction:
            return transaction.forget(log, realm_id, before, limit=_AT_ONCE)

    while retried(some) == _AT_ONCE:
        """There may be more."""
