"""Certificates that the scenarios' clients show over TLS, and the authority that both servers believe about them."""

import base64
import datetime as dt
import ssl
import tempfile
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = dt.timedelta(days=1)
SELF_SIGNED = "self"
STRANGER = "stranger"


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form)


class Authority:
    """Issues clients' certificates. Both servers have it in their trust store."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate, self.key = certificate, key

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """The one whose certificate and key, in PEM, are in a file. Raises OSError, ValueError."""
        content = path.read_bytes()
        key = serialization.load_pem_private_key(content, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{path} has no key of an elliptic curve")
        return cls(x509.load_pem_x509_certificate(content), key)

    @classmethod
    def new(cls, subject: str = "CN=Authority,O=Parity,C=DE") -> Self:
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name.from_rfc4514_string(subject)
        builder = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        return cls(builder.sign(key, hashes.SHA256()), key)

    @property
    def pem(self) -> str:
        return _pem(self.certificate).decode()


class ClientCertificate:
    """A certificate made for one run of a scenario, with its key.

    Args:
        declared: ``subject`` (RFC 4514); ``by``, who has signed it: the servers' authority unless it is ``self`` or
            ``stranger``, which they have not heard of; ``dns``, names beside the subject; ``ended``, if it has.
    """

    def __init__(self, declared: dict[str, Any], authority: Authority) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name.from_rfc4514_string(declared["subject"])
        by = declared.get("by")
        if by == STRANGER:
            authority = Authority.new("CN=Stranger")
        issuer, signer = (subject, key) if by == SELF_SIGNED else (authority.certificate.subject, authority.key)
        builder = _builder(subject, issuer, key, ended=bool(declared.get("ended")))
        if "dns" in declared:
            names = [x509.DNSName(name) for name in declared["dns"]]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        self._certificate = builder.sign(signer, hashes.SHA256())
        self._key = key

    def names(self, prefix: str) -> dict[str, Any]:
        """What scenarios can say of it: cert (Base64 DER), pem, and x5t, the thumbprint that tokens are bound to."""
        digest = self._certificate.fingerprint(hashes.SHA256())
        return {
            f"{prefix}.cert": base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode(),
            f"{prefix}.pem": _pem(self._certificate).decode(),
            f"{prefix}.x5t": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        }

    def context(self) -> ssl.SSLContext:
        """What connects with it."""
        context = without_certificate()
        with tempfile.NamedTemporaryFile() as file:
            file.write(_pkcs8(self._key) + _pem(self._certificate))
            file.flush()
            context.load_cert_chain(file.name)
        return context


def without_certificate() -> ssl.SSLContext:
    """What connects without one: servers on loopback have certificates of their own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, ended: bool = False
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(now - 3 * DAY).not_valid_after(now - DAY if ended else now + 30 * DAY)
