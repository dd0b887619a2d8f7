"""Clients that show their certificates to keyturn itself (RFC 8705): real handshakes over real sockets."""

import json
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from harness.authority import Holder, authority, self_signed
from harness.realm import RealmUnderTest, make_realm
from harness.tls_server import TlsServer, exchange
from keyturn.client import TlsClientAuth, TokenSource
from keyturn.http.client_trust import REBUILT_AFTER
from keyturn.jose import jwt
from keyturn.jose.client_certificate import read_certificate
from keyturn.representations import ClientRepresentation, ProtocolMapperRepresentation
from keyturn.resource_server import InvalidToken, ResourceServer, thumbprint_of
from keyturn.store.collections import CLIENTS, USERS

INVALID = (401, "invalid_client", "Invalid client or Invalid client credentials")
EVERYBODYS, OWN = authority("Everybody's CA"), authority("Own CA")
NAMES = (
    x509.DNSName("backend.example.org"),
    x509.UniformResourceIdentifier("spiffe://example.org/backend"),
    x509.IPAddress(ip_address("2001:db8::7")),
    x509.RFC822Name("backend@example.org"),
)
BACKEND = EVERYBODYS.issue("backend", *NAMES)
ENDED = (ssl.SSLError, ConnectionError)
"""What a connection that OpenSSL ends is to who began it, depending on who is quicker."""


