"""RSA for eight messages at a time: Intel's multi-buffer library, by ctypes (docs/adr/0010).

It is ``libcrypto_mb`` of the package ``ipp-crypto``, and needs a processor with AVX512-IFMA. Nothing here is needed
without it: OpenSSL signs the same octets.
"""

import ctypes
import os
import struct
import weakref
from collections.abc import Sequence
from typing import Any, Final, TypeGuard

from cryptography.hazmat.primitives.asymmetric import rsa

__all__ = ["BITS", "LANES", "Lane", "MultiBuffer", "Unavailable", "fits"]

LANES: Final = 8
"""Messages that one call takes. It takes as long for one as for eight."""

BITS: Final = 2048
"""The one size of which eight signatures here cost less than eight of OpenSSL's: with 3072 bits they cost more, with
4096 a tenth less, and hold up the event loop for ten milliseconds."""

_SIZE: Final = BITS // 8
_HALF: Final = _SIZE // 2
_EXPONENT: Final = 65537
_ALGORITHM: Final = 1
"""``MBX_ALGO_RSA_2K``."""

_UNUSED: Final = frozenset({b"libsvml.so", b"libirng.so", b"libimf.so", b"libintlc.so.5"})
"""Intel's compiler runtime. The library names it as needed, and calls nothing in it."""

_DYNAMIC: Final = 2
_LOAD: Final = 1
_NEEDED: Final = 1
_STRTAB: Final = 5
_DEBUG: Final = 21
"""An entry of the dynamic section that the loader passes over."""

_Pointer: Final = ctypes.c_void_p
_Pointers: Final = _Pointer * LANES


class Unavailable(Exception):
    """The library cannot be used here. The message says why."""


class Lane:
    """A private key as the library takes it. It is wiped when nobody holds it any more."""

    __slots__ = ("__weakref__", "_buffer", "addresses", "pointers")

    def __init__(self, material: rsa.RSAPrivateKey) -> None:
        numbers = material.private_numbers()
        halves = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        self._buffer = (ctypes.c_char * (len(halves) * _HALF + _SIZE))()
        weakref.finalize(self, _wipe, self._buffer)
        start = ctypes.addressof(self._buffer)
        self.addresses = tuple(start + index * _HALF for index in range(len(halves) + 1))
        """Of p, q, dp, dq, 1/q mod p, and n."""
        for address, number in zip(self.addresses, halves, strict=False):
            ctypes.memmove(address, number.to_bytes(_HALF, "little"), _HALF)
        ctypes.memmove(self.addresses[-1], numbers.public_numbers.n.to_bytes(_SIZE, "little"), _SIZE)
        self.pointers = tuple(_Pointers(*[address] * LANES) for address in self.addresses)


