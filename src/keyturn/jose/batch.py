"""Signs for several requests at a time, where that costs less than one after the other."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from keyturn.jose.jwk import PrivateKey
from keyturn.jose.multi_buffer import BITS, LANES, Lane, MultiBuffer, fits

__all__ = ["LARGEST", "WORTHWHILE", "BatchSigner"]

LARGEST: Final = LANES
"""Signatures that are made together."""

WORTHWHILE: Final = 5
"""Signatures that cost more one by one than together."""

_DIGEST_INFO: Final = {
    "RS256": ("sha256", "3031300d060960864801650304020105000420"),
    "RS384": ("sha384", "3041300d060960864801650304020205000430"),
    "RS512": ("sha512", "3051300d060960864801650304020305000440"),
}
"""RFC 8017 §9.2, note 1: what stands before a hash."""

_TRIAL: Final = b"keyturn signs this once with each key, here and with OpenSSL"


class BatchSigner:
    """Signs with `library` what it can sign, and the rest with OpenSSL, as ``PrivateKey.sign`` does.

    The signatures are the same octets either way. A wrong one never leaves: OpenSSL makes it anew, `on_failure` is
    told, and the library is not used again. To be used by one thread at a time.
    """

    def __init__(self, library: MultiBuffer, on_failure: Callable[[], None]) -> None:
        self._library: MultiBuffer | None = library
        self._on_failure = on_failure
        self._lanes: WeakKeyDictionary[PrivateKey, Lane | None] = WeakKeyDictionary()

    def takes(self, key: PrivateKey) -> bool:
        """Whether signatures of `key` are worth gathering."""
        return self._library is not None and self._lane(key) is not None

    def sign(self, jobs: Sequence[tuple[PrivateKey, bytes]]) -> list[bytes]:
        """The signatures of up to ``LARGEST`` keys on octets, in that order, with keys that it ``takes``."""
        library = self._library
        lanes = [self._lane(key) for key, _ in jobs]
        if library is None or len(jobs) < WORTHWHILE or None in lanes:
            return [key.sign(data) for key, data in jobs]
        work = [(lane, _encoded(key.algorithm, data)) for lane, (key, data) in zip(lanes, jobs, strict=True) if lane]
        signatures = library.sign(work)
        if None in signatures:
            self._fail()
        return [
            key.sign(data) if signature is None else signature
            for signature, (key, data) in zip(signatures, jobs, strict=True)
        ]

    def _lane(self, key: PrivateKey) -> Lane | None:
        try:
            return self._lanes[key]
        except KeyError:
            lane = self._lanes[key] = self._new_lane(key)
            return lane

    def _new_lane(self, key: PrivateKey) -> Lane | None:
        """The key as the library takes it, once a signature of it equals OpenSSL's."""
        material = key.material
        if self._library is None or key.use != "sig" or key.algorithm not in _DIGEST_INFO or not fits(material):
            return None
        lane = Lane(material)
        if self._library.sign([(lane, _encoded(key.algorithm, _TRIAL))]) != [key.sign(_TRIAL)]:
            self._fail()
            return None
        return lane

    def _fail(self) -> None:
        self._library = None
        self._on_failure()


def _encoded(algorithm: str, data: bytes) -> bytes:
    """EMSA-PKCS1-v1_5 (RFC 8017 §9.2)."""
    name, start = _STARTS[algorithm]
    return start + hashlib.new(name, data).digest()


def _start(name: str, digest_info: str) -> bytes:
    end = b"\0" + bytes.fromhex(digest_info)
    return b"\0\1".ljust(BITS // 8 - len(end) - hashlib.new(name).digest_size, b"\xff") + end


_STARTS: Final = {algorithm: (row[0], _start(*row)) for algorithm, row in _DIGEST_INFO.items()}
