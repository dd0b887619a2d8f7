"""Who has a certificate, and wants to be somebody else with it (RFC 8705 §7)."""

import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from ipaddress import ip_network
from types import SimpleNamespace

import pytest

from harness.authority import SERVERS, Authority, Holder, authority, self_signed
from harness.realm import RealmUnderTest, make_realm
from harness.tls_server import TlsServer, exchange
from keyturn.http import mutual_tls
from keyturn.http.client_certificates import ClientCertificates
from keyturn.representations import ClientRepresentation

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
    own = authority("Own")
    registered = {"keyturn.x509.self.signed": "true", "jwt.credential.certificate": b64encode(own.der).decode()}
    add(server.realm, "own", VICTIM | registered)
    forged = own.issue("victim")
    assert server.token(asking("own"), Holder(own.certificate, own.key)).status == 200
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
    registered = {"keyturn.x509.self.signed": "true", "jwt.credential.certificate": b64encode(expired.der).decode()}
    add(server.realm, "expired", registered)
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
