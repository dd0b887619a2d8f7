"""Gathers the tokens that are asked for at the same time, so that they are signed together (docs/adr/0010)."""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from keyturn.jose.batch import LARGEST, WORTHWHILE, BatchSigner
from keyturn.jose.multi_buffer import MultiBuffer, Unavailable
from keyturn.oauth2.access_token import Unsigned
from keyturn.oauth2.http_message import Response

_LOGGER: Final = logging.getLogger("keyturn.http")

LIBRARY: Final = Path(sys.prefix) / "lib" / "libcrypto_mb.so.13"
"""Where the package ``ipp-crypto`` puts it."""

_PROCESSOR: Final = Path("/proc/cpuinfo")
_NEEDED: Final = frozenset({"avx512f", "avx512ifma"})


def open_signer(library: Path = LIBRARY) -> BatchSigner | None:
    """What signs several tokens at a time; None where the library or the processor is not there.

    A library that is there and cannot be used is told in the log.
    """
    if not library.exists() or not _processor_has(_NEEDED):
        return None
    try:
        signer = BatchSigner(MultiBuffer(library.read_bytes()), _tell_of_failure)
    except (OSError, Unavailable) as error:
        _LOGGER.warning("RS256 is signed one by one: %s: %s", library, error)
        return None
    _LOGGER.debug("RS256 is signed in batches")
    return signer


def _processor_has(features: frozenset[str]) -> bool:
    try:
        with _PROCESSOR.open() as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return features <= set(flags.split())


def _tell_of_failure() -> None:
    _LOGGER.error("a signature that was made with others was wrong; it has not left, and OpenSSL signs from now on")


class Waiting:
    """An answer that waits for its signature; `done` gets it whole."""

    __slots__ = ("_done", "unsigned")

    def __init__(self, unsigned: Unsigned, done: Callable[[Response], None]) -> None:
        self.unsigned = unsigned
        self._done: Callable[[Response], None] | None = done

    @property
    def ended(self) -> bool:
        """Whether it waits no longer."""
        return self._done is None

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self._done = None

    def sign(self) -> None:
        """Signs it now, alone."""
        self.answer(self.unsigned.key.sign(self.unsigned.signing_input))

    def answer(self, signature: bytes) -> None:
        """Hands the answer out, once."""
        done, self._done = self._done, None
        if done is not None:
            done(self.unsigned.signed(signature))


class GatheredSigning:
    """Signs the answers of one turn of the event loop together. Whatever is alone is signed alone, and none waits
    while the loop has nothing else to do.
    """

    def __init__(self, signer: BatchSigner) -> None:
        self._signer = signer
        self._waiting: deque[Waiting] = deque()
        self._due = False

    def add(self, unsigned: Unsigned, done: Callable[[Response], None]) -> Waiting:
        """Signs `unsigned` soon, and tells `done`. To be called in the event loop."""
        waiting = Waiting(unsigned, done)
        self._waiting.append(waiting)
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._sign)
        return waiting

    def _sign(self) -> None:
        """Signs those that have waited longest, as many as go together; then the loop takes what has arrived.

        So a thousand requests at once do not hold up the loop, and what is left of them is joined by others.
        """
        waiting = self._waiting
        together: list[Waiting] = []
        while waiting and len(together) < LARGEST:
            first = waiting.popleft()
            if not first.ended:
                together.append(first)
        if len(together) < WORTHWHILE:
            waiting.extendleft(reversed(together[1:]))
            del together[1:]
        self._due = bool(waiting)
        if self._due:
            asyncio.get_running_loop().call_soon(self._sign)
        signatures = self._signer.sign([(one.unsigned.key, one.unsigned.signing_input) for one in together])
        for one, signature in zip(together, signatures, strict=True):
            one.answer(signature)
