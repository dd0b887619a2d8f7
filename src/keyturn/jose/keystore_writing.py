"""Writes Java's keystores: a client's key and certificate, and the realm's certificate beside it."""

from collections.abc import Callable, Mapping
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from keyturn.jose import keystore
from keyturn.jose.keystore import Entry, KeystoreError

__all__ = ["write_jks", "write_pkcs12"]

_MAGIC_AND_VERSION: Final = b"\xfe\xed\xfe\xed\x00\x00\x00\x02"
_KEY, _CERTIFICATE = (1).to_bytes(4, "big"), (2).to_bytes(4, "big")
_SALT: Final = 20


def write_jks(
    entries: Mapping[str, Entry], *, store_password: str, key_password: str, now: float, random: Callable[[int], bytes]
) -> bytes:
    """A keystore of Sun's own format with `entries` by name. `now` in seconds since the epoch.

    The format protects keys with SHA-1 alone: Java reads it, and nobody should keep it. Prefer PKCS #12.
    """
    content = _MAGIC_AND_VERSION + len(entries).to_bytes(4, "big")
    date = int(now * 1000).to_bytes(8, "big")
    for name, entry in entries.items():
        certificate = _sized(b"X.509", 2) + _sized(entry.certificate or b"", 4)
        head = _sized(name.lower().encode(), 2) + date
        if entry.private_key is None:
            content += _CERTIFICATE + head + certificate
        else:
            protected = keystore.protect(entry.private_key, key_password, random(_SALT))
            content += _KEY + head + _sized(protected, 4) + (1).to_bytes(4, "big") + certificate
    return content + keystore.jks_digest(content, store_password)


def write_pkcs12(entries: Mapping[str, Entry], *, store_password: str) -> bytes:
    """A PKCS #12 keystore with `entries` by name; one of them at most has a key. Its password is that of the store.

    Raises:
        KeystoreError: an empty password, or a key that is none.
    """
    if not store_password:
        raise KeystoreError("PKCS #12 takes no empty password")
    protection = serialization.BestAvailableEncryption(store_password.encode())
    holders = {
        name: pkcs12.PKCS12Certificate(x509.load_der_x509_certificate(entry.certificate or b""), name.encode())
        for name, entry in entries.items()
    }
    owned = next(((name, entry.private_key) for name, entry in entries.items() if entry.private_key is not None), None)
    if owned is None:
        return pkcs12.serialize_java_truststore(list(holders.values()), protection)
    name, private_key = owned
    try:
        key = serialization.load_der_private_key(private_key, None)
    except ValueError:
        raise KeystoreError("not a private key") from None
    others = [holder for other, holder in holders.items() if other != name]
    return pkcs12.serialize_key_and_certificates(
        name.encode(),
        key,  # type: ignore[arg-type]  # RSA, EC and Edwards keys are what realms and clients have
        holders[name].certificate,
        others,
        protection,
    )


def _sized(content: bytes, size: int) -> bytes:
    return len(content).to_bytes(size, "big") + content
