"""Whom a client's certificate names, as administrators write it (RFC 4514, and what Java takes)."""

import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from harness.authority import authority, self_signed
from harness.certificates import certificate, pem
from harness.realm import NOW
from keyturn.jose import base64url
from keyturn.jose.client_certificate import InvalidName, read_certificate, read_certificates

SHOWN = certificate()
READ = read_certificate(pem(SHOWN))


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("CN=backend,O=Acme\\, Inc,C=DE", True),
        ('CN=backend, O="Acme, Inc", C=DE', True),
        ("cn=backend,o=Acme\\, Inc,c=DE", True),
        (" CN = backend , O=Acme\\, Inc , C=DE", True),
        ("CN=backend;O=Acme\\2C Inc;C=DE", True),
        ("2.5.4.3=backend,OID.2.5.4.10=Acme\\, Inc,C=DE", True),
        ("C=DE,O=Acme\\, Inc,CN=backend", False),
        ("CN=backend", False),
        ("CN=Backend,O=Acme\\, Inc,C=DE", False),
        ("CN=backend+O=Acme\\, Inc,C=DE", False),
        ("CN=backend,O=Acme\\, Inc,C=DE,C=DE", False),
    ],
)
def test_a_name_is_compared_part_by_part(name: str, same: bool) -> None:
    assert READ.has_subject(name) is same
    assert READ.has_issuer(name) is same


@pytest.mark.parametrize("text", ["", "garbage", "=x", "CN=a,", "CN=a,,C=b", "FOO=x", "CN=#04", 'CN="a', "(.*?)CN=x"])
def test_what_is_no_name_is_told_from_another_one(text: str) -> None:
    with pytest.raises(InvalidName):
        READ.has_subject(text)


def test_it_is_known_by_its_thumbprint_and_good_for_a_while() -> None:
    assert READ.thumbprint == base64url.encode(SHOWN.fingerprint(hashes.SHA256())).decode()
    assert READ.is_valid_at(NOW)
    assert not READ.is_valid_at(NOW + 31 * 86400)
    assert not READ.is_valid_at(NOW - 40 * 86400)


def test_patterns_meet_its_name_in_both_orders() -> None:
    assert READ.subject_texts() == (
        "C=DE,O=Acme\\, Inc,CN=backend",
        "CN=backend,O=Acme\\, Inc,C=DE",
        'CN=backend, O="Acme, Inc", C=DE',
    )


@pytest.mark.parametrize("content", ["", "x", b"\x30", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_is_none(content: str | bytes) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        read_certificate(content)


def test_what_has_a_version_that_there_is_not_is_none() -> None:
    der = SHOWN.public_bytes(serialization.Encoding.DER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01")
    with pytest.raises(ValueError, match="no certificate"):
        read_certificate(der)
    with pytest.raises(ValueError, match="no certificates"):
        read_certificates(ssl.DER_cert_to_PEM_cert(der))


def test_a_path_is_not_looked_for_among_more_than_it_can_have() -> None:
    root = authority("Root")
    twisted = root.der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03")
    assert not read_certificate(root.issue("a").der, [twisted], of_connection=True).under((root.der,), NOW).vouched_for
    inner = root.authority("Inner")
    leaf, junk = inner.issue("backend"), [self_signed().der] * 5
    for sent, found in (
        ([inner.der, *junk], True),
        ([*junk, inner.der], False),
        ([b"\0" * 9000] * 9 + [inner.der], True),
    ):
        held = read_certificate(leaf.der, sent, of_connection=True)
        assert held.under((root.der,), NOW).vouched_for is found


def test_a_certificate_whose_extensions_come_twice_has_no_names() -> None:
    holder = authority().issue("twice", x509.DNSName("twice.example"), usage=())
    extension = bytes.fromhex("0603551d11")  # subjectAltName
    assert read_certificate(holder.der).has_alternative_name("dns", "twice.example")
    twice = x509.CertificateBuilder(
        holder.certificate.issuer,
        holder.certificate.subject,
        holder.key.public_key(),
        1,
        holder.certificate.not_valid_before_utc,
        holder.certificate.not_valid_after_utc,
    )
    for name in (x509.SubjectAlternativeName, x509.IssuerAlternativeName):
        twice = twice.add_extension(name([x509.DNSName("twice.example")]), critical=False)
    der = twice.sign(holder.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    der = der.replace(bytes.fromhex("0603551d12"), extension)
    assert not read_certificate(der).has_alternative_name("dns", "twice.example")
