"""A client's certificate, from whoever ended its TLS connection: who it names, who vouches for it, its thumbprint."""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from keyturn.jose import base64url
from keyturn.jose.certificate_path import LONGEST, top_of_path
from keyturn.jose.distinguished_name import InvalidName, is_named, written
from keyturn.jose.x509 import certificate_der

__all__ = ["AlternativeName", "ClientCertificate", "InvalidName", "read_certificate", "read_certificates"]

AlternativeName: TypeAlias = Literal["dns", "uri", "ip", "email"]
"""Kinds of names beside the subject (RFC 8705 §2.1.2)."""

_DER: Final = serialization.Encoding.DER
_LARGEST: Final = 8 * 1024
"""Bytes of a certificate that may be part of a path."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate, whose private key the client holds. Made by ``read_certificate``."""

    thumbprint: str
    """``x5t#S256`` (RFC 8705 §3.1)."""
    _certificate: x509.Certificate = field(repr=False)
    _others: tuple[bytes, ...] = field(default=(), repr=False)
    """Those that came with it, in DER, which prove nothing by themselves."""
    _top: x509.Certificate | None = field(default=None, repr=False)
    """The last one of the path that somebody vouches for, which may be the certificate itself."""
    _of_connection: bool = False

    @property
    def vouched_for(self) -> bool:
        """Whether somebody whom the whole server trusts has verified who it names."""
        return self._top is not None

    def under(self, authorities: tuple[bytes, ...], now: float) -> "ClientCertificate":
        """The same, with `authorities` (DER) alone to vouch for it.

        See ``certificate_path.top_of_path`` for what is checked. `now` is seconds since the epoch.
        """
        top = top_of_path(self._certificate.public_bytes(_DER), self._others, authorities, now)
        return replace(self, _top=None if top is None else x509.load_der_x509_certificate(top))

    def is_valid_at(self, now: float) -> bool:
        """Whether `now` (seconds since the epoch) is within its times."""
        moment = datetime.fromtimestamp(now, UTC)
        return self._certificate.not_valid_before_utc <= moment <= self._certificate.not_valid_after_utc

    @property
    def valid_until(self) -> float:
        """The last second of its times, since the epoch."""
        return self._certificate.not_valid_after_utc.timestamp()

    def has_subject(self, expected: str) -> bool:
        """Whether it names exactly this subject (RFC 4514, RFC 2253). Raises InvalidName."""
        return is_named(self._certificate.subject, expected)

    def has_issuer(self, expected: str) -> bool:
        """Whether the path that somebody vouches for leads to this issuer. Raises InvalidName.

        It is the one that issued the last certificate of the path, which may be the authority itself. Source: Keycloak
        ``X509ClientAuthenticator``.
        """
        return is_named((self._top or self._certificate).issuer, expected)

    def has_alternative_name(self, kind: AlternativeName, expected: str) -> bool:
        """Whether `expected` is one of its names in ``subjectAltName`` (RFC 8705 §2.1.2).

        Hosts are compared regardless of case, addresses as addresses, all else letter by letter; no wildcards.
        """
        try:
            names = self._certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
            return False
        match kind:
            case "dns":
                return expected.lower() in {name.lower() for name in names.get_values_for_type(x509.DNSName)}
            case "uri":
                return expected in names.get_values_for_type(x509.UniformResourceIdentifier)
            case "ip":
                try:
                    return ipaddress.ip_address(expected) in names.get_values_for_type(x509.IPAddress)
                except ValueError:
                    return False
            case "email":
                return _mailbox(expected) in map(_mailbox, names.get_values_for_type(x509.RFC822Name))

    def subject_texts(self) -> tuple[str, ...]:
        """The subject as programs write it, for patterns: as Keycloak does, for one of the connection itself; else in
        every way, since clients may come from a Keycloak behind a proxy or before it.
        """
        texts = written(self._certificate.subject)
        return texts[-1:] if self._of_connection else texts


def read_certificate(
    content: bytes | str, others: Sequence[bytes] = (), *, of_connection: bool = False
) -> ClientCertificate:
    """The certificate in `content`: DER, PEM or base64 DER.

    Args:
        others: what came with it, in DER: nothing of it counts before a path is found, which has so many at most.
        of_connection: whether it is that of the connection, for which nobody vouches yet; else somebody whom we trust
            has passed it on, who has verified it.

    Raises:
        ValueError: it is none.
    """
    is_der = isinstance(content, bytes) and content[:1] == b"\x30"
    try:
        der = content if is_der and isinstance(content, bytes) else certificate_der(content)
        certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        raise ValueError("no certificate") from None
    thumbprint = base64url.encode(hashlib.sha256(der).digest()).decode()
    # More than a path can have only cost memory, and time to look through.
    likely = tuple(other for other in others if len(other) <= _LARGEST)[:LONGEST]
    return ClientCertificate(thumbprint, certificate, likely, None if of_connection else certificate, of_connection)


def read_certificates(content: str) -> tuple[bytes, ...]:
    """The certificates of a PEM text, or the one of bare base64, in DER.

    Raises:
        ValueError: none, or broken ones.
    """
    try:
        if "-----BEGIN" not in content:
            return (certificate_der(content),)
        return tuple(one.public_bytes(_DER) for one in x509.load_pem_x509_certificates(content.encode()))
    except (ValueError, x509.InvalidVersion):
        raise ValueError("no certificates") from None


def _mailbox(address: str) -> str:
    local, at, host = address.rpartition("@")
    return local + at + host.lower()