def add(realm: RealmUnderTest, client_id: str, **attributes: str) -> ClientRepresentation:
    """A ``client-x509`` client."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return realm.add_client(
        client_id=client_id, client_authenticator_type="client-x509", service_accounts_enabled=True, attributes=named
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    directory = tmp_path_factory.mktemp("mutual")
    realm = make_realm(directory)
    server = TlsServer(realm, directory / "tls", EVERYBODYS)
    yield server
    server.close()
    realm.store.close()


def asking(client_id: str, **form: str) -> dict[str, str]:
    """A request for a token."""
    return {"grant_type": "client_credentials", "client_id": client_id, **form}


def granted(server: TlsServer, holder: Holder | None, client_id: str) -> bool:
    answer = server.token(asking(client_id), holder)
    assert answer.status == 200 or answer.error == INVALID
    return answer.status == 200


@pytest.mark.parametrize(
    ("subject", "matches"),
    [
        ("(.*?)CN=backend(.*?)", True),
        ("CN=backend, O=Acme", True),
        ("CN=backend,O=Acme", False),
        ("O=Acme,CN=backend", False),
    ],
)
def test_patterns_meet_the_subject_as_keycloak_writes_it(shared: TlsServer, subject: str, matches: bool) -> None:
    add(shared.realm, subject, x509__subjectdn=subject)
    assert granted(shared, BACKEND, subject) is matches


@pytest.mark.parametrize(
    ("kind", "name", "matches"),
    [
        ("dns", "Backend.Example.org", True),
        ("dns", "example.org", False),
        ("uri", "spiffe://example.org/backend", True),
        ("uri", "spiffe://example.org/Backend", False),
        ("ip", "2001:DB8:0::7", True),
        ("ip", "2001:db8::8", False),
        ("ip", "nonsense", False),
        ("email", "backend@EXAMPLE.org", True),
        ("email", "Backend@example.org", False),
    ],
)
def test_a_client_is_known_by_a_name_beside_the_subject(shared: TlsServer, kind: str, name: str, matches: bool) -> None:
    client_id = f"{kind}-{name}-{matches}"
    add(shared.realm, client_id, **{f"keyturn__x509__san__{kind}": name})
    assert granted(shared, BACKEND, client_id) is matches
    assert not granted(shared, EVERYBODYS.issue("backend"), client_id)


def test_each_name_that_is_registered_has_to_be_there(shared: TlsServer) -> None:
    names = {"keyturn__x509__san__dns": "backend.example.org", "keyturn__x509__san__ip": "2001:db8::8"}
    add(shared.realm, "two-names", **names)
    add(shared.realm, "name-and-subject", x509__subjectdn=".*CN=other.*", keyturn__x509__san__dns="backend.example.org")
    add(shared.realm, "no-name")
    assert not any(granted(shared, BACKEND, client_id) for client_id in ("two-names", "name-and-subject", "no-name"))


def test_a_client_is_under_its_own_authority_as_soon_as_it_is_registered(shared: TlsServer) -> None:
    holder = OWN.authority("Issuing CA").issue("deep")
    with pytest.raises(ENDED):
        shared.token(asking("deep"), holder)
    top = {"x509__casubjectdn": "CN=Own CA,O=Acme", "x509__allow__regex__pattern__comparison": "false"}
    add(shared.realm, "deep", x509__subjectdn="CN=deep, O=Acme", keyturn__x509__authorities=OWN.pem, **top)
    assert granted(shared, holder, "deep")
    assert not granted(shared, EVERYBODYS.issue("deep"), "deep"), "who may say who anybody is may not say this"


def test_a_certificate_of_its_own_is_one_that_is_registered(shared: TlsServer) -> None:
    own, next_own, stolen_name = self_signed("own"), self_signed("own"), self_signed("own")
    with pytest.raises(ENDED):
        shared.token(asking("own"), own)
    client = add(
        shared.realm,
        "own",
        keyturn__x509__self__signed="true",
        use__jwks__string="true",
        jwks__string=key_set(own, next_own),
    )
    assert granted(shared, own, "own")
    assert granted(shared, next_own, "own")
    assert not granted(shared, BACKEND, "own")
    with pytest.raises(ENDED):
        shared.token(asking("own"), stolen_name)

    def one(stored: ClientRepresentation) -> None:
        stored.attributes = {
            "keyturn.x509.self.signed": "true",
            "jwt.credential.certificate": b64encode(own.der).decode(),
        }

    connection = shared.connect(next_own)
    assert shared.token(asking("own"), over=connection).status == 200
    shared.realm.change_client(client, one)
    assert shared.token(asking("own"), over=connection).error == INVALID, "the connection lives on"
    connection.close()
    assert granted(shared, own, "own")


def test_whose_certificates_are_at_a_url_is_told_to_register_them(
    shared: TlsServer, caplog: pytest.LogCaptureFixture
) -> None:
    at = {"use.jwks.url": "true", "jwks.url": "https://backend.example.org/jwks"}
    add(shared.realm, "at-a-url", keyturn__x509__self__signed="true", **at)
    assert "the certificates of client at-a-url are at a URL: it cannot connect here" in caplog.text


def test_certificates_with_a_name_count_until_they_end(shared: TlsServer) -> None:
    old, new = self_signed("old"), self_signed("new")
    now = int(shared.realm.clock.now)
    credentials = [
        {"name": "old", "type": "certificate", "expires": now - 1, "certificate": old.pem},
        {"name": "new", "type": "certificate", "certificate": b64encode(new.der).decode()},
        {"name": "broken", "type": "certificate", "certificate": "x"},
    ]
    named = {"keyturn.credentials": json.dumps(credentials), "keyturn.x509.self.signed": "true"}
    add(shared.realm, "named", **named)
    assert granted(shared, new, "named")
    assert not granted(shared, old, "named")
    add(shared.realm, "not-switched-on", **{"keyturn.credentials": json.dumps(credentials)})
    assert not granted(shared, new, "not-switched-on")


def key_set(*holders: Holder) -> str:
    """A JWK Set that names the certificates."""
    return json.dumps({"keys": [{"kty": "EC", "x5c": [b64encode(holder.der).decode()]} for holder in holders]})


def test_who_shows_no_certificate_is_served_all_else(shared: TlsServer) -> None:
    shared.realm.add_client(client_id="secret", secret="s", service_accounts_enabled=True)
    add(shared.realm, "needs-one", x509__subjectdn=".*")
    assert shared.token(asking("secret", client_secret="s")).status == 200
    assert not granted(shared, None, "needs-one")


def test_tokens_are_bound_to_the_certificate_of_the_connection(shared: TlsServer) -> None:
    bound = {"tls.client.certificate.bound.access.tokens": "true"}
    shared.realm.add_client(client_id="bound", secret="s", service_accounts_enabled=True, attributes=bound)
    asked = asking("bound", client_secret="s", scope="openid")
    other = EVERYBODYS.issue("other")
    tokens = {}
    for holder in (BACKEND, other, BACKEND):
        token = shared.token(asked, holder).body["access_token"]
        assert jwt.parse(token).claims["cnf"] == {"x5t#S256": read_certificate(holder.der).thumbprint}
        tokens[holder.der] = token
    assert shared.token(asked).error[2] == "Client Certification missing for MTLS HoK Token Binding"
    path = f"/realms/{shared.realm.name}/protocol/openid-connect/userinfo"
    headers = {"authorization": f"Bearer {tokens[BACKEND.der]}"}
    for shown, status in ((BACKEND, 200), (other, 401), (None, 401)):
        with closing(shared.connect(shown)) as connection:
            assert exchange(connection, "GET", path, headers=headers).status == status


def test_introspection_tells_of_the_certificate(shared: TlsServer) -> None:
    realm = shared.realm
    audience = ProtocolMapperRepresentation(
        name="aud",
        protocol="openid-connect",
        protocol_mapper="oidc-audience-mapper",
        config={"included.client.audience": "told", "access.token.claim": "true"},
    )
    bound = {"tls.client.certificate.bound.access.tokens": "true"}
    realm.add_client(
        client_id="told", secret="s", service_accounts_enabled=True, attributes=bound, protocol_mappers=[audience]
    )
    token = shared.token(asking("told", client_secret="s"), BACKEND).body["access_token"]
    form = {"token": token, "client_id": "told", "client_secret": "s"}
    path = f"/realms/{realm.name}/protocol/openid-connect/token/introspect"
    with closing(shared.connect()) as connection:
        told = exchange(connection, "POST", path, form).body
    assert told["active"]
    assert told["cnf"] == {"x5t#S256": read_certificate(BACKEND.der).thumbprint}


def test_the_admin_api_takes_bound_tokens_with_their_certificate_alone(shared: TlsServer) -> None:
    realm = shared.realm
    bound = {"tls.client.certificate.bound.access.tokens": "true"}
    realm.add_client(client_id="operator", secret="s", service_accounts_enabled=True, attributes=bound)
    token = shared.token(asking("operator", client_secret="s"), BACKEND).body["access_token"]
    path, headers = f"/admin/realms/{realm.name}/clients", {"authorization": f"Bearer {token}"}
    # There is no realm master here, which is what is said to those who are let in.
    for shown, status in ((BACKEND, 404), (EVERYBODYS.issue("other"), 401), (None, 401)):
        with closing(shared.connect(shown)) as connection:
            assert exchange(connection, "GET", path, headers=headers).status == status


def test_both_libraries_do_it(shared: TlsServer) -> None:
    realm, issuer = shared.realm, f"https://localhost:{shared.port}/realms/{shared.realm.name}"
    own = self_signed("library")
    bound = {"tls__client__certificate__bound__access__tokens": "true"}
    certificate = b64encode(own.der).decode()
    add(realm, "library", keyturn__x509__self__signed="true", jwt__credential__certificate=certificate, **bound)
    context = own.context(shared.directory, shared.ca)
    source = TokenSource(TlsClientAuth("library"), issuer=issuer, ssl_context=context)
    token = source.token().access_token
    service = ResourceServer(
        issuer,
        ssl_context=context,
        clock=realm.clock,
        require_certificate=True,
        dangerously_accept_any_audience=True,
    )
    accepted = service.accept(f"Bearer {token}", certificate=thumbprint_of(own.der))
    assert accepted.client_id == "library"
    with pytest.raises(InvalidToken):
        service.accept(f"Bearer {token}", certificate=thumbprint_of(BACKEND.der))


def test_what_was_granted_on_one_connection_is_not_granted_on_another(tmp_path: Path) -> None:
    held = {"profiles": [{"name": "held", "executors": [{"executor": "holder-of-key-enforcer", "configuration": {}}]}]}
    policy = {"name": "all", "enabled": True, "conditions": [{"condition": "any-client"}], "profiles": ["held"]}
    realm = make_realm(tmp_path, client_profiles=held, client_policies={"policies": [policy]})
    realm.add_client(client_id="svc", secret="s", service_accounts_enabled=True)
    server = TlsServer(realm, tmp_path / "tls", EVERYBODYS)
    asked = asking("svc", client_secret="s")
    shown, bare = server.connect(BACKEND), server.connect()
    assert [server.token(asked, over=shown).status for _ in range(3)] == [200] * 3
    assert len(server.repeated) == 1, "the same bytes again are not even parsed"
    assert server.token(asked, over=bare).error[2] == "Client Certification missing for MTLS HoK Token Binding"
    shown.close()
    bare.close()
    server.close()
    realm.store.close()


def test_certificates_that_were_removed_are_forgotten_without_hanging_up(shared: TlsServer) -> None:
    own = self_signed("leaving")
    client = add(
        shared.realm,
        "leaving",
        keyturn__x509__self__signed="true",
        jwt__credential__certificate=b64encode(own.der).decode(),
    )
    connection = shared.connect(own)
    assert shared.token(asking("leaving"), over=connection).status == 200
    shared.trust.rebuild()  # so that the next one is ten seconds away
    with shared.realm.store.write() as transaction:
        transaction.delete(CLIENTS, shared.realm.id, str(client.id))
    assert granted(shared, own, "leaving") is False, "OpenSSL has yet to forget it"
    shared.trust.rebuild()
    with pytest.raises(ENDED):
        shared.token(asking("leaving"), own)
    assert shared.token(asking("leaving"), over=connection).error == INVALID
    assert granted(shared, BACKEND, "leaving") is False, "others connect as before"
    connection.close()


def repeatedly(seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield


def is_ended(server: TlsServer, holder: Holder) -> bool:
    """Whether a connection with this certificate is none."""
    try:
        server.token(asking("nobody"), holder)
    except ENDED:
        return True
    return False


def test_a_certificate_that_is_removed_alone_is_forgotten_at_once(shared: TlsServer, tmp_path: Path) -> None:
    own = self_signed("gone")
    certificate = b64encode(own.der).decode()
    client = add(shared.realm, "gone", keyturn__x509__self__signed="true", jwt__credential__certificate=certificate)
    server = TlsServer(shared.realm, tmp_path / "tls")
    assert granted(server, own, "gone")
    with shared.realm.store.write() as transaction:
        transaction.delete(CLIENTS, shared.realm.id, str(client.id))
    assert any(is_ended(server, own) for _ in repeatedly(REBUILT_AFTER / 2))
    server.close()


def test_what_is_registered_is_known_after_a_restart(shared: TlsServer, tmp_path: Path) -> None:
    own = self_signed("restart")
    certificate = b64encode(own.der).decode()
    add(shared.realm, "restart", keyturn__x509__self__signed="true", jwt__credential__certificate=certificate)
    again = TlsServer(shared.realm, tmp_path / "tls")
    assert granted(again, own, "restart")
    again.close()


def test_where_a_certificate_must_be_shown_there_is_no_connection_without(shared: TlsServer, tmp_path: Path) -> None:
    demanding = TlsServer(shared.realm, tmp_path / "tls", EVERYBODYS, mode=ssl.CERT_REQUIRED)
    assert granted(demanding, BACKEND, "nobody") is False
    with pytest.raises(ENDED):
        demanding.token(asking("nobody"))
    demanding.close()


def resuming(server: TlsServer, context: ssl.SSLContext, session: ssl.SSLSession | None) -> HTTPSConnection:
    """A connection that resumes the session, if the server does."""
    connection = HTTPSConnection("localhost", server.port, timeout=10)
    raw = socket.create_connection(("localhost", server.port), timeout=10)
    try:
        connection.sock = context.wrap_socket(raw, server_hostname="localhost", session=session)
    finally:
        raw.close()  # of the one that was wrapped nothing is left but the number
    return connection


def test_a_session_does_not_outlive_what_it_rests_on(shared: TlsServer) -> None:
    own = self_signed("resumed")
    registered = {"keyturn.x509.self.signed": "true", "jwt.credential.certificate": b64encode(own.der).decode()}
    for version, resumed in ((ssl.TLSVersion.TLSv1_3, False), (ssl.TLSVersion.TLSv1_2, True)):
        shared.trust.rebuild()  # so that the next one is ten seconds away
        client = add(shared.realm, "resumed", **registered)
        context = own.context(shared.directory, shared.ca)
        context.maximum_version = version
        session = None
        for reused in (False, resumed):
            with closing(resuming(shared, context, session)) as connection:
                assert shared.token(asking("resumed"), over=connection).status == 200
                assert isinstance(connection.sock, ssl.SSLSocket)
                assert connection.sock.session_reused is reused
                session = connection.sock.session
                connection.sock.unwrap()  # OpenSSL forgets sessions of connections that break off
        with shared.realm.store.write() as transaction:
            user = transaction.find(USERS, shared.realm.id, service_account_client=str(client.id))
            assert user is not None
            transaction.delete(USERS, shared.realm.id, str(user.id))
            transaction.delete(CLIENTS, shared.realm.id, str(client.id))
        with closing(resuming(shared, context, session)) as connection:
            assert shared.token(asking("resumed"), over=connection).error == INVALID, "at once"
        shared.trust.rebuild()
        with pytest.raises(ENDED), closing(resuming(shared, context, session)) as connection:
            shared.token(asking("resumed"), over=connection)
