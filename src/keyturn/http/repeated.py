"""Requests that came before, byte for byte (docs/adr/0011).

A service asks for its tokens, and about tokens, with the same bytes each time. What was decided about them once holds
as long as nothing that it rests on has changed. A token itself is made anew, with its own times and its own ``jti``.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol, TypeAlias
from weakref import ReferenceType, ref

from keyturn.oauth2.access_token import Unsigned
from keyturn.oauth2.http_message import Response
from keyturn.registry.registry import RealmEntry

MAXIMUM_SIZE: Final = 4096
"""Bytes of a request that is remembered, head and body."""
MAXIMUM_REQUESTS: Final = 20_000
"""Requests that are remembered, about 300 bytes each beside what is answered. Past it the oldest goes."""
MAXIMUM_ANSWERED: Final = 8 * 1024 * 1024
"""Bytes of all answers that are kept as they are. Anybody may ask for the same document in many ways."""

Kind: TypeAlias = tuple[str, str]
"""What a request is counted as: the endpoint, and the method."""

TOKEN: Final = "/protocol/openid-connect/token"
KINDS: Final[dict[str, Kind]] = {
    TOKEN: ("token", "POST"),
    "/protocol/openid-connect/token/introspect": ("introspect", "POST"),
    "/protocol/openid-connect/certs": ("certs", "GET"),
    "/.well-known/openid-configuration": ("realm", "GET"),
}
"""By path below the realm, the requests that may be answered where their bytes arrive."""


class Repetition(Protocol):
    """Answers a request once more."""

    @property
    def kind(self) -> Kind:
        """What the request is counted as."""
        ...

    def __call__(self) -> Response | Unsigned | None:
        """The answer; None where what was decided may no longer hold."""
        ...


@dataclass(frozen=True, slots=True)
class Again:
    """How to answer a request once more.

    `entry` is the realm in memory, which `repetition` must not keep alive; `size` is that of an answer that is kept.
    """

    repetition: Repetition
    entry: RealmEntry
    size: int = 0


def sender_of(address: str, scheme: str, certificate: str = "") -> bytes:
    """What counts of a connection beside the bytes that it brings: the caller's address, the scheme, a thumbprint.

    It ends in a line break, which none of them has: nobody can bring bytes that make one sender look like another.
    """
    return f"{scheme} {address} {certificate}\n".encode()


class RepeatedRequests:
    """How to answer requests that came before from the same sender.

    Requests hold secrets: of each only a keyed digest is kept. What is known goes when the realm in memory goes: it
    holds all that the realm was, and would be no longer true.
    """

    def __init__(self, key: bytes) -> None:
        """`key` is secret, random, and of 16 to 64 bytes."""
        self._hash: Final = blake2b(key=key, digest_size=16)
        self._known: Final[dict[bytes, ReferenceType[RealmEntry]]] = {}
        """By digest, the realm that holds how to answer."""
        self._sizes: Final[dict[bytes, int]] = {}
        """Of the answers that are kept as they are."""
        self._answered = 0
        self.misses = 0
        """Requests that did not come before, or had to be decided anew."""

    def __len__(self) -> int:
        return len(self._known)

    def digest(self, request: bytes, sender: bytes) -> bytes:
        """What stands for the bytes of `request` from a `sender` (``sender_of``)."""
        hashed = self._hash.copy()
        hashed.update(sender)
        hashed.update(request)
        return hashed.digest()

    def answer(self, digest: bytes) -> tuple[Kind, Response | Unsigned] | None:
        """The answer to a request that came before; None where none did, or it has to be decided anew."""
        known = self._known.get(digest)
        if known is None:
            self.misses += 1
            return None
        entry = known()
        if entry is not None:
            repetition: Repetition = entry.repeated[digest]
            answer = repetition()
            if answer is not None:
                return repetition.kind, answer
        self._forget(digest)
        self.misses += 1
        return None

    def keep(self, digest: bytes, again: Again) -> None:
        """Remembers how a request is answered."""
        if digest in self._known:
            self._forget(digest)
        self._answered += again.size
        while self._known and (len(self._known) >= MAXIMUM_REQUESTS or self._answered > MAXIMUM_ANSWERED):
            self._forget(next(iter(self._known)))
        again.entry.repeated[digest] = again.repetition
        self._known[digest] = ref(again.entry)
        if again.size:
            self._sizes[digest] = again.size

    def _forget(self, digest: bytes) -> None:
        entry = self._known.pop(digest)()
        self._answered -= self._sizes.pop(digest, 0)
        if entry is not None:
            del entry.repeated[digest]
