"""Certificates: self-signed ones of realm keys, and those of development TLS (RFC 5280)."""

import ipaddress
from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keyturn.jose.signature import PrivateMaterial

__all__ = [
    "DevelopmentTLS",
    "Issued",
    "Subject",
    "certificate_der",
    "certificate_names",
    "check_pair",
    "der",
    "development_ca",
    "development_certificate",
    "development_tls",
    "public_key_of",
    "self_signed",
    "subject_of",
    "valid_until",
]

Subject: TypeAlias = tuple[frozenset[tuple[str, str]], ...]
"""Parts of a name, each of which has attributes and their values."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_CA_LIFETIME: Final = timedelta(days=3650)
_CERTIFICATE_LIFETIME: Final = timedelta(days=397)  # what browsers accept
_RENEW_BEFORE: Final = timedelta(days=60)
_BACKDATED: Final = timedelta(minutes=5)  # for clients whose clock is behind
_MAXIMUM_COMMON_NAME: Final = 64  # RFC 5280 appendix A.1
_KEYCLOAK_BACKDATED: Final = timedelta(seconds=100)
_EVERY_ADDRESS: Final = (ipaddress.IPv4Network("0.0.0.0/0"), ipaddress.IPv6Network("::/0"))


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key (PKCS #8, not encrypted), both in PEM. Whoever stores the key makes the file
    owner-only.
    """

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DevelopmentTLS:
    """A development CA and the server certificate that it issued."""

    ca: Issued
    server: Issued


def self_signed(key: PrivateMaterial, common_name: str, *, now: float, years: int = 10) -> bytes:
    """A self-signed certificate for `key`, in DER, valid for so many years from `now` (seconds since the epoch).

    Like Keycloak's (``CertificateUtils.generateV1SelfSignedCertificate``): no extensions, dated 100 seconds back, the
    serial number is the time in milliseconds. X.509 version 3, where Keycloak writes version 1; of a longer common name
    the first 64 characters.

    Raises:
        ValueError: the common name is empty, a shared secret instead of a key, or more years than there are.
    """
    if isinstance(key, bytes):
        raise ValueError("a shared secret takes no certificate")
    start = _time(now)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_MAXIMUM_COMMON_NAME])])
    edwards = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(max(1, int(now * 1000)))
        .not_valid_before(start - _KEYCLOAK_BACKDATED)
        .not_valid_after(_years_after(start, years))
    )
    return builder.sign(key, None if edwards else hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def development_ca(names: Sequence[str], *, now: float) -> Issued:
    """A CA for development that can vouch for `names` (DNS names and IP addresses) and those below them only.

    Its critical name constraints make it harmless to trust: it can issue for nothing else, and only for TLS servers.

    Raises:
        ValueError: no DNS name among `names`, or one that is neither a DNS name nor an address.
    """
    addresses, dns_names = _split(names)
    if not dns_names:
        raise ValueError("a development CA needs a DNS name")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "keyturn"),
            # Two CAs of one name confuse those who trust both: openssl finds issuers by name.
            x509.NameAttribute(NameOID.COMMON_NAME, f"keyturn development CA {x509.random_serial_number() % 10**8:08}"),
        ]
    )
    networks = [ipaddress.ip_network(address) for address in addresses]
    permitted = [*map(x509.DNSName, dns_names), *map(x509.IPAddress, networks)]
    excluded = [x509.IPAddress(every) for every in _EVERY_ADDRESS if every.version not in {n.version for n in networks}]
    start = _time(now)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _BACKDATED)
        .not_valid_after(start + _CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, excluded or None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _issued(builder.sign(key, hashes.SHA256()), key)


def development_certificate(ca: Issued, names: Sequence[str], *, now: float) -> Issued:
    """A TLS server's certificate for `names`, issued by `ca`.

    Does NOT check that the CA may vouch for them: ``development_tls`` does.

    Raises:
        ValueError: no name, one that is neither a DNS name nor an address, or `ca` is broken.
    """
    addresses, dns_names = _split(names)
    issuer = x509.load_pem_x509_certificate(ca.certificate)
    issuer_key = cast("ec.EllipticCurvePrivateKey", serialization.load_pem_private_key(ca.key, None))
    key = ec.generate_private_key(ec.SECP256R1())
    start = _time(now)
    alternatives = [*map(x509.DNSName, dns_names), *map(x509.IPAddress, addresses)]
    issuer_identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateBuilder()
        # No common name: a name too long for it is legal, and nobody may read it any more (RFC 9525 §2).
        .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "keyturn development")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(start - _BACKDATED, issuer.not_valid_before_utc))
        .not_valid_after(min(start + _CERTIFICATE_LIFETIME, issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_identifier), critical=False
        )
    )
    return _issued(builder.sign(issuer_key, hashes.SHA256()), key)


def development_tls(stored: DevelopmentTLS | None, names: Sequence[str], *, now: float) -> DevelopmentTLS:
    """What a server should use now: `stored` itself while it serves, else with what had to be made anew.

    The CA stays as long as it may vouch for all `names` and outlives a server certificate's renewal; the server's
    certificate stays while it has exactly `names` and 60 days to go. A new CA means that clients must be told to trust
    it.

    Raises:
        ValueError: as for ``development_ca``.
    """
    ca = stored.ca if stored is not None and _may_vouch(stored.ca, names, now) else development_ca(names, now=now)
    if stored is not None and ca is stored.ca and _serves(stored.server, ca, names, now):
        return stored
    return DevelopmentTLS(ca, development_certificate(ca, names, now=now))