def fits(material: object) -> TypeGuard[rsa.RSAPrivateKey]:
    """Whether a key can be a ``Lane``."""
    if not isinstance(material, rsa.RSAPrivateKey) or material.key_size != BITS:
        return False
    numbers = material.private_numbers()
    halves = (numbers.p, numbers.q)
    return numbers.public_numbers.e == _EXPONENT and all(half.bit_length() == BITS // 2 for half in halves)


class MultiBuffer:
    """The library, loaded from `image`, the content of ``libcrypto_mb.so``. To be used by one thread at a time.

    Raises:
        Unavailable: it cannot be loaded, or this processor is not one for it.
    """

    def __init__(self, image: bytes) -> None:
        library = _load(_without_unused(image))
        try:
            self._private = _function(library, "mbx_rsa_private_crt_mb8", ctypes.c_uint32, 7)
            self._public = _function(library, "mbx_rsa_public_mb8", ctypes.c_uint32, 3)
            supported = library.mbx_get_algo_info
            size = library.mbx_RSA_Method_BufSize
            methods = library.mbx_RSA_private_crt_Method, library.mbx_RSA_pub65537_Method
        except AttributeError as error:
            raise Unavailable(f"another library than expected: {error}") from None
        supported.restype = ctypes.c_uint64
        if not supported(_ALGORITHM) & LANES:
            raise Unavailable("the processor lacks AVX512-IFMA")
        size.argtypes = [_Pointer]
        for method in methods:
            method.restype = _Pointer
        self._private_method, self._public_method = methods[0](BITS), methods[1](BITS)
        self._scratch = (ctypes.c_char * max(size(self._private_method), size(self._public_method)))()
        self._messages, self._signatures, self._verified = (_octets() for _ in range(3))
        self._rows = tuple(_rows(octets) for octets in (self._messages, self._signatures, self._verified))

    def sign(self, work: Sequence[tuple[Lane, bytes]]) -> list[bytes | None]:
        """The RSA signatures of up to eight encoded messages of 256 bytes (RFC 8017 §8.2.1, steps 2 and 3).

        Each is verified. One that is wrong is None: a fault in one half of the calculation would give the key away.
        """
        spare = LANES - len(work)
        lanes = [lane for lane, _ in work] + [work[0][0]] * spare
        self._messages.raw = b"".join([message for _, message in work]) + work[0][1] * spare
        first = lanes[0]
        if all(lane is first for lane in lanes):
            *private, modulus = first.pointers
        else:
            *private, modulus = (_Pointers(*column) for column in zip(*(lane.addresses for lane in lanes), strict=True))
        messages, signatures, verified = self._rows
        failed = self._private(messages, signatures, *private, BITS, self._private_method, self._scratch)
        _wipe(self._scratch)
        _wipe(self._verified)
        failed |= self._public(signatures, verified, modulus, BITS, self._public_method, self._scratch)
        made, expected, found = self._signatures.raw, self._messages.raw, self._verified.raw
        if not failed and found == expected:
            return [made[start : start + _SIZE] for start in range(0, len(work) * _SIZE, _SIZE)]
        return [
            made[start : start + _SIZE]
            if not failed and found[start : start + _SIZE] == expected[start : start + _SIZE]
            else None
            for start in range(0, len(work) * _SIZE, _SIZE)
        ]


def _octets() -> Any:
    return (ctypes.c_char * (LANES * _SIZE))()


def _rows(octets: Any) -> Any:
    start = ctypes.addressof(octets)
    return _Pointers(*(start + lane * _SIZE for lane in range(LANES)))


def _wipe(buffer: Any) -> None:
    ctypes.memset(buffer, 0, ctypes.sizeof(buffer))


def _function(library: ctypes.CDLL, name: str, result: Any, arrays: int) -> Any:
    """A function of so many arrays of pointers, the bits, the method and its scratch memory."""
    function = getattr(library, name)
    function.restype = result
    function.argtypes = [_Pointer] * arrays + [ctypes.c_int, _Pointer, _Pointer]
    return function


def _load(image: bytes) -> ctypes.CDLL:
    """Loads a library that is in memory. Linux only, as the library is."""
    try:
        descriptor = os.memfd_create("libcrypto_mb", os.MFD_CLOEXEC)
    except (AttributeError, OSError) as error:
        raise Unavailable(str(error)) from None
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(image)
        return ctypes.CDLL(f"/proc/self/fd/{descriptor}")
    except OSError as error:
        raise Unavailable(str(error)) from None
    finally:
        os.close(descriptor)


def _without_unused(image: bytes) -> bytes:
    """`image`, an ELF library of 64 bits, without the need of libraries that it calls nothing in.

    All its symbols are bound when it is loaded: if it did call one of them, it would not load.
    """
    changed = bytearray(image)
    try:
        if image[:6] != b"\x7fELF\x02\x01":
            raise Unavailable("no library of 64 bits")
        (table,) = struct.unpack_from("<Q", image, 32)
        (count,) = struct.unpack_from("<H", image, 56)
        segments = [struct.unpack_from("<IIQQQQ", image, table + 56 * index) for index in range(count)]
        start, size = next((offset, length) for kind, _, offset, _, _, length in segments if kind == _DYNAMIC)
        entries = [(at, *struct.unpack_from("<qQ", image, at)) for at in range(start, start + size, 16)]
        names = next(value for _, tag, value in entries if tag == _STRTAB)
        for kind, _, offset, address, _, length in segments:
            if kind == _LOAD and address <= names < address + length:
                names += offset - address
                break
        for at, tag, value in entries:
            if tag == _NEEDED and image[names + value : image.index(b"\0", names + value)] in _UNUSED:
                struct.pack_into("<q", changed, at, _DEBUG)
    except (struct.error, StopIteration, ValueError):
        raise Unavailable("no library of 64 bits") from None
    return bytes(changed)
