"""Who has a certificate, and wants to be somebody else with it (RFC 8705 §7)."""

import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.authority import SERVERS, Authority, Holder, authority, self_signed
from harness.realm import RealmUnderTest, make_realm
from harness.tls_server import TlsServer, exchange
from keyturn.http import mutual_tls
from keyturn.http.client_certificates import ClientCertificates
from keyturn.representations import ClientRepresentation, RealmRepresentation
from keyturn.store.collections import CLIENTS, REALMS

INVALID = (401, "invalid_client", "Invalid client or Invalid client credentials")
EVERYBODYS = authority("Everybody's CA")
ENDED = (ssl.SSLError, ConnectionError)
VICTIM = {"x509.subjectdn": "CN=victim, O=Acme", "x509.allow.regex.pattern.comparison": "false"}


def add(realm: RealmUnderTest, client_id: str, attributes: dict[str, str]) -> ClientRepresentation:
    """A ``client-x509`` client."""
    return realm.add_client(
        client_id=client_id,
        client_authenticator_type="client-x509",
        service_accounts_enabled=True,
        attributes=attributes,
    )


def own(holder: Holder) -> dict[str, str]:
    """The attributes of a client whose own certificate this is."""
    return {"keyturn.x509.self.signed": "true", "jwt.credential.certificate": b64encode(holder.der).decode()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    directory = tmp_path_factory.mktemp("attacks")
    realm = make_realm(directory)
    add(realm, "victim", VICTIM)
    server = TlsServer(realm, directory / "tls", EVERYBODYS)
    yield server
    server.close()
    realm.store.close()


def asking(client_id: str) -> dict[str, str]:
    """A request for a token."""
    return {"grant_type": "client_credentials", "client_id": client_id}


def test_the_victim_is_who_it_is(server: TlsServer) -> None:
    assert server.token(asking("victim"), EVERYBODYS.issue("victim")).status == 200


def test_an_authority_that_one_client_brings_says_nothing_of_another(server: TlsServer) -> None:
    mine = authority("My CA")
    add(server.realm, "attacker", VICTIM | {"keyturn.x509.authorities": mine.pem})
    forged = mine.issue("victim")
    assert server.token(asking("attacker"), forged).status == 200, "the connection is made"
    assert server.token(asking("victim"), forged).error == INVALID


def test_an_authority_with_everybodys_name_is_not_taken_in_their_stead(server: TlsServer) -> None:
    double = authority("Everybody's CA")
    add(server.realm, "double", VICTIM | {"keyturn.x509.authorities": double.pem})
    assert server.token(asking("victim"), EVERYBODYS.issue("victim")).status == 200
    with pytest.raises(ENDED):
        server.token(asking("victim"), double.issue("victim"))


def test_a_certificate_of_a_clients_own_is_no_authority(server: TlsServer) -> None:
    mine = authority("Own")
    add(server.realm, "own", VICTIM | own(mine))
    forged = mine.issue("victim")
    assert server.token(asking("own"), Holder(mine.certificate, mine.key)).status == 200
    for client_id in ("own", "victim"):
        assert server.token(asking(client_id), forged).error == INVALID


def test_a_certificate_that_is_no_authority_issues_nothing(server: TlsServer) -> None:
    leaf = EVERYBODYS.issue("leaf")
    forged = Authority(leaf.certificate, leaf.key).issue("victim")
    with pytest.raises(ENDED):
        server.token(asking("victim"), Holder(forged.certificate, forged.key, (leaf.certificate,)))


def test_a_chain_is_not_believed_because_of_what_is_added_to_it(server: TlsServer) -> None:
    top = {"x509.casubjectdn": "CN=Inner CA,O=Acme"}
    add(server.realm, "inner", VICTIM | top)
    issued = EVERYBODYS.issue("victim")
    stuffed = Holder(issued.certificate, issued.key, (authority("Inner CA").certificate,))
    assert server.token(asking("inner"), stuffed).error == INVALID
    assert server.token(asking("victim"), stuffed).status == 200


def test_an_expired_certificate_opens_no_connection(server: TlsServer) -> None:
    past = datetime(2024, 1, 1, tzinfo=UTC)
    expired = self_signed("expired", until=past)
    add(server.realm, "expired", own(expired))
    for holder, client_id in ((EVERYBODYS.issue("victim", until=past), "victim"), (expired, "expired")):
        with pytest.raises(ENDED):
            server.token(asking(client_id), holder)


def test_a_certificate_that_expires_ends_its_connection(server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(server.connect(EVERYBODYS.issue("victim"))) as connection:
        assert server.token(asking("victim"), over=connection).status == 200
        later = SimpleNamespace(time=lambda: datetime(2046, 1, 1, tzinfo=UTC).timestamp())
        monkeypatch.setattr(mutual_tls, "time", later)
        with pytest.raises(ENDED):
            server.token(asking("victim"), over=connection)


def test_a_certificate_for_servers_is_none_for_clients(server: TlsServer) -> None:
    with pytest.raises(ENDED):
        server.token(asking("victim"), EVERYBODYS.issue("victim", usage=[SERVERS]))


def test_a_subject_cannot_be_written_within_a_name(server: TlsServer) -> None:
    add(server.realm, "pattern", {"x509.subjectdn": "CN=victim, O=Acme"})
    assert server.token(asking("pattern"), EVERYBODYS.issue("victim")).status == 200
    for name in ("victim, O=Acme", "victim, O=Acme,O=Acme", "x, CN=victim"):
        for client_id in ("pattern", "victim"):
            assert server.token(asking(client_id), EVERYBODYS.issue(name)).error == INVALID


def header(holder: Holder) -> dict[str, str]:
    """What a proxy would pass on."""
    return {"Client-Cert": f":{b64encode(holder.der).decode()}:"}


def asked_with(server: TlsServer, shown: Holder, smuggled: Holder) -> int:
    path = f"/realms/{server.realm.name}/protocol/openid-connect/token"
    with closing(server.connect(shown)) as connection:
        return exchange(connection, "POST", path, asking("victim"), header(smuggled)).status


def test_a_header_does_not_stand_in_for_the_certificate_of_the_connection(server: TlsServer) -> None:
    assert asked_with(server, EVERYBODYS.issue("other"), EVERYBODYS.issue("victim")) == 401
    behind = ClientCertificates("rfc9440", [ip_network("10.0.0.1")])
    also_behind_a_proxy = TlsServer(server.realm, server.directory / "other", EVERYBODYS, certificates=behind)
    assert asked_with(also_behind_a_proxy, EVERYBODYS.issue("other"), EVERYBODYS.issue("victim")) == 401
    assert asked_with(also_behind_a_proxy, EVERYBODYS.issue("victim"), EVERYBODYS.issue("other")) == 200
    also_behind_a_proxy.close()


def test_the_certificate_of_a_proxy_is_not_that_of_its_callers(server: TlsServer) -> None:
    behind = ClientCertificates("rfc9440", [ip_network("127.0.0.1")])
    proxied = TlsServer(server.realm, server.directory / "proxied", EVERYBODYS, certificates=behind)
    proxys = EVERYBODYS.issue("victim")
    path = f"/realms/{server.realm.name}/protocol/openid-connect/token"
    with closing(proxied.connect(proxys)) as connection:
        assert exchange(connection, "POST", path, asking("victim")).status == 401
        assert exchange(connection, "POST", path, asking("victim"), header(EVERYBODYS.issue("other"))).status == 401
        assert exchange(connection, "POST", path, asking("victim"), header(EVERYBODYS.issue("victim"))).status == 200
    proxied.close()


def test_a_certificate_that_a_proxy_lets_in_is_still_held_to_the_clients_authority(server: TlsServer) -> None:
    own = authority("Narrow CA")
    add(server.realm, "narrow", VICTIM | {"keyturn.x509.authorities": own.pem})
    behind = ClientCertificates("rfc9440", [ip_network("127.0.0.1")])
    proxied = TlsServer(server.realm, server.directory / "narrow", certificates=behind)
    path = f"/realms/{server.realm.name}/protocol/openid-connect/token"
    with closing(proxied.connect()) as connection:
        for shown, status in (
            (own.issue("victim"), 200),
            (EVERYBODYS.issue("victim"), 401),
            (own.issue("victim", usage=[SERVERS]), 401),
            (own.issue("other"), 401),
        ):
            assert exchange(connection, "POST", path, asking("narrow"), header(shown)).status == status
    proxied.close()


def test_a_certificate_that_openssl_cannot_read_stops_nobody(server: TlsServer, tmp_path: Path) -> None:
    whole = self_signed("broken").der
    named = [whole.replace(b"\x0c\x06broken", tag + b"\x06broken") for tag in (b"\x02", b"\x04")]
    for number, der in enumerate((*named, whole.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01"))):
        assert der != whole
        attributes = {"keyturn.x509.authorities": ssl.DER_cert_to_PEM_cert(der)}
        add(server.realm, f"broken-{number}", attributes)
        assert server.token(asking(f"broken-{number}"), EVERYBODYS.issue("victim")).status in {400, 401}
    later = self_signed("later")
    add(server.realm, "later", own(later))
    assert server.token(asking("later"), later).status == 200
    restarted = TlsServer(server.realm, tmp_path / "tls")
    try:
        assert restarted.token(asking("later"), later).status == 200
    finally:
        restarted.close()


def test_a_name_is_that_of_another_however_it_is_written(server: TlsServer) -> None:
    for number, name in enumerate(("everybody's ca", " Everybody's  CA")):
        double = self_signed(name)
        add(server.realm, f"written-{number}", own(double))
        with pytest.raises(ENDED):
            server.token(asking(f"written-{number}"), double)


def test_of_realms_that_register_one_name_the_oldest_has_it_after_each_start(tmp_path: Path) -> None:
    realm = make_realm(tmp_path)
    first = self_signed("shared")
    add(realm, "first", own(first))
    with realm.store.write() as transaction:
        for number in range(7):
            id_ = f"realm-{number}"
            transaction.insert(REALMS, id_, RealmRepresentation(id=id_, realm=id_))
            attributes = own(self_signed("shared"))
            transaction.insert(CLIENTS, id_, ClientRepresentation(id=id_, client_id=id_, attributes=attributes))
    started = TlsServer(realm, tmp_path / "tls")
    try:
        assert started.token(asking("first"), first).status == 200
    finally:
        started.close()
        realm.store.close()


def test_a_certificate_of_two_realms_keeps_its_name_when_one_of_them_leaves(server: TlsServer) -> None:
    same, other = self_signed("of two realms"), self_signed("of two realms")
    with server.realm.store.write() as transaction:
        transaction.insert(REALMS, "leaving", RealmRepresentation(id="leaving", realm="leaving"))
        transaction.insert(CLIENTS, "leaving", ClientRepresentation(id="l", client_id="l", attributes=own(same)))
    add(server.realm, "staying", own(same))
    with server.realm.store.write() as transaction:
        transaction.delete(CLIENTS, "leaving", "l")
    with server.realm.store.write() as transaction:
        transaction.insert(CLIENTS, "leaving", ClientRepresentation(id="l", client_id="l", attributes=own(other)))
    server.trust.rebuild()
    assert server.token(asking("staying"), same).status == 200
    with pytest.raises(ENDED):
        server.token(asking("staying"), other)
