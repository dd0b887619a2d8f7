"""What the endpoints of one server share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from keyturn.events.event import Sink
from keyturn.http.client_certificates import ClientCertificates
from keyturn.http.inquiries import Inquiries
from keyturn.http.origin import Forwarding
from keyturn.http.outbound import Outbound
from keyturn.http.remote_keys import RemoteKeys
from keyturn.http.single_use import SingleUse
from keyturn.oauth2.spi import Random
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import Registry
from keyturn.store.spi import Store

Clock = Callable[[], float]
"""Seconds since the epoch."""


@dataclass(slots=True)
class Services:
    """The parts that requests are served with. Made once, at start-up; ``take`` alone changes it."""

    store: Store
    registry: Registry
    facts: FactFinder
    forwarding: Forwarding
    events: Sink
    clock: Clock
    random: Random
    flush_events: Callable[[], None] = lambda: None
    """Stores the events that were recorded so far: call it before they are looked for."""
    outbound: Outbound = field(default_factory=Outbound)
    """What the server itself fetches comes through this."""
    certificates: ClientCertificates | None = None
    """Where the certificates of clients are; None where nobody passes them on."""
    inquiries: Inquiries = field(init=False)

    def __post_init__(self) -> None:
        self.inquiries = Inquiries(self.store, SingleUse(self.store), RemoteKeys(self._get, time.monotonic))

    def take(self, forwarding: Forwarding, certificates: ClientCertificates | None, outbound: Outbound) -> None:
        """Serves requests with these from now on. What was remembered of earlier ones no longer holds."""
        self.forwarding, self.certificates, self.outbound = forwarding, certificates, outbound
        self.registry.forget()

    async def _get(self, url: str, token: str | None) -> bytes:
        return await self.outbound.get(url, token)
