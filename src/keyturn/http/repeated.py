"""Requests that came before, byte for byte (docs/adr/0011).

A service asks for its tokens, and about tokens, with the same bytes each time. What was decided about them once holds
as long as nothing that it rests on has changed. A token itself is made anew, with its own times and its own ``jti``.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final, TypeAlias

from keyturn.oauth2.access_token import Unsigned
from keyturn.oauth2.http_message import Response

MAXIMUM_SIZE: Final = 4096
"""Bytes of a request that is remembered, head and body."""
MAXIMUM_REQUESTS: Final = 10_000
"""Requests that are remembered, about 1 KB each. Past it the oldest goes."""

Sender: TypeAlias = tuple[str, str]
"""What counts of a connection beside the bytes that it brings: the caller's address, and the scheme."""

Again: TypeAlias = Callable[[], Response | Unsigned | None]
"""Answers the same request once more; None where what was decided may no longer hold."""

Kind: TypeAlias = tuple[str, str]
"""What a request is counted as: the endpoint, and the method."""


class RepeatedRequests:
    """How to answer requests that came before from the same sender.

    Requests hold secrets: of each only a keyed digest is kept.
    """

    def __init__(self, key: bytes) -> None:
        """`key` is secret, random, and of 16 to 64 bytes."""
        self._hash: Final = blake2b(key=key, digest_size=32)
        self._known: Final[dict[tuple[bytes, Sender], tuple[Kind, Again]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def digest(self, request: bytes) -> bytes:
        """What stands for the bytes of `request`."""
        hashed = self._hash.copy()
        hashed.update(request)
        return hashed.digest()

    def answer(self, digest: bytes, sender: Sender) -> tuple[Kind, Response | Unsigned] | None:
        """The answer to a request that came before; None where none did, or it has to be decided anew."""
        known = self._known.get((digest, sender))
        if known is None:
            return None
        kind, again = known
        answer = again()
        if answer is None:
            del self._known[digest, sender]
            return None
        return kind, answer

    def keep(self, digest: bytes, sender: Sender, kind: Kind, again: Again) -> None:
        """Remembers how a request is answered."""
        if len(self._known) >= MAXIMUM_REQUESTS:
            del self._known[next(iter(self._known))]
        self._known[digest, sender] = kind, again
