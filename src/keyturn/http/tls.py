"""The TLS side of the HTTPS port: a certificate that was given, or a development CA and certificate of our own."""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from keyturn.config import Settings, SettingsError
from keyturn.jose.client_certificate import read_certificates
from keyturn.jose.truststore import TruststoreError, read_truststore, write_pkcs12_truststore
from keyturn.jose.x509 import (
    DevelopmentTLS,
    Issued,
    certificate_der,
    check_pair,
    development_tls,
    subject_of,
    valid_until,
)

TRUSTSTORE_PASSWORD: Final = "keyturn"
"""Java wants one; it protects nothing, since the truststore holds public certificates only."""

_ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
_CA: Final = "ca.pem"
_CA_KEY: Final = "ca-key.pem"
_CERTIFICATE: Final = "certificate.pem"
_KEY: Final = "key.pem"
_TRUSTSTORE: Final = "truststore.p12"


@dataclass(frozen=True, slots=True)
class Tls:
    """A ready context. With a development certificate, what clients are told to trust."""

    context: ssl.SSLContext = field(repr=False)
    new_context: Callable[[], ssl.SSLContext] = field(repr=False)
    """Makes one more of the same."""
    ca: Path | None = None
    truststore: Path | None = None
    expires: int = 0
    """When the certificate ends, in seconds since the epoch."""
    authorities: tuple[bytes, ...] = ()
    """Those that may say who any client is, in DER."""

    def follow(self, newer: "Tls") -> None:
        """From the next handshake on, clients meet the certificate of `newer`; those that are connected stay so."""

        def choose(connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = newer.context

        # Loaded into the same context, a certificate of another kind of key would stand beside the old one.
        self.context.sni_callback = choose


def open_tls(settings: Settings, data: Path, now: float) -> Tls:
    """The context for the HTTPS port.

    Args:
        data: the data directory; development certificates are kept in ``tls`` below it, keys owner-only.
        now: seconds since the epoch.

    Raises:
        SettingsError: the certificate, key or authorities cannot be used, or a development name is no name.
    """
    authorities = _authorities(settings.https_trust_store_file)
    if settings.tls_certificate is not None and settings.tls_key is not None:
        _check(settings.tls_certificate, settings.tls_key)
        new_context = partial(_context, settings.tls_certificate, settings.tls_key)
        expires = _expiry(settings.tls_certificate)
        return Tls(new_context(), new_context, expires=expires, authorities=authorities)
    directory = data / "tls"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        _make_development(directory, (*_ALWAYS, *settings.tls_development_name), now)
    except OSError as error:
        raise SettingsError(f"the directory {directory} cannot be written to: {error.strerror}") from None
    new_context = partial(_context, directory / _CERTIFICATE, directory / _KEY)
    expires = _expiry(directory / _CERTIFICATE)
    return Tls(new_context(), new_context, directory / _CA, directory / _TRUSTSTORE, expires, authorities)


def _expiry(certificate: Path) -> int:
    return valid_until(certificate_der(certificate.read_bytes()))


def _authorities(file: Path | None) -> tuple[bytes, ...]:
    if file is None:
        return ()
    try:
        authorities = read_certificates(file.read_text())
        for authority in authorities:
            subject_of(authority)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=b"".join(authorities))
        return authorities
    except (ssl.SSLError, ValueError):
        raise SettingsError(f"--https-trust-store-file: {file} is not certificates in PEM") from None
    except OSError as error:
        raise SettingsError(f"--https-trust-store-file: {file} cannot be read: {error.strerror}") from None


def _check(certificate: Path, key: Path) -> None:
    try:
        contents = certificate.read_bytes(), key.read_bytes()
    except OSError as error:
        raise SettingsError(f"the TLS file {error.filename} cannot be read: {error.strerror}") from None
    try:
        check_pair(*contents)
    except ValueError as error:
        raise SettingsError(f"--tls-certificate {certificate} with --tls-key {key}: {error}") from None


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise SettingsError(f"OpenSSL does not take the certificate {certificate}: {reason}") from None
    return context


def _make_development(directory: Path, names: tuple[str, ...], now: float) -> None:
    stored = _read(directory)
    try:
        current = development_tls(stored, names, now=now)
    except ValueError as error:
        raise SettingsError(f"--tls-development-name: {error}") from None
    if current is not stored:
        # Keys first: a crash in between leaves pairs that do not fit, which are made anew, never a key in the open.
        _write(directory / _CA_KEY, current.ca.key)
        _write(directory / _CA, current.ca.certificate, mode=0o644)
        _write(directory / _KEY, current.server.key)
        _write(directory / _CERTIFICATE, current.server.certificate, mode=0o644)
    truststore = directory / _TRUSTSTORE
    if not _holds(truststore, current.ca.certificate):
        _write(truststore, write_pkcs12_truststore([current.ca.certificate], TRUSTSTORE_PASSWORD), mode=0o644)


def _read(directory: Path) -> DevelopmentTLS | None:
    """What an earlier start has left, if it is whole."""
    try:
        ca = Issued((directory / _CA).read_bytes(), (directory / _CA_KEY).read_bytes())
        server = Issued((directory / _CERTIFICATE).read_bytes(), (directory / _KEY).read_bytes())
        check_pair(ca.certificate, ca.key)
        check_pair(server.certificate, server.key)
    except (FileNotFoundError, ValueError):
        return None
    return DevelopmentTLS(ca, server)


def _holds(truststore: Path, certificate: bytes) -> bool:
    try:
        return read_truststore(truststore.read_bytes(), TRUSTSTORE_PASSWORD) == [certificate_der(certificate)]
    except (FileNotFoundError, TruststoreError):
        return False


def _write(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Writes the file whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)
