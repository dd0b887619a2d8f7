"""What the protocol asks about a client's credentials, found out without blocking the event loop."""

from collections.abc import Mapping
from typing import Final

from anyio import to_thread

from keyturn.http.remote_keys import RemoteKeys
from keyturn.http.single_use import SingleUse
from keyturn.model.client import Client
from keyturn.oauth2.failures import Failures
from keyturn.oauth2.inquiries import FindBySubject, Inquiry, Reply, UseOnce
from keyturn.oauth2.spi import Asked, AuthenticatedClient, CheckToken, TokenChecked
from keyturn.registry.registry import RealmEntry
from keyturn.representations import given
from keyturn.store.collections import CLIENTS
from keyturn.store.spi import Store

_MAXIMUM_CLIENTS: Final = 100
"""Clients that one subject can stand for."""
_NOTHING: Final[Mapping[Inquiry, Reply]] = {}


class Informed:
    """The clients of a realm, and what has been found out for one request; the protocol's ``Clients``."""

    __slots__ = ("entry", "proved", "replies")

    def __init__(
        self,
        entry: RealmEntry,
        replies: Mapping[Inquiry, Reply] = _NOTHING,
        proved: AuthenticatedClient | None = None,
    ) -> None:
        self.entry = entry
        self.replies: Mapping[Inquiry, Reply] | None = replies
        self.proved = proved

    @property
    def failures(self) -> Failures:
        """Who has failed to prove who it is."""
        return self.entry.failures

    def by_client_id(self, client_id: str) -> Client | None:
        """The client, None where there is none. Raises Miss."""
        return self.entry.by_client_id(client_id)

    def known_of(self, question: CheckToken) -> TokenChecked | None:
        """What is in memory about a token."""
        return self.entry.known_of(question)

    def within(self, entry: RealmEntry) -> "Informed":
        """The same, with the realm as it is now."""
        return Informed(entry, self.replies or _NOTHING, self.proved)


class Inquiries:
    """Asks the store and the network."""

    def __init__(self, store: Store, single_use: SingleUse, remote_keys: RemoteKeys) -> None:
        self._store = store
        self._single_use = single_use
        self._remote_keys = remote_keys

    async def answer(self, asked: Asked, informed: Informed) -> Informed:
        """`informed`, and the reply to what was `asked`. Raises StoreError: what must be written cannot be."""
        inquiry = asked.inquiry
        assert inquiry is not None
        reply: Reply
        if isinstance(inquiry, UseOnce):
            reply = await self._single_use.is_first(inquiry)
        elif isinstance(inquiry, FindBySubject):
            reply = await to_thread.run_sync(self._of_subject, informed.entry.realm.id, inquiry.key)
        else:
            reply = await self._remote_keys.read(inquiry)
        replies = {**(informed.replies or {}), inquiry: reply}
        return Informed(informed.entry, replies, asked.proved if reply is True else None)

    def _of_subject(self, realm_id: str, key: str) -> tuple[str, ...]:
        with self._store.read() as reader:
            found = reader.select(CLIENTS, realm_id, where={"external_subject": key}, limit=_MAXIMUM_CLIENTS)
        return tuple(given(client.client_id, "") for client in found)
