"""Authorities that issue certificates, and who holds them: with keys, so that they can be shown over TLS."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENTS, SERVERS = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
LONG_AGO, LONG_FROM_NOW = datetime(2020, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Holder:
    """A certificate and its key; `chain` is what is sent with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def files(self, directory: Path) -> tuple[Path, Path]:
        """The certificate with its chain, and the key, as files."""
        name = str(self.certificate.serial_number)
        certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
        sent = (self.certificate, *self.chain)
        certificate.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in sent))
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key.write_bytes(self.key.private_bytes(*form))
        return certificate, key

    def context(self, directory: Path, trusted: Path) -> ssl.SSLContext:
        """What connects with it, to servers that `trusted` vouches for."""
        context = ssl.create_default_context(cafile=str(trusted))
        context.load_cert_chain(*self.files(directory))
        return context


class Authority(Holder):
    """An authority, self-signed or under another one."""

    def issue(
        self,
        common_name: str,
        *names: x509.GeneralName,
        usage: Sequence[x509.ObjectIdentifier] = (CLIENTS,),
        until: datetime = LONG_FROM_NOW,
    ) -> Holder:
        """A certificate for ``CN=common_name``, ``O=Acme``."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(common_name), self.certificate.subject, key, until)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        chain = (self.certificate, *self.chain) if self.certificate.issuer != self.certificate.subject else ()
        return Holder(builder.sign(self.key, hashes.SHA256()), key, chain)

    def authority(self, common_name: str) -> "Authority":
        """An authority under this one."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(common_name), self.certificate.subject, key, LONG_FROM_NOW)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return Authority(builder.sign(self.key, hashes.SHA256()), key)


def authority(common_name: str = "Acme CA") -> Authority:
    """A self-signed authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(common_name), _name(common_name), key, LONG_FROM_NOW)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def self_signed(common_name: str = "own", *, until: datetime = LONG_FROM_NOW) -> Holder:
    """A certificate that nobody has issued but its holder."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Holder(_builder(_name(common_name), _name(common_name), key, until).sign(key, hashes.SHA256()), key)


def _name(common_name: str) -> x509.Name:
    acme, own = NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME
    return x509.Name([x509.NameAttribute(acme, "Acme"), x509.NameAttribute(own, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime
) -> x509.CertificateBuilder:
    serial = x509.random_serial_number()
    start = min(LONG_AGO, until - timedelta(days=1))
    return x509.CertificateBuilder(issuer, subject, key.public_key(), serial, start, until)
