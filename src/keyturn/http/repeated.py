"""Requests that came before, byte for byte (docs/adr/0011).

A service asks for its tokens, and about tokens, with the same bytes each time. What was decided about them once holds
as long as nothing that it rests on has changed. A token itself is made anew, with its own times and its own ``jti``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, TypeAlias
from weakref import ReferenceType, ref

from keyturn.oauth2.access_token import Unsigned
from keyturn.oauth2.http_message import Response
from keyturn.registry.registry import RealmEntry

MAXIMUM_SIZE: Final = 4096
"""Bytes of a request that is remembered, head and body."""
MAXIMUM_REQUESTS: Final = 10_000
"""Requests that are remembered, about 1 KB each beside what is answered. Past it the oldest goes."""
MAXIMUM_ANSWERED: Final = 8 * 1024 * 1024
"""Bytes of all answers that are kept as they are. Anybody may ask for the same document in many ways."""

Sender: TypeAlias = tuple[str, str]
"""What counts of a connection beside the bytes that it brings: the caller's address, and the scheme."""


@dataclass(frozen=True, slots=True)
class Again:
    """Answers the same request once more; None where what was decided may no longer hold.

    `entry` is the realm in memory, which `answer` must not keep alive; `size` is that of an answer that is kept.
    """

    answer: Callable[[], Response | Unsigned | None]
    entry: RealmEntry
    size: int = 0

    def __call__(self) -> Response | Unsigned | None:
        return self.answer()


Kind: TypeAlias = tuple[str, str]
"""What a request is counted as: the endpoint, and the method."""


_Key: TypeAlias = tuple[bytes, Sender]


class RepeatedRequests:
    """How to answer requests that came before from the same sender.

    Requests hold secrets: of each only a keyed digest is kept. What is known goes when the realm in memory goes: it
    holds all that the realm was, and would be no longer true.
    """

    def __init__(self, key: bytes) -> None:
        """`key` is secret, random, and of 16 to 64 bytes."""
        self._hash: Final = blake2b(key=key, digest_size=32)
        self._known: Final[dict[_Key, tuple[ReferenceType[RealmEntry], int]]] = {}
        self._answered = 0

    def __len__(self) -> int:
        return len(self._known)

    def digest(self, request: bytes) -> bytes:
        """What stands for the bytes of `request`."""
        hashed = self._hash.copy()
        hashed.update(request)
        return hashed.digest()

    def answer(self, digest: bytes, sender: Sender) -> tuple[Kind, Response | Unsigned] | None:
        """The answer to a request that came before; None where none did, or it has to be decided anew."""
        key = digest, sender
        known = self._known.get(key)
        if known is None:
            return None
        entry = known[0]()
        if entry is not None:
            kind, again = entry.repeated[key]
            answer = again()
            if answer is not None:
                return kind, answer
        self._forget(key)
        return None

    def keep(self, digest: bytes, sender: Sender, kind: Kind, again: Again) -> None:
        """Remembers how a request is answered."""
        key = digest, sender
        if key in self._known:
            self._forget(key)
        self._answered += again.size
        while self._known and (len(self._known) >= MAXIMUM_REQUESTS or self._answered > MAXIMUM_ANSWERED):
            self._forget(next(iter(self._known)))
        again.entry.repeated[key] = kind, again.answer
        self._known[key] = ref(again.entry), again.size

    def _forget(self, key: _Key) -> None:
        reference, size = self._known.pop(key)
        self._answered -= size
        entry = reference()
        if entry is not None:
            del entry.repeated[key]
