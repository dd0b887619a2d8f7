"""Private keys in Java's keystores, JKS and PKCS #12: what kcadm signs in with (``--keystore``)."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterator
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from keyturn.jose.jwk import PrivateKey, private_key_from_pem
from keyturn.jose.jwk_members import InvalidKey

__all__ = ["KeystoreError", "read_private_key"]

_JKS_MAGIC: Final = b"\xfe\xed\xfe\xed"
_PRIVATE_KEY_ENTRY: Final = 1
_SHA1: Final = 20
_OCTET_STRING: Final = 0x04


class KeystoreError(ValueError):
    """The keystore is broken, a password is wrong, or the key is not in it. The message never holds a password."""


def read_private_key(
    content: bytes, alias: str, *, store_password: str, key_password: str, algorithm: str
) -> PrivateKey:
    """The private key called `alias`, whatever its case, in a keystore whose format shows in its content.

    Of a PKCS #12 keystore the first key is read; its password is that of the store.

    Raises:
        KeystoreError: there is no such key, or it cannot be read. The message is Java's, where it has one.
    """
    if content.startswith(_JKS_MAGIC):
        pkcs8 = _from_jks(content, alias, store_password, key_password)
    elif content.startswith(b"\x30"):
        pkcs8 = _from_pkcs12(content, alias, store_password)
    else:
        raise KeystoreError("Invalid keystore format")
    try:
        return private_key_from_pem(b64encode(pkcs8), algorithm=algorithm)
    except InvalidKey as error:
        raise KeystoreError(str(error)) from None


def _from_pkcs12(content: bytes, alias: str, password: str) -> bytes:
    try:
        store = pkcs12.load_pkcs12(content, password.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise KeystoreError("PKCS12 key store mac invalid - wrong password or corrupted file") from None
    name = (store.cert.friendly_name if store.cert else None) or b""
    if store.key is None or name.decode("utf-8", "replace").lower() != alias.lower():
        raise _no_such_key(alias)
    return store.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _from_jks(content: bytes, alias: str, store_password: str, key_password: str) -> bytes:
    """The entry `alias` of Sun's ``JavaKeyStore``."""
    whole, digest = content[:-_SHA1], content[-_SHA1:]
    # The format fixes this keyed hash, with its salt.
    expected = hashlib.sha1(store_password.encode("utf-16-be") + b"Mighty Aphrodite" + whole).digest()  # noqa: S324
    if not hmac.compare_digest(expected, digest):
        raise KeystoreError("Keystore was tampered with, or password was incorrect")
    try:
        found = next((key for name, key in _jks_keys(whole) if name.lower() == alias.lower()), None)
    except IndexError:
        raise KeystoreError("Invalid keystore format") from None
    if found is None:
        raise _no_such_key(alias)
    return _unprotect(found, key_password)


def _no_such_key(alias: str) -> KeystoreError:
    return KeystoreError(f"Couldn't load key with alias '{alias}' from keystore")


def _jks_keys(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The names and protected keys; numbers are big-endian, what varies has its length in front."""
    at = len(_JKS_MAGIC)

    def take(size: int) -> bytes:
        nonlocal at
        if at + size > len(content):
            raise IndexError
        at += size
        return content[at - size : at]

    def number(size: int) -> int:
        return int.from_bytes(take(size), "big")

    version = number(4)
    for _ in range(number(4)):
        kind = number(4)
        name = take(number(2)).decode("utf-8", "replace")
        take(8)  # creation date
        if kind == _PRIVATE_KEY_ENTRY:
            yield name, take(number(4))
        for _ in range(number(4) if kind == _PRIVATE_KEY_ENTRY else 1):
            if version > 1:
                take(number(2))  # the certificate's type
            take(number(4))


def _unprotect(protected: bytes, password: str) -> bytes:
    """Undo Sun's ``KeyProtector``: a stream of SHA-1 digests over a salt, and a digest of the key behind."""
    sealed = _last_octet_string(protected)
    salt, masked, check = sealed[:_SHA1], sealed[_SHA1:-_SHA1], sealed[-_SHA1:]
    secret = password.encode("utf-16-be")
    stream, block = b"", salt
    while len(stream) < len(masked):
        block = hashlib.sha1(secret + block).digest()  # noqa: S324 - the format's own
        stream += block
    key = bytes(left ^ right for left, right in zip(masked, stream, strict=False))
    if not hmac.compare_digest(hashlib.sha1(secret + key).digest(), check):  # noqa: S324 - the format's own
        raise KeystoreError("Cannot recover key")
    return key


def _last_octet_string(encoded: bytes) -> bytes:
    """The encrypted data of an ``EncryptedPrivateKeyInfo``: SEQUENCE { AlgorithmIdentifier, OCTET STRING }."""
    start, _ = _content(encoded, 0)
    _, start = _content(encoded, start)
    if encoded[start : start + 1] != bytes([_OCTET_STRING]):
        raise KeystoreError("Cannot recover key")
    first, end = _content(encoded, start)
    return encoded[first:end]


def _content(encoded: bytes, at: int) -> tuple[int, int]:
    """Where the content of the DER element at `at` begins and ends."""
    if at + 2 > len(encoded):
        raise KeystoreError("Cannot recover key")
    length, first = encoded[at + 1], at + 2
    if length > 0x7F:
        size = length & 0x7F
        length, first = int.from_bytes(encoded[first : first + size], "big"), first + size
    return first, first + length
