"""Keeps what is ready of tokens with the clients it belongs to, within bounds.

Issuers follow the Host header and addresses the callers: neither may fill the memory.
"""

from collections import deque
from collections.abc import Hashable
from typing import Final
from weakref import ReferenceType, ref

from keyturn.model.client import Client
from keyturn.oauth2.access_token import Prepared

MAXIMUM_OF_ONE_CLIENT: Final = 64
MAXIMUM_OF_ALL: Final = 20_000
"""About 2 KB each."""


class PreparedTokens:
    """The prepared tokens of all clients. What a client keeps goes with it when it is compiled anew."""

    def __init__(self) -> None:
        self._holders: deque[ReferenceType[Client]] = deque()
        self._total = 0
        """At most: what went with its client is still counted, until it is counted again."""

    def get(self, client: Client, key: Hashable) -> Prepared | None:
        """What is ready for `key`."""
        prepared: Prepared | None = client.prepared.get(key)
        return prepared

    def keep(self, client: Client, key: Hashable, prepared: Prepared) -> None:
        """Keeps `prepared`; of one client the oldest goes for it, of all clients what the first of them keep."""
        if not client.prepared:
            self._holders.append(ref(client))
        elif len(client.prepared) >= MAXIMUM_OF_ONE_CLIENT:
            client.prepared.pop(next(iter(client.prepared)))
            self._total -= 1
        client.prepared[key] = prepared
        self._total += 1
        if self._total > MAXIMUM_OF_ALL:
            self._shrink()

    def _shrink(self) -> None:
        """Counts what there is; if that is too much, half of it goes."""
        holders = [client for holder in self._holders if (client := holder()) is not None]
        self._total = sum(len(client.prepared) for client in holders)
        if self._total > MAXIMUM_OF_ALL:
            for number, client in enumerate(holders):
                if self._total <= MAXIMUM_OF_ALL // 2:
                    holders = holders[number:]
                    break
                self._total -= len(client.prepared)
                client.prepared.clear()
        self._holders = deque(ref(client) for client in holders if client.prepared)
