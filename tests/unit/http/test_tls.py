"""The TLS context and the files of the development certificate."""

import contextlib
import ssl
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from harness.authority import self_signed
from harness.realm import make_realm
from keyturn.config import SettingsError, load
from keyturn.http.client_trust import LONGEST_WAIT, ClientTrust
from keyturn.http.tls import TRUSTSTORE_PASSWORD, open_tls
from keyturn.jose.truststore import read_truststore
from keyturn.jose.x509 import certificate_der, certificate_names
from keyturn.store.spi import Unavailable

NOW = 1_800_000_000.0
DAY = 86_400


def opened(data: Path, now: float = NOW, **flags: Any) -> Path:
    open_tls(load(flags, {}).settings, data, now)
    return data / "tls"


def test_the_oldest_protocol_is_tls_1_2(tmp_path: Path) -> None:
    tls = open_tls(load({}, {}).settings, tmp_path, NOW)
    assert tls.context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert tls.context.options & ssl.OP_NO_RENEGOTIATION


def test_makes_a_ca_a_certificate_and_a_truststore(tmp_path: Path) -> None:
    directory = opened(tmp_path, tls_development_name=("keycloak", "10.0.0.7"))
    names = certificate_names((directory / "certificate.pem").read_bytes())
    assert set(names) == {"localhost", "127.0.0.1", "::1", "keycloak", "10.0.0.7"}
    trusted = read_truststore((directory / "truststore.p12").read_bytes(), TRUSTSTORE_PASSWORD)
    assert trusted == [certificate_der((directory / "ca.pem").read_bytes())]


def test_keys_are_owner_only(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for name in ("key.pem", "ca-key.pem"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600


def test_files_stay_as_they_are_over_restarts(tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in opened(tmp_path).iterdir()}
    after = {path.name: path.read_bytes() for path in opened(tmp_path, NOW + 100 * DAY).iterdir()}
    assert after == before


def test_the_certificate_is_renewed_before_it_expires_and_the_ca_stays(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    ca, certificate = (directory / "ca.pem").read_bytes(), (directory / "certificate.pem").read_bytes()
    opened(tmp_path, NOW + 340 * DAY)
    assert (directory / "ca.pem").read_bytes() == ca
    assert (directory / "certificate.pem").read_bytes() != certificate


def test_a_new_name_changes_ca_and_truststore(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    ca = (directory / "ca.pem").read_bytes()
    opened(tmp_path, tls_development_name=("keycloak",))
    assert (directory / "ca.pem").read_bytes() != ca
    trusted = read_truststore((directory / "truststore.p12").read_bytes(), TRUSTSTORE_PASSWORD)
    assert trusted == [certificate_der((directory / "ca.pem").read_bytes())]


@pytest.mark.parametrize("name", ["key.pem", "certificate.pem", "ca.pem", "ca-key.pem", "truststore.p12"])
def test_a_file_that_is_missing_or_broken_is_made_anew(tmp_path: Path, name: str) -> None:
    directory = opened(tmp_path)
    (directory / name).write_bytes(b"broken")
    opened(tmp_path)
    assert (directory / name).read_bytes() != b"broken"
    (directory / name).unlink()
    opened(tmp_path)
    assert (directory / name).exists()


def test_a_given_pair_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    own = opened(tmp_path)
    flags = {"tls_certificate": str(own / "certificate.pem"), "tls_key": str(own / "key.pem")}
    tls = open_tls(load(flags, {}).settings, tmp_path / "other", NOW)
    assert tls.ca is None
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("certificate", "key", "message"),
    [
        ("none.pem", "key.pem", "cannot be read: No such file"),
        ("key.pem", "key.pem", "the certificate is not a certificate in PEM"),
        ("certificate.pem", "certificate.pem", "the key is not a private key in PEM"),
        ("certificate.pem", "ca-key.pem", "the key is not the certificate's"),
    ],
)
def test_refuses_a_pair_that_is_none(tmp_path: Path, certificate: str, key: str, message: str) -> None:
    own = opened(tmp_path)
    flags = {"tls_certificate": str(own / certificate), "tls_key": str(own / key)}
    with pytest.raises(SettingsError, match=message):
        open_tls(load(flags, {}).settings, tmp_path, NOW)


def test_refuses_a_development_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--tls-development-name"):
        opened(tmp_path, tls_development_name=("a/b",))


def made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def met(context: ssl.SSLContext) -> bytes | None:
    """The certificate that a client meets."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there)
    server = context.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return client.getpeercert(binary_form=True)


def test_who_connects_later_meets_the_newer_certificate(tmp_path: Path) -> None:
    first, second, third = (open_tls(load({}, {}).settings, made(tmp_path / name), NOW) for name in "abc")
    assert met(first.context) != met(second.context)
    for newer in (second, third):
        first.follow(newer)
        assert met(first.context) == met(newer.context)


def test_ports_that_ask_for_certificates_meet_them_with_the_newer_one(tmp_path: Path) -> None:
    first, second = (open_tls(load({}, {}).settings, made(tmp_path / name), NOW) for name in "ab")
    realm = make_realm(tmp_path)
    trust = ClientTrust(realm.store, (), first.new_context)
    context = trust.listener(ssl.CERT_OPTIONAL)
    assert met(context) == met(first.context)
    trust.renew(second.new_context, ())
    assert met(context) == met(second.context)
    realm.store.close()


def test_a_store_out_of_reach_is_told_once_however_many_connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise Unavailable("the database is out of reach")

    realm = make_realm(tmp_path)
    trust = ClientTrust(realm.store, (), open_tls(load({}, {}).settings, tmp_path, NOW).new_context)
    monkeypatch.setattr(realm.store, "behind", lambda: True)
    monkeypatch.setattr(realm.store, "catch_up", fail)
    for _ in range(3):
        trust.keep_up()
    trust.close()
    assert caplog.text.count("the database is out of reach") == 1
    monkeypatch.undo()
    realm.store.close()


def test_a_slow_store_is_waited_for_once_and_not_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    realm, answers, asked = make_realm(tmp_path), threading.Event(), []
    trust = ClientTrust(realm.store, (), open_tls(load({}, {}).settings, tmp_path, NOW).new_context)

    def catch_up() -> None:
        asked.append(True)
        answers.wait(20)

    monkeypatch.setattr(realm.store, "behind", lambda: True)
    monkeypatch.setattr(realm.store, "catch_up", catch_up)
    began = time.monotonic()
    for _ in range(20):
        trust.keep_up()
    assert time.monotonic() - began < 20 * LONGEST_WAIT
    assert len(asked) == 1
    answers.set()
    trust.close()
    monkeypatch.undo()
    realm.store.close()


def test_many_certificates_are_known_as_well(tmp_path: Path) -> None:
    realm = make_realm(tmp_path)
    many = [self_signed(str(number)).der for number in range(101)]
    trust = ClientTrust(realm.store, many, open_tls(load({}, {}).settings, tmp_path, NOW).new_context)
    assert trust.listener(ssl.CERT_OPTIONAL).current.cert_store_stats()["x509"] == len(many)
    trust.close()
    realm.store.close()
