"""Certificates as clients have them, and as proxies pass them on."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.realm import NOW


def certificate(common_name: str = "backend", organization: str = "Acme, Inc", *, days: int = 30) -> x509.Certificate:
    """A self-signed certificate of ``C=DE``, good from yesterday on for `days`."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.fromtimestamp(NOW, UTC)
    start = now - timedelta(days=abs(days) + 1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(start).not_valid_after(now + timedelta(days=days))
    return builder.sign(key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> str:
    """PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def rfc9440(certificate: x509.Certificate) -> dict[str, str]:
    """``Client-Cert``."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    return {"Client-Cert": f":{b64encode(der).decode()}:"}


def nginx(certificate: x509.Certificate, verified: str = "SUCCESS") -> dict[str, str]:
    """``$ssl_client_escaped_cert`` and ``$ssl_client_verify``."""
    return {"ssl-client-verify": verified, "ssl-client-cert": quote(pem(certificate))}


def haproxy(certificate: x509.Certificate, verified: str = "0") -> dict[str, str]:
    """``ssl_c_der,base64`` and ``ssl_c_verify``."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    return {"ssl-client-verify": verified, "ssl-client-cert": b64encode(der).decode()}


def envoy(certificate: x509.Certificate, before: str = "") -> dict[str, str]:
    """``X-Forwarded-Client-Cert``."""
    element = f'Hash=00;Cert="{quote(pem(certificate), safe="")}";Subject="O=\\"Acme, Inc\\";CN=backend";URI='
    return {"X-Forwarded-Client-Cert": before + element}
