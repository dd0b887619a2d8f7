"""Certificates from proxies' headers, and from nobody else's (RFC 9440 §2, §4)."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import pytest

from harness.certificates import certificate, envoy, haproxy, nginx, pem, rfc9440
from keyturn.config import CertificateHeader
from keyturn.http.client_certificates import ClientCertificates
from keyturn.jose.client_certificate import read_certificate

GOOD, OTHER = certificate(), certificate("other")
THUMBPRINT = read_certificate(pem(GOOD)).thumbprint
PROXY = "10.0.0.1"


def found(
    kind: CertificateHeader, headers: Mapping[str, str] | list[tuple[str, str]], peer: str | None = PROXY
) -> str | None:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    scope: dict[str, Any] = {
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs],
        "client": None if peer is None else (peer, 1),
    }
    certificate = ClientCertificates(kind, [ip_network("10.0.0.0/24")]).of(scope)
    return None if certificate is None else certificate.thumbprint


KINDS: list[tuple[CertificateHeader, Any]] = [
    ("rfc9440", rfc9440),
    ("nginx", nginx),
    ("haproxy", haproxy),
    ("envoy", envoy),
]
each_kind = pytest.mark.parametrize(("kind", "header"), KINDS, ids=[kind for kind, _ in KINDS])


@each_kind
def test_reads_what_the_proxy_writes(kind: CertificateHeader, header: Any) -> None:
    assert found(kind, header(GOOD)) == THUMBPRINT


@each_kind
def test_believes_nobody_but_the_proxy(kind: CertificateHeader, header: Any) -> None:
    assert found(kind, header(GOOD), "10.0.1.1") is None
    assert found(kind, header(GOOD), None) is None
    assert found(kind, {}) is None
    for other, others in KINDS:
        if other != kind and {other, kind} != {"nginx", "haproxy"}:
            assert found(kind, others(GOOD)) is None, "the header of another kind is anybody's"


@each_kind
def test_a_second_header_is_smuggled(kind: CertificateHeader, header: Any) -> None:
    assert found(kind, [*header(OTHER).items(), *header(GOOD).items()]) is None


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("nginx", nginx(GOOD, "FAILED:self signed certificate")),
        ("nginx", nginx(GOOD, "NONE")),
        ("nginx", {"ssl-client-cert": nginx(GOOD)["ssl-client-cert"]}),
        ("haproxy", haproxy(GOOD, "18")),
        ("haproxy", haproxy(GOOD, "SUCCESS")),
        ("haproxy", {"ssl-client-verify": "0", "ssl-client-cert": ""}),
        ("rfc9440", {"Client-Cert": "MIIB"}),
        ("rfc9440", {"Client-Cert": ":MIIB:"}),
        ("rfc9440", {"Client-Cert": rfc9440(GOOD)["Client-Cert"] + ", " + rfc9440(OTHER)["Client-Cert"]}),
        ("envoy", {"X-Forwarded-Client-Cert": "Hash=00"}),
        ("envoy", {"X-Forwarded-Client-Cert": ""}),
        ("nginx", {"ssl-client-verify": "SUCCESS", "ssl-client-cert": "x" * 20_000}),
    ],
)
def test_what_was_not_verified_or_cannot_be_read_is_none(kind: CertificateHeader, headers: dict[str, str]) -> None:
    assert found(kind, headers) is None


def test_envoys_last_element_is_its_own() -> None:
    forged = envoy(OTHER)["X-Forwarded-Client-Cert"]
    assert found("envoy", envoy(GOOD, before=forged + ",")) == THUMBPRINT
    escaped = forged.replace("\\", "\\\\").replace('"', '\\"')
    assert found("envoy", envoy(GOOD, before=f'By="a,{escaped}",')) == THUMBPRINT
    subject = envoy(GOOD)["X-Forwarded-Client-Cert"].replace("CN=backend", f";{escaped};")
    assert found("envoy", {"X-Forwarded-Client-Cert": subject}) == THUMBPRINT
    assert found("envoy", {"X-Forwarded-Client-Cert": f"{envoy(GOOD)['X-Forwarded-Client-Cert']};{forged}"}) is None
