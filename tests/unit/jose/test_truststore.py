"""Truststores that Java wrote, and those for it."""

import hashlib
import json
import shutil
import subprocess
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from keyturn.jose import x509
from keyturn.jose.truststore import TruststoreError, read_truststore, to_pem, write_pkcs12_truststore

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "truststores.json").read_text())
CA = x509.development_ca(["localhost"], now=time.time()).certificate
JKS = b64decode(next(vector["content"] for vector in VECTORS if vector["name"] == "JKS with a trusted certificate"))


def name_of(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def digests(certificates: list[bytes]) -> list[str]:
    return [hashlib.sha256(certificate).hexdigest() for certificate in certificates]


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_reads_what_keytool_wrote(vector: dict[str, Any]) -> None:
    assert digests(read_truststore(b64decode(vector["content"]), vector["password"])) == vector["expect"]


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_a_wrong_password_is_told_so_where_there_is_one(vector: dict[str, Any]) -> None:
    if vector["without_password"] == "no password at all":
        assert read_truststore(b64decode(vector["content"]), "wrong canary")
    else:
        with pytest.raises(TruststoreError, match="password is wrong") as caught:
            read_truststore(b64decode(vector["content"]), "wrong canary")
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_reads_without_a_password_only_what_needs_none(vector: dict[str, Any]) -> None:
    if vector["without_password"] == "refused":
        with pytest.raises(TruststoreError):
            read_truststore(b64decode(vector["content"]), None)
    else:
        assert digests(read_truststore(b64decode(vector["content"]), None)) == vector["expect"]


def test_a_changed_jks_is_refused() -> None:
    changed = bytearray(JKS)
    changed[100] ^= 1
    with pytest.raises(TruststoreError, match="was changed"):
        read_truststore(bytes(changed), "changeit")


@pytest.mark.parametrize("size", [4, 8, 12, 24, 30, 60, 200])
def test_a_jks_that_ends_too_early_is_refused(size: int) -> None:
    with pytest.raises(TruststoreError):
        read_truststore(JKS[:size] + b"\0" * 20, None)


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"\x30\x03abc", b"\xce\xce\xce\xce\0\0", b"-----BEGIN CERTIFICATE-----\nAA"]
)
def test_what_is_no_truststore_is_refused(content: bytes) -> None:
    with pytest.raises(TruststoreError):
        read_truststore(content, "changeit")


def test_reads_pem_with_several_certificates_and_text_between() -> None:
    other = x509.development_ca(["localhost"], now=time.time()).certificate
    content = b"# ours\n" + CA + b"\n# theirs\n" + other
    assert read_truststore(content, None) == [x509.certificate_der(CA), x509.certificate_der(other)]


def test_reads_what_it_writes_and_pem_round_trips() -> None:
    store = write_pkcs12_truststore([CA], "changeit")
    assert read_truststore(store, "changeit") == [x509.certificate_der(CA)]
    assert to_pem([x509.certificate_der(CA)]).encode() == CA


def test_writes_no_truststore_that_trusts_nothing() -> None:
    with pytest.raises(TruststoreError):
        write_pkcs12_truststore([], "changeit")
    with pytest.raises(TruststoreError):
        write_pkcs12_truststore([b"nothing"], "changeit")


@pytest.mark.full
@pytest.mark.skipif(shutil.which("keytool") is None, reason="needs Java's keytool")
def test_java_trusts_the_certificates_that_it_writes(tmp_path: Path) -> None:
    store = tmp_path / "truststore.p12"
    store.write_bytes(write_pkcs12_truststore([CA], "changeit"))
    command = ["keytool", "-list", "-keystore", str(store), "-storepass", "changeit"]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "trustedCertEntry" in listing
