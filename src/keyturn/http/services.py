"""What the endpoints of one server share."""

from collections.abc import Callable
from dataclasses import dataclass

from keyturn.events.event import Sink
from keyturn.http.origin import Forwarding
from keyturn.oauth2.spi import Random
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import Registry
from keyturn.store.spi import Store

Clock = Callable[[], float]
"""Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that requests are served with. Made once, at start-up."""

    store: Store
    registry: Registry
    facts: FactFinder
    forwarding: Forwarding
    events: Sink
    clock: Clock
    random: Random
    flush_events: Callable[[], None] = lambda: None
    """Stores the events that were recorded so far: call it before they are looked for."""
