"""Signatures that are made together: the octets that OpenSSL makes, or none of the library's."""

import ctypes
import gc
import time
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.multi_buffer import IMAGE, Arithmetic, real_library
from keyturn.jose import jwk
from keyturn.jose.batch import LARGEST, WORTHWHILE, BatchSigner
from keyturn.jose.jwk import PrivateKey
from keyturn.jose.multi_buffer import Lane, MultiBuffer, Unavailable

KEYS = {name: jwk.generate(name, now=time.time()) for name in ("RS256", "RS384", "RS512")}
MESSAGES = [b"message %d" % number * (number + 1) for number in range(LARGEST)]


@pytest.fixture(scope="module", params=["library", "arithmetic"])
def library(request: pytest.FixtureRequest) -> MultiBuffer:
    return real_library() if request.param == "library" else Arithmetic()


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def signer(library: MultiBuffer, failures: list[str]) -> BatchSigner:
    return BatchSigner(library, lambda: failures.append("wrong"))


def expected(jobs: Sequence[tuple[PrivateKey, bytes]]) -> list[bytes]:
    return [key.sign(data) for key, data in jobs]


def other_key(*, exponent: int = 65537, size: int = 2048, algorithm: str = "RS256") -> PrivateKey:
    der = rsa.generate_private_key(exponent, size).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return jwk.private_key_from_pem(der, algorithm=algorithm)


@pytest.mark.parametrize("count", range(1, LARGEST + 1))
def test_signs_what_openssl_signs_however_many_there_are(signer: BatchSigner, failures: list[str], count: int) -> None:
    jobs = [(KEYS["RS256"], message) for message in MESSAGES[:count]]
    assert signer.sign(jobs) == expected(jobs)
    assert failures == []


def test_signs_with_several_keys_and_hashes_at_a_time(signer: BatchSigner, failures: list[str]) -> None:
    jobs = [(list(KEYS.values())[number % 3], message) for number, message in enumerate(MESSAGES)]
    assert all(signer.takes(key) for key in KEYS.values())
    assert signer.sign(jobs) == expected(jobs)
    assert failures == []


def test_takes_only_keys_whose_signatures_cost_less_together() -> None:
    signer = BatchSigner(Arithmetic(), lambda: None)
    assert signer.takes(KEYS["RS256"])
    for name in ("PS256", "ES256", "EdDSA"):
        assert not signer.takes(jwk.generate(name, now=time.time()))
    assert not signer.takes(jwk.symmetric_key(b"secret", algorithm="HS256", kid="shared"))
    assert not signer.takes(jwk.generate("RSA-OAEP", use="enc", now=time.time()))
    assert not signer.takes(other_key(exponent=3))
    assert not signer.takes(other_key(size=1024))


@pytest.mark.parametrize("size", [3072, 4096])
def test_larger_keys_are_signed_with_one_by_one(signer: BatchSigner, size: int) -> None:
    larger = jwk.generate("RS256", size=size, now=time.time())
    jobs = [(larger if number % 2 else KEYS["RS256"], message) for number, message in enumerate(MESSAGES)]
    assert not signer.takes(larger)
    assert signer.sign(jobs) == expected(jobs)


def test_few_signatures_are_left_to_openssl() -> None:
    library = Arithmetic()
    signer = BatchSigner(library, lambda: None)
    assert signer.takes(KEYS["RS256"])
    library.sizes.clear()
    for count in range(1, LARGEST + 1):
        signer.sign([(KEYS["RS256"], message) for message in MESSAGES[:count]])
    assert library.sizes == list(range(WORTHWHILE, LARGEST + 1))


