"""A client's certificate, as somebody who ended its TLS connection has passed it on: who it names, and its thumbprint.

Does NOT verify its chain: whoever ended the connection has.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from keyturn.jose import base64url
from keyturn.jose.x509 import certificate_der

__all__ = ["ClientCertificate", "InvalidName", "read_certificate"]

_KEYWORDS: Final = {
    "CN": NameOID.COMMON_NAME,
    "C": NameOID.COUNTRY_NAME,
    "L": NameOID.LOCALITY_NAME,
    "S": NameOID.STATE_OR_PROVINCE_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "T": NameOID.TITLE,
    "STREET": NameOID.STREET_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
    "DNQ": NameOID.DN_QUALIFIER,
    "DNQUALIFIER": NameOID.DN_QUALIFIER,
    "SURNAME": NameOID.SURNAME,
    "GIVENNAME": NameOID.GIVEN_NAME,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "UID": NameOID.USER_ID,
    "E": NameOID.EMAIL_ADDRESS,
    "EMAIL": NameOID.EMAIL_ADDRESS,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
    "ORGANIZATIONIDENTIFIER": NameOID.ORGANIZATION_IDENTIFIER,
}
"""Java's keywords (``javax.security.auth.x500.X500Principal``), in any case."""

_ATTRIBUTE: Final = re.compile(
    r"\s*+(?P<key>[A-Za-z][A-Za-z0-9]*+|(?:[Oo][Ii][Dd]\.)?[0-9]++(?:\.[0-9]++)++)\s*+=\s*+"
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>(?:[^\s,;+"\\#]|\\.)(?:[^,;+"\\]|\\.)*+)?+)\s*+(?P<end>[,;+]|$)',
    re.DOTALL,
)
_ESCAPES: Final = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(r'([,+"\\<>;])')


class InvalidName(ValueError):
    """A text that is no distinguished name."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate. Made by ``read_certificate``."""

    thumbprint: str
    """``x5t#S256`` (RFC 8705 §3.1)."""
    _certificate: x509.Certificate = field(repr=False)

    def is_valid_at(self, now: float) -> bool:
        """Whether `now` (seconds since the epoch) is within its times."""
        moment = datetime.fromtimestamp(now, UTC)
        return self._certificate.not_valid_before_utc <= moment <= self._certificate.not_valid_after_utc

    def has_subject(self, expected: str) -> bool:
        """Whether it names exactly this subject (RFC 4514, RFC 2253). Raises InvalidName."""
        return _parsed(expected) == _of(self._certificate.subject)

    def has_issuer(self, expected: str) -> bool:
        """Whether it names exactly this issuer. Raises InvalidName."""
        return _parsed(expected) == _of(self._certificate.issuer)

    def subject_texts(self) -> tuple[str, ...]:
        """The subject as programs write it, for patterns: in the order of the certificate as Bouncy Castle does, which
        Keycloak's patterns meet behind a proxy; and in the opposite one, as RFC 4514 says and as Java does.
        """
        names = [
            "+".join(f"{a.rfc4514_attribute_name}={_escaped(str(a.value))}" for a in rdn)
            for rdn in self._certificate.subject.rdns
        ]
        java = [
            " + ".join(f"{a.rfc4514_attribute_name}={_quoted(str(a.value))}" for a in rdn)
            for rdn in self._certificate.subject.rdns
        ]
        return ",".join(names), ",".join(reversed(names)), ", ".join(reversed(java))


def read_certificate(content: bytes | str) -> ClientCertificate:
    """The certificate in `content`: DER, PEM or base64 DER.

    Raises:
        ValueError: it is none.
    """
    is_der = isinstance(content, bytes) and content[:1] == b"\x30"
    try:
        der = content if is_der and isinstance(content, bytes) else certificate_der(content)
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        raise ValueError("no certificate") from None
    return ClientCertificate(base64url.encode(hashlib.sha256(der).digest()).decode(), certificate)


_Name = list[set[tuple[str, str]]]


def _of(name: x509.Name) -> _Name:
    """The last part first, as names are written."""
    return [{(a.oid.dotted_string, str(a.value)) for a in rdn} for rdn in reversed(list(name.rdns))]


def _parsed(text: str) -> _Name:
    parts: _Name = []
    position, joined = 0, False
    while True:
        match = _ATTRIBUTE.match(text, position)
        if match is None:
            raise InvalidName("no distinguished name")
        key = match["key"]
        known = _KEYWORDS.get(key.upper())
        if known is None and "." not in key:
            raise InvalidName("an unknown keyword")
        oid = known.dotted_string if known is not None else key.upper().removeprefix("OID.")
        value = match["quoted"] if match["quoted"] is not None else _stripped(match["plain"] or "")
        if joined:
            parts[-1].add((oid, _unescaped(value)))
        else:
            parts.append({(oid, _unescaped(value))})
        joined, position = match["end"] == "+", match.end()
        if not match["end"]:
            return parts


def _stripped(value: str) -> str:
    """Without blanks at its end, but for one that is escaped."""
    stripped = value.rstrip()
    escaped = (len(stripped) - len(stripped.rstrip("\\"))) % 2 and len(stripped) < len(value)
    return stripped + value[len(stripped)] if escaped else stripped


def _unescaped(value: str) -> str:
    def plain(match: re.Match[str]) -> str:
        if match[1] is not None:
            return match[1]
        try:
            return bytes.fromhex(match[0].replace("\\", "")).decode()
        except UnicodeDecodeError:
            raise InvalidName("escapes that are no text") from None

    return _ESCAPES.sub(plain, value)


def _escaped(value: str) -> str:
    return _SPECIAL.sub(r"\\\1", value)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if _SPECIAL.search(value) else value
