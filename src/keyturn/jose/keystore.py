"""Keys and certificates in Java's keystores, JKS and PKCS #12, as kcadm signs in with and clients are given.

A keystore is read by its content, and written in the form that is asked for.
"""

import contextlib
import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from keyturn.jose.jwk import PrivateKey, private_key_from_pem
from keyturn.jose.jwk_members import InvalidKey

__all__ = ["Entry", "KeystoreError", "WrongPassword", "read_entry", "read_private_key"]

_JKS_MAGIC: Final = b"\xfe\xed\xfe\xed"
_PRIVATE_KEY_ENTRY: Final = 1
_SHA1: Final = 20
_OCTET_STRING: Final = 0x04
_PROTECTION: Final = bytes.fromhex("300e060a2b060104012a021101010500")
"""AlgorithmIdentifier of Sun's ``KeyProtector``: 1.3.6.1.4.1.42.2.17.1.1, NULL."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a keystore has under a name: a private key (PKCS #8) with its certificate, or one of the two. Both DER."""

    private_key: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = None


class WrongPassword(ValueError):
    """The keystore's own password is wrong."""


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


def read_entry(content: bytes, alias: str, *, store_password: str, key_password: str | None) -> Entry:
    """What is called `alias`, whatever its case; empty where there is nothing of that name.

    A key of a JKS whose `key_password` is wrong, or not given, is left out; PKCS #12 has one password for all.

    Raises:
        WrongPassword: that of the keystore is wrong.
        KeystoreError: it is broken, or none of the two formats.
    """
    if content.startswith(_JKS_MAGIC):
        return _jks_entry(content, alias, store_password, key_password)
    if not content.startswith(b"\x30"):
        raise KeystoreError("Invalid keystore format")
    store = _load_pkcs12(content, store_password)
    for holder in (store.cert, *store.additional_certs):
        if holder is not None and (holder.friendly_name or b"").decode("utf-8", "replace").lower() == alias.lower():
            key = None if store.key is None or holder is not store.cert else _pkcs8(store.key)
            return Entry(key, holder.certificate.public_bytes(serialization.Encoding.DER))
    return Entry()


def _load_pkcs12(content: bytes, password: str) -> pkcs12.PKCS12KeyAndCertificates:
    try:
        return pkcs12.load_pkcs12(content, password.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise WrongPassword("PKCS12 key store mac invalid") from None


def _pkcs8(key: Any) -> bytes:
    encoded: bytes = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded


def _jks_entry(content: bytes, alias: str, store_password: str, key_password: str | None) -> Entry:
    try:
        whole = _jks_content(content, store_password)
        found = next((entry for entry in _jks_entries(whole) if entry[0].lower() == alias.lower()), None)
        if found is None:
            return Entry()
        _, protected, chain = found
        key = None
        if protected is not None and key_password is not None:
            with contextlib.suppress(KeystoreError):
                key = _unprotect(protected, key_password)
        return Entry(key, chain[0] if chain else None)
    except IndexError:
        raise KeystoreError("Invalid keystore format") from None


def _from_pkcs12(content: bytes, alias: str, password: str) -> bytes:
    try:
        store = _load_pkcs12(content, password)
    except WrongPassword as error:
        raise KeystoreError(f"{error} - wrong password or corrupted file") from None
    name = (store.cert.friendly_name if store.cert else None) or b""
    if store.key is None or name.decode("utf-8", "replace").lower() != alias.lower():
        raise _no_such_key(alias)
    return _pkcs8(store.key)


def _from_jks(content: bytes, alias: str, store_password: str, key_password: str) -> bytes:
    """The key `alias` of Sun's ``JavaKeyStore``."""
    try:
        keys = ((name, key) for name, key, _ in _jks_entries(_jks_content(content, store_password)) if key is not None)
        found = next((key for name, key in keys if name.lower() == alias.lower()), None)
    except WrongPassword as error:
        raise KeystoreError(str(error)) from None
    except IndexError:
        raise KeystoreError("Invalid keystore format") from None
    if found is None:
        raise _no_such_key(alias)
    return _unprotect(found, key_password)


def _jks_content(content: bytes, password: str) -> bytes:
    """What stands before the digest. Raises WrongPassword."""
    whole, digest = content[:-_SHA1], content[-_SHA1:]
    if not hmac.compare_digest(jks_digest(whole, password), digest):
        raise WrongPassword("Keystore was tampered with, or password was incorrect")
    return whole


def jks_digest(content: bytes, password: str) -> bytes:
    """The format fixes this keyed hash, with its salt."""
    return hashlib.sha1(password.encode("utf-16-be") + b"Mighty Aphrodite" + content).digest()  # noqa: S324


def _no_such_key(alias: str) -> KeystoreError:
    return KeystoreError(f"Couldn't load key with alias '{alias}' from keystore")


def _jks_entries(content: bytes) -> Iterator[tuple[str, bytes | None, list[bytes]]]:
    """Names, protected keys and certificates; numbers are big-endian, what varies has its length in front."""
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
        protected = take(number(4)) if kind == _PRIVATE_KEY_ENTRY else None
        chain = []
        for _ in range(number(4) if kind == _PRIVATE_KEY_ENTRY else 1):
            if version > 1:
                take(number(2))  # the certificate's type
            chain.append(take(number(4)))
        yield name, protected, chain


def _unprotect(protected: bytes, password: str) -> bytes:
    """Undo Sun's ``KeyProtector``: a stream of SHA-1 digests over a salt, and a digest of the key behind."""
    sealed = _last_octet_string(protected)
    salt, masked, check = sealed[:_SHA1], sealed[_SHA1:-_SHA1], sealed[-_SHA1:]
    secret = password.encode("utf-16-be")
    key = _masked(masked, secret, salt)
    if not hmac.compare_digest(hashlib.sha1(secret + key).digest(), check):  # noqa: S324 - the format's own
        raise KeystoreError("Cannot recover key")
    return key


def protect(key: bytes, password: str, salt: bytes) -> bytes:
    """`key` as Sun's ``KeyProtector`` has it: an ``EncryptedPrivateKeyInfo``."""
    secret = password.encode("utf-16-be")
    check = hashlib.sha1(secret + key).digest()  # noqa: S324 - the format's own
    sealed = salt + _masked(key, secret, salt) + check
    return _element(0x30, _PROTECTION + _element(_OCTET_STRING, sealed))


def _element(tag: int, content: bytes) -> bytes:
    """A DER element."""
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def _masked(content: bytes, secret: bytes, salt: bytes) -> bytes:
    stream, block = bytearray(), salt
    while len(stream) < len(content):
        block = hashlib.sha1(secret + block).digest()  # noqa: S324 - the format's own
        stream += block
    masked = int.from_bytes(content, "big") ^ int.from_bytes(stream[: len(content)], "big")
    return masked.to_bytes(len(content), "big")


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