def flipping(library: MultiBuffer, lane: int, bit: int) -> MultiBuffer:
    """`library`, which from now on gets one bit of one signature wrong."""
    right = library._private

    def wrong(messages: Any, signatures: Any, *rest: Any) -> int:
        status: int = right(messages, signatures, *rest)
        octet = ctypes.cast(signatures[lane] + bit // 8, ctypes.POINTER(ctypes.c_ubyte))
        octet[0] ^= 1 << bit % 8
        return status

    library._private = wrong
    return library


@pytest.mark.parametrize(("lane", "bit"), [(0, 0), (3, 1000), (7, 2047)])
def test_a_wrong_signature_does_not_leave(failures: list[str], lane: int, bit: int) -> None:
    library = real_library()
    signer = BatchSigner(library, lambda: failures.append("wrong"))
    jobs = [(KEYS["RS256"], message) for message in MESSAGES]
    assert signer.sign(jobs) == expected(jobs)
    flipping(library, lane, bit)
    made = library.sign([(Lane(material(key)), bytes(1) + b"m" * 255) for key, _ in jobs])
    assert [signature is None for signature in made] == [number == lane for number in range(LARGEST)]
    assert signer.sign(jobs) == expected(jobs)
    assert failures == ["wrong"]


def material(key: PrivateKey) -> rsa.RSAPrivateKey:
    assert isinstance(key.material, rsa.RSAPrivateKey)
    return key.material


def test_after_a_wrong_signature_openssl_makes_them_all(failures: list[str]) -> None:
    library = real_library()
    signer = BatchSigner(library, lambda: failures.append("wrong"))
    jobs = [(KEYS["RS256"], message) for message in MESSAGES]
    signer.sign(jobs)
    flipping(library, 1, 1)
    signer.sign(jobs)
    assert not signer.takes(KEYS["RS256"])
    assert not signer.takes(KEYS["RS384"])
    assert signer.sign(jobs) == expected(jobs)
    assert failures == ["wrong"]


def test_a_library_that_says_it_failed_is_believed(failures: list[str]) -> None:
    library = real_library()
    signer = BatchSigner(library, lambda: failures.append("wrong"))
    jobs = [(KEYS["RS256"], message) for message in MESSAGES]
    signer.sign(jobs)
    right = library._public
    library._public = lambda *arguments: right(*arguments) | 1
    assert signer.sign(jobs) == expected(jobs)
    assert failures == ["wrong"]


def test_a_library_that_signs_otherwise_than_openssl_gets_no_key(failures: list[str]) -> None:
    class Another(Arithmetic):
        def sign(self, work: Sequence[tuple[Lane, bytes]]) -> list[bytes | None]:
            return [bytes(256)] * len(work)

    signer = BatchSigner(Another(), lambda: failures.append("wrong"))
    assert not signer.takes(KEYS["RS256"])
    assert failures == ["wrong"]


def test_the_memory_of_a_key_is_wiped_with_it() -> None:
    key = jwk.generate("RS256", now=time.time())
    lane = Lane(material(key))
    buffer = lane._buffer
    assert any(buffer.raw)
    del lane
    gc.collect()
    assert not any(buffer.raw)


def test_a_key_that_nobody_holds_is_forgotten() -> None:
    signer = BatchSigner(Arithmetic(), lambda: None)
    key = jwk.generate("RS256", now=time.time())
    assert signer.takes(key)
    (lane,) = signer._lanes.values()
    assert lane is not None
    buffer = lane._buffer
    del lane, key
    gc.collect()
    assert not any(buffer.raw)
    assert len(signer._lanes) == 0


def test_the_working_memory_is_wiped_after_each_use_of_a_key() -> None:
    library = real_library()
    right = library._public
    found: list[bytes] = []

    def looking(*arguments: Any) -> Any:
        found.append(library._scratch.raw)
        return right(*arguments)

    library._public = looking
    library.sign([(Lane(material(KEYS["RS256"])), b"\0" + b"m" * 255)])
    assert [any(memory) for memory in found] == [False]


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(58), b"#!/bin/sh\n", b"\xff" * 4096])
def test_what_is_no_library_is_refused(content: bytes) -> None:
    with pytest.raises(Unavailable):
        MultiBuffer(content)


def test_a_library_that_is_cut_off_is_refused() -> None:
    real_library()
    image = IMAGE.read_bytes()
    for length in (64, 500, 4096):
        with pytest.raises(Unavailable):
            MultiBuffer(image[:length])
