"""Development certificates, as TLS clients see them."""

import ssl
import time
from itertools import pairwise

import pytest

from keyturn.jose import x509
from keyturn.jose.jwk import generate

NAMES = ["localhost", "127.0.0.1", "::1", "keycloak"]
NOW = time.time()
DAY = 86400
STORED = x509.development_tls(None, NAMES, now=NOW)


def handshake(ca: x509.Issued, server: x509.Issued, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A whole TLS handshake in memory; raises ssl.SSLCertVerificationError where the client refuses the certificate."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "certificate.pem").write_bytes(server.certificate)
    (folder / "key.pem").write_bytes(server.key)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    client_context = ssl.create_default_context(cadata=ca.certificate.decode())
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    peer = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (client, peer):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() == "TLSv1.3"


@pytest.mark.parametrize("name", NAMES)
def test_a_strict_client_accepts_the_certificate_for_each_name(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    handshake(STORED.ca, STORED.server, name, tmp_path_factory)


@pytest.mark.parametrize(
    ("permitted", "wanted"),
    [
        (["localhost"], "example.org"),
        (["localhost"], "10.0.0.1"),
        (["localhost"], "::1"),
        (["localhost", "127.0.0.1"], "127.0.0.2"),
        (["localhost", "127.0.0.1"], "2001:db8::1"),
    ],
)
def test_a_client_refuses_what_the_ca_may_not_vouch_for(
    permitted: list[str], wanted: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ca = x509.development_ca(permitted, now=NOW)
    server = x509.development_certificate(ca, [wanted], now=NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"permitted subtree violation|excluded subtree violation"):
        handshake(ca, server, wanted, tmp_path_factory)


def test_a_client_refuses_another_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(STORED.ca, STORED.server, "example.org", tmp_path_factory)


def test_names_are_those_of_the_certificate() -> None:
    assert sorted(x509.certificate_names(STORED.server.certificate)) == sorted(NAMES)
    assert x509.certificate_names(generate("ES256", certificate_subject="x", now=NOW).certificate or b"") == []


def test_nothing_changes_while_everything_serves() -> None:
    assert x509.development_tls(STORED, NAMES, now=NOW) is STORED
    assert x509.development_tls(STORED, NAMES[::-1], now=NOW + 300 * DAY) is STORED


def test_the_server_certificate_is_renewed_ahead_of_expiry_and_the_ca_stays() -> None:
    later = NOW + 340 * DAY
    renewed = x509.development_tls(STORED, NAMES, now=later)
    assert renewed.ca is STORED.ca
    assert x509.valid_until(x509.certificate_der(renewed.server.certificate)) > later + 300 * DAY


def test_fewer_names_need_a_new_certificate_but_no_new_ca() -> None:
    changed = x509.development_tls(STORED, ["localhost"], now=NOW)
    assert changed.ca is STORED.ca
    assert x509.certificate_names(changed.server.certificate) == ["localhost"]


def test_a_new_name_needs_a_new_ca(tmp_path_factory: pytest.TempPathFactory) -> None:
    changed = x509.development_tls(STORED, [*NAMES, "new.example"], now=NOW)
    assert changed.ca is not STORED.ca
    handshake(changed.ca, changed.server, "new.example", tmp_path_factory)


def test_the_ca_is_renewed_before_it_expires() -> None:
    state = STORED
    ends = []
    for year in range(1, 13):
        state = x509.development_tls(state, NAMES, now=NOW + year * 300 * DAY)
        ends.append(x509.valid_until(x509.certificate_der(state.server.certificate)))
        assert ends[-1] > NOW + year * 300 * DAY + 59 * DAY
    assert state.ca is not STORED.ca
    assert all(one <= other for one, other in pairwise(ends))


@pytest.mark.parametrize("names", [[], ["127.0.0.1"], ["a b"], ["*.example.org"], ["exa/mple"], [""], ["a..b"]])
def test_refuses_names_that_no_ca_can_be_for(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        x509.development_ca(names, now=NOW)


def test_keys_show_in_no_repr() -> None:
    assert "PRIVATE" not in repr(STORED)


def test_a_certificate_and_its_key_are_a_pair() -> None:
    x509.check_pair(STORED.server.certificate, STORED.server.key)


@pytest.mark.parametrize(
    ("certificate", "key", "message"),
    [
        (STORED.server.certificate, STORED.ca.key, "not the certificate's"),
        (b"nothing", STORED.ca.key, "not a certificate in PEM"),
        (STORED.server.certificate, b"nothing", "not a private key in PEM"),
    ],
)
def test_what_is_no_pair_is_told_so(certificate: bytes, key: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        x509.check_pair(certificate, key)
