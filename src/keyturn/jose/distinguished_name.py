"""Distinguished names as people write them (RFC 4514, RFC 2253), and as Java and Bouncy Castle do."""

import re
from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

__all__ = ["InvalidName", "is_named", "written"]

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
    "INITIALS": NameOID.INITIALS,
    "GENERATION": NameOID.GENERATION_QUALIFIER,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "UID": NameOID.USER_ID,
    "E": NameOID.EMAIL_ADDRESS,
    "EMAIL": NameOID.EMAIL_ADDRESS,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
    "ORGANIZATIONIDENTIFIER": NameOID.ORGANIZATION_IDENTIFIER,
}
"""Java's keywords (``javax.security.auth.x500.X500Principal``), in any case."""

_OF_JAVA: Final[Mapping[x509.ObjectIdentifier, str]] = {
    _KEYWORDS[keyword]: keyword
    for keyword in (
        *("CN", "C", "L", "ST", "O", "OU", "T", "STREET", "DC", "DNQ", "SURNAME", "GIVENNAME", "INITIALS"),
        *("GENERATION", "EMAILADDRESS", "UID", "SERIALNUMBER"),
    )
}
"""What Java writes, which has ``OID.`` and the number for all else (``sun.security.x509.AVAKeyword``)."""

_ATTRIBUTE: Final = re.compile(
    r"\s*+(?P<key>[A-Za-z][A-Za-z0-9]*+|(?:[Oo][Ii][Dd]\.)?[0-9]++(?:\.[0-9]++)++)\s*+=\s*+"
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>(?:[^\s,;+"\\#]|\\.)(?:[^,;+"\\]|\\.)*+)?+)\s*+(?P<end>[,;+]|$)',
    re.DOTALL,
)
_ESCAPES: Final = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(r'([,+"\\<>;])')
_QUOTED_BY_JAVA: Final = re.compile(r'[,+=\n<>#;\\"]|^ | $|  ')


class InvalidName(ValueError):
    """A text that is no distinguished name."""


def is_named(name: x509.Name, expected: str) -> bool:
    """Whether `name` is exactly the one that `expected` writes: part by part, in this order, case counts.

    Raises:
        InvalidName: `expected` is no name.
    """
    return _parsed(expected) == [{(a.oid.dotted_string, str(a.value)) for a in rdn} for rdn in reversed(name.rdns)]


def written(name: x509.Name) -> tuple[str, ...]:
    """`name` as programs write it, for patterns: in the order of the certificate, as Bouncy Castle does, which
    Keycloak's patterns meet behind a proxy; in the opposite one, as RFC 4514 says; and as Java does
    (``X500Principal.toString``), which they meet where Keycloak ends TLS itself.
    """
    names = ["+".join(f"{a.rfc4514_attribute_name}={_escaped(str(a.value))}" for a in rdn) for rdn in name.rdns]
    java = [" + ".join(f"{_java_keyword(a.oid)}={_quoted(str(a.value))}" for a in rdn) for rdn in name.rdns]
    return ",".join(names), ",".join(reversed(names)), ", ".join(reversed(java))


_Name = list[set[tuple[str, str]]]
"""The last part first, as names are written."""


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


def _java_keyword(oid: x509.ObjectIdentifier) -> str:
    return _OF_JAVA.get(oid) or f"OID.{oid.dotted_string}"


def _quoted(value: str) -> str:
    if not _QUOTED_BY_JAVA.search(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
