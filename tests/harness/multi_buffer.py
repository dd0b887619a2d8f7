"""The multi-buffer library where it can be used, and one that anybody can use."""

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from keyturn.jose.multi_buffer import BITS, Lane, MultiBuffer, Unavailable

IMAGE = Path(sys.prefix) / "lib" / "libcrypto_mb.so.13"


def real_library() -> MultiBuffer:
    """The library itself; skips the test on a machine that has not got it, or no processor for it."""
    if not IMAGE.exists():
        pytest.skip("the extra fast is not installed")
    try:
        return MultiBuffer(IMAGE.read_bytes())
    except Unavailable as reason:
        pytest.skip(str(reason))


class Arithmetic(MultiBuffer):
    """Computes as the library does, from the same memory, in Python; notes how many it signed at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def sign(self, work: Sequence[tuple[Lane, bytes]]) -> list[bytes | None]:
        """RFC 8017 §5.1.2, step 2.b."""
        self.sizes.append(len(work))
        return [self._signature(lane, int.from_bytes(message)) for lane, message in work]

    @staticmethod
    def _signature(lane: Lane, message: int) -> bytes:
        p, q, dp, dq, inverse = (
            int.from_bytes(ctypes.string_at(address, BITS // 16), "little") for address in lane.addresses[:5]
        )
        of_q = pow(message, dq, q)
        return (of_q + (pow(message, dp, p) - of_q) * inverse % p * q).to_bytes(BITS // 8)
