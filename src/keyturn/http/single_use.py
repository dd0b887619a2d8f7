"""Single use of what must not come twice (RFC 7523 §3, ``jti``): durable, and written in groups.

What arrives while a transaction is being written shares the next one: under load, hundreds share one ``fsync``.
"""

import asyncio
from typing import Final

from anyio import to_thread

from keyturn.oauth2.inquiries import UseOnce
from keyturn.store.retrying import retried
from keyturn.store.spi import Busy, Store

MAXIMUM_WAITING: Final = 10_000
"""Uses that wait to be written; beyond that, callers are told to come back."""

_BATCH: Final = 1000
"""Uses in one transaction."""


class SingleUse:
    """Marks keys as used, for one server and the event loop that it runs in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[UseOnce, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def is_first(self, use: UseOnce) -> bool:
        """Whether this is the first use; durable when it returns. Raises StoreError."""
        if len(self._waiting) >= MAXIMUM_WAITING:
            raise Busy("too many assertions wait to be written")
        loop = asyncio.get_running_loop()
        written: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((use, written))
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write())
        return await written

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            try:
                firsts = await to_thread.run_sync(self._commit, [use for use, _ in batch])
            except BaseException as error:  # whatever it is, those who wait must not wait for ever
                for _, written in batch:
                    if not written.done():
                        written.set_exception(error if isinstance(error, Exception) else Busy("the server stops"))
                if not isinstance(error, Exception):
                    raise
            else:
                for (_, written), first in zip(batch, firsts, strict=True):
                    if not written.done():  # its caller may have gone
                        written.set_result(first)

    def _commit(self, uses: list[UseOnce]) -> list[bool]:
        return retried(lambda: self._write_down(uses))

    def _write_down(self, uses: list[UseOnce]) -> list[bool]:
        with self._store.write(shared=True) as transaction:
            return transaction.use_each_once([(use.namespace, use.key, use.until) for use in uses])
