"""Truststores: PKCS #12 as Java reads it, and what kcadm is given to read: JKS, PKCS #12 or PEM."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from keyturn.jose.x509 import certificate_der

__all__ = ["TruststoreError", "read_truststore", "to_pem", "write_pkcs12_truststore"]

_JKS_MAGIC: Final = b"\xfe\xed\xfe\xed"
_JCEKS_MAGIC: Final = b"\xce\xce\xce\xce"
_PRIVATE_KEY_ENTRY: Final = 1
_CERTIFICATE_ENTRY: Final = 2
_DIGEST_SIZE: Final = 20


class TruststoreError(ValueError):
    """The content is no truststore, is broken, or the password is wrong. The message never holds the password."""


def write_pkcs12_truststore(certificates: Iterable[bytes], password: str) -> bytes:
    """A PKCS #12 truststore with `certificates` (PEM or DER) that Java trusts (``keytool``, ``kcadm.sh config
    truststore``).

    Java takes a certificate without a key for a trusted one only with its own attribute, trustedKeyUsage. Two calls
    give different bytes (salts), so write it only when the certificates change.

    Raises:
        TruststoreError: no certificate, or one that is none.
    """
    try:
        entries = [
            pkcs12.PKCS12Certificate(
                x509.load_der_x509_certificate(certificate_der(content)), f"keyturn-{number}".encode()
            )
            for number, content in enumerate(certificates, start=1)
        ]
    except ValueError:
        raise TruststoreError("not a certificate") from None
    if not entries:
        raise TruststoreError("a truststore without a certificate")
    return pkcs12.serialize_java_truststore(entries, serialization.BestAvailableEncryption(password.encode()))


def read_truststore(content: bytes, password: str | None) -> list[bytes]:
    """The certificates of a truststore, in DER and in its order; of entries with private keys, their chains.

    The format shows in the content. The integrity digest is verified with `password`; without one (None), a JKS is read
    unverified, as Java does, and a PKCS #12 only if it is not encrypted. PEM has no password.

    Raises:
        TruststoreError: none of the three formats, broken, or a wrong password.
    """
    if content.startswith(_JKS_MAGIC):
        return list(_read_jks(content, password))
    if content.startswith(_JCEKS_MAGIC):
        raise TruststoreError("JCEKS keystores are not read; convert it: keytool -importkeystore -deststoretype pkcs12")
    if content.startswith(b"\x30"):
        return _read_pkcs12(content, password)
    try:
        loaded = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise TruststoreError("not a JKS, PKCS #12 or PEM truststore") from None
    return [certificate.public_bytes(serialization.Encoding.DER) for certificate in loaded]


def to_pem(certificates: Iterable[bytes]) -> str:
    """Certificates in DER as one PEM text, as OpenSSL and Python's ``ssl`` take it."""
    return "".join(
        "-----BEGIN CERTIFICATE-----\n"
        + "".join(f"{line}\n" for line in _lines(b64encode(certificate).decode()))
        + "-----END CERTIFICATE-----\n"
        for certificate in certificates
    )


def _lines(text: str) -> Iterator[str]:
    return (text[start : start + 64] for start in range(0, len(text), 64))


def _read_pkcs12(content: bytes, password: str | None) -> list[bytes]:
    try:
        store = pkcs12.load_pkcs12(content, None if password is None else password.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise TruststoreError("not a PKCS #12 truststore, or the password is wrong") from None
    entries = ([store.cert] if store.cert else []) + list(store.additional_certs)
    return [entry.certificate.public_bytes(serialization.Encoding.DER) for entry in entries]


def _read_jks(content: bytes, password: str | None) -> Iterator[bytes]:
    """Sun's ``JavaKeyStore``: all numbers are big-endian, texts have their length in front, SHA-1 over everything
    behind.
    """
    if password is not None:
        # The format fixes this keyed hash, with its salt.
        digest = hashlib.sha1(password.encode("utf-16-be") + b"Mighty Aphrodite" + content[:-_DIGEST_SIZE])  # noqa: S324
        if not hmac.compare_digest(digest.digest(), content[-_DIGEST_SIZE:]):
            raise TruststoreError("the JKS truststore was changed, or the password is wrong")
    reader = _Reader(content[:-_DIGEST_SIZE], len(_JKS_MAGIC))
    version = reader.number(4)
    if version not in (1, 2):
        raise TruststoreError(f"a JKS truststore of version {version}")
    for _ in range(reader.number(4)):
        kind = reader.number(4)
        reader.take(reader.number(2))  # alias
        reader.take(8)  # creation date
        if kind == _PRIVATE_KEY_ENTRY:
            reader.take(reader.number(4))  # the encrypted key
            count = reader.number(4)
        elif kind == _CERTIFICATE_ENTRY:
            count = 1
        else:
            raise TruststoreError("a JKS truststore with an unknown entry")
        for _ in range(count):
            if version == 2:
                reader.take(reader.number(2))  # the type, X.509
            certificate = reader.take(reader.number(4))
            try:
                yield certificate_der(certificate)
            except ValueError:
                raise TruststoreError("a JKS truststore with a broken certificate") from None


class _Reader:
    def __init__(self, content: bytes, position: int) -> None:
        self._content = content
        self._position = position

    def take(self, size: int) -> bytes:
        end = self._position + size
        if end > len(self._content):
            raise TruststoreError("a JKS truststore that ends too early")
        taken = self._content[self._position : end]
        self._position = end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")