def certificate_names(certificate: bytes | str) -> list[str]:
    """The DNS names and IP addresses of a certificate's subjectAltName; empty without one.

    Raises:
        ValueError: not a certificate in PEM or DER.
    """
    return _names(x509.load_der_x509_certificate(certificate_der(certificate)))


def certificate_der(certificate: bytes | str) -> bytes:
    """A certificate (the first one of a PEM text, bare base64 DER, or DER) as DER.

    Raises:
        ValueError: not a certificate.
    """
    content = certificate.encode() if isinstance(certificate, str) else certificate
    decoded = content if content.startswith(b"\x30") else der(content)
    if decoded is None:
        return x509.load_pem_x509_certificate(content).public_bytes(serialization.Encoding.DER)
    return x509.load_der_x509_certificate(decoded).public_bytes(serialization.Encoding.DER)


def public_key_of(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo, in DER, of a certificate in DER.

    Raises:
        ValueError: not a certificate, or a key of an unknown type.
    """
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except UnsupportedAlgorithm:
        raise ValueError("a key of an unknown type") from None
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def valid_from(certificate: bytes) -> int:
    """When a certificate in DER begins, in seconds since the epoch. Raises ValueError."""
    return int(x509.load_der_x509_certificate(certificate).not_valid_before_utc.timestamp())


def valid_until(certificate: bytes) -> int:
    """When a certificate in DER expires, in seconds since the epoch.

    Raises:
        ValueError: not a certificate.
    """
    return int(x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp())


def check_pair(certificate: bytes, key: bytes) -> None:
    """That `key` (PEM, not encrypted) belongs to `certificate` (PEM, the first of a chain).

    Raises:
        ValueError: saying which of the two is broken, or that they do not belong together.
    """
    try:
        owner = public_key_of(certificate_der(certificate))
    except ValueError:
        raise ValueError("the certificate is not a certificate in PEM") from None
    try:
        loaded = serialization.load_pem_private_key(key, None)
    except TypeError:
        raise ValueError("the key is encrypted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("the key is not a private key in PEM") from None
    if not isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError("the key is not an RSA, EC or Ed25519 key")
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if loaded.public_key().public_bytes(*form) != owner:
        raise ValueError("the key is not the certificate's")


def der(text: bytes | str) -> bytes | None:
    """The octets of bare base64, as Keycloak writes keys and certificates; None where `text` is something else, such as
    PEM.
    """
    content = text.encode() if isinstance(text, str) else text
    try:
        return b64decode(b"".join(content.split()), validate=True)
    except Error:
        return None


def _may_vouch(ca: Issued, names: Iterable[str], now: float) -> bool:
    certificate = x509.load_pem_x509_certificate(ca.certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = {
        str(name.value).removesuffix("/32").removesuffix("/128") for name in constraints.permitted_subtrees or ()
    }
    current = certificate.not_valid_before_utc <= _time(now) <= certificate.not_valid_after_utc - _RENEW_BEFORE
    return current and set(_normal(names)) <= permitted


def _serves(server: Issued, ca: Issued, names: Iterable[str], now: float) -> bool:
    certificate = x509.load_pem_x509_certificate(server.certificate)
    issuer = x509.load_pem_x509_certificate(ca.certificate)
    current = certificate.not_valid_before_utc <= _time(now) <= certificate.not_valid_after_utc - _RENEW_BEFORE
    return current and certificate.issuer == issuer.subject and set(_names(certificate)) == set(_normal(names))


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = alternatives.get_values_for_type(x509.IPAddress)
    return [*alternatives.get_values_for_type(x509.DNSName), *map(str, addresses)]


def _normal(names: Iterable[str]) -> list[str]:
    addresses, dns_names = _split(names)
    return [*dns_names, *map(str, addresses)]


def _split(names: Iterable[str]) -> tuple[list[_Address], list[str]]:
    addresses: dict[_Address, None] = {}
    dns_names: dict[str, None] = {}
    for name in names:
        try:
            addresses[ipaddress.ip_address(name)] = None
        except ValueError:
            ascii_name = name.lower().rstrip(".").encode("idna").decode()  # UnicodeError is a ValueError
            if not ascii_name.replace(".", "").replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"neither a DNS name nor an IP address: {name!r}") from None
            dns_names[ascii_name] = None
    if not addresses and not dns_names:
        raise ValueError("a certificate needs a name")
    return list(addresses), list(dns_names)


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issued(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Issued:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return Issued(certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(*form))


def _time(now: float) -> datetime:
    return datetime.fromtimestamp(int(now), UTC)


def _years_after(start: datetime, years: int) -> datetime:
    try:
        return start.replace(year=start.year + years)
    except ValueError:  # the 29th of February
        return start.replace(year=start.year + years, day=28)


def subject_of(certificate: bytes) -> Subject:
    """The subject of a certificate in DER. Raises ValueError: it is none, or its subject cannot be read.

    Those are equal that OpenSSL takes for the same name (``X509_NAME_cmp``): it regards neither case nor blanks, nor
    what kind of string a value is.
    """
    try:
        name = x509.load_der_x509_certificate(certificate).subject
    except x509.InvalidVersion:
        raise ValueError("no certificate") from None
    return tuple(frozenset((each.oid.dotted_string, _alike(each.value)) for each in part) for part in name.rdns)


def _alike(value: str | bytes) -> str:
    return " ".join(value.split()).lower() if isinstance(value, str) else value.hex()
