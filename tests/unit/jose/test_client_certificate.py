"""Whom a client's certificate names, as administrators write it (RFC 4514, and what Java takes)."""

import pytest
from cryptography.hazmat.primitives import hashes

from harness.certificates import certificate, pem
from harness.realm import NOW
from keyturn.jose import base64url
from keyturn.jose.client_certificate import InvalidName, read_certificate

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
