"""Keeps what is ready of tokens with the clients it belongs to, within bounds.

Issuers follow the Host header and addresses the callers: neither may fill the memory.
"""

from collections import deque
from typing import Any, Final, TypeAlias
from weakref import ReferenceType, ref

from keyturn.model.client import Client
from keyturn.oauth2.access_token import Prepared

MAXIMUM_OF_ONE_CLIENT: Final = 64
MAXIMUM_OF_ALL: Final = 20_000
"""About 1 KB each, beside one for each client in memory."""

Key: TypeAlias = tuple[Any, ...]


class PreparedTokens:
    """The prepared tokens of all clients. What a client keeps goes with it when it is compiled anew.

    A client has them in a list, each after its key: nearly all have one, and a dictionary takes three times as much.
    """

    def __init__(self) -> None:
        self._holders: deque[ReferenceType[Client]] = deque()
        """Clients that keep more than one."""
        self._total = 0
        """Of those, at most: what went with its client is still counted, until it is counted again."""

    def get(self, client: Client, key: Key) -> Prepared | None:
        """What is ready for `key`."""
        kept = client.prepared
        for place in range(0, len(kept), 2):
            if kept[place] == key:
                prepared: Prepared = kept[place + 1]
                return prepared
        return None

    def keep(self, client: Client, key: Key, prepared: Prepared) -> None:
        """Keeps `prepared`; of one client the oldest goes for it, of all clients what the first of them keep."""
        kept = client.prepared
        if len(kept) >= 2 * MAXIMUM_OF_ONE_CLIENT:
            del kept[:2]
        elif kept:
            self._total += 1
            if len(kept) == 2:
                self._holders.append(ref(client))
        kept += (key, prepared)
        if self._total > MAXIMUM_OF_ALL:
            self._shrink()

    def _shrink(self) -> None:
        """Counts what there is; if that is too much, half of it goes."""
        holders = [client for holder in self._holders if (client := holder()) is not None]
        self._total = sum(map(_others, holders))
        if self._total > MAXIMUM_OF_ALL:
            for number, client in enumerate(holders):
                if self._total <= MAXIMUM_OF_ALL // 2:
                    holders = holders[number:]
                    break
                self._total -= _others(client)
                client.prepared.clear()
        self._holders = deque(ref(client) for client in holders if client.prepared)


def _others(client: Client) -> int:
    """How many it keeps beside the first."""
    return len(client.prepared) // 2 - 1
