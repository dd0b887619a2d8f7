"""What kcadm trusts over TLS: the certificates of a truststore, else those of the system."""

import ssl
from pathlib import Path

from keyturn.cli.kcadm.errors import KcadmError

__all__ = ["context", "is_pem"]


def is_pem(path: str) -> bool:
    """Whether the file at `path` is PEM, which needs no password."""
    try:
        return b"-----BEGIN CERTIFICATE-----" in Path(path).read_bytes()
    except OSError:
        return False


def context(truststore: str | None, password: str | None, *, verify: bool) -> ssl.SSLContext:
    """What a connection is checked with: the chain and the name, against `truststore` alone where there is one.

    Without `verify` nothing is checked.

    Raises:
        KcadmError: the truststore cannot be read, or its password is wrong.
    """
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    result.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        result.check_hostname = False
        result.verify_mode = ssl.CERT_NONE
    elif truststore is None:
        result.load_default_certs()
    else:
        # A certificate that is trusted itself ends the chain, as it does in Java, though it is no authority's.
        result.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        result.load_verify_locations(cadata=_trusted(truststore, password))
    return result


def _trusted(path: str, password: str | None) -> bytes | str:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise KcadmError(f"Failed to load truststore: {path}") from error
    if b"-----BEGIN CERTIFICATE-----" in content:
        return content.decode("latin-1")
    # Only Java's formats need it, and importing cryptography takes as long as all the rest.
    from keyturn.jose.truststore import TruststoreError, read_truststore

    try:
        certificates = read_truststore(content, password)
    except TruststoreError as error:
        raise KcadmError(f"Failed to load truststore: {path}") from error
    if not certificates:
        raise KcadmError(f"Failed to load truststore: {path}")
    return b"".join(certificates)
