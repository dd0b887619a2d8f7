"""A token request that came before, byte for byte: answered anew, and only as long as what was decided holds."""

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import ref

import pytest

from harness.connection import Connection, Port, parsed, protocol_request, token_request
from harness.realm import make_realm
from keyturn.http import repeated
from keyturn.jose import jwt
from keyturn.model.client_credential import with_credentials
from keyturn.representations import ClientRepresentation, ProtocolMapperRepresentation, RealmRepresentation
from keyturn.representations.client_credential import ClientCredentialRepresentation
from keyturn.store.collections import CLIENTS, COMPONENTS

BASIC = ("robot", "robots-very-own-secret")
FORM = {"grant_type": "client_credentials"}


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    realm = make_realm(tmp_path)
    realm.add_client(client_id=BASIC[0], secret=BASIC[1], service_accounts_enabled=True)
    made = Port(realm)
    yield made
    made.close()


@pytest.fixture
def connection(port: Port) -> Iterator[Connection]:
    """A connection on which a token was issued from memory, so that the same request is a repeated one."""
    made = port.connect()
    for _ in range(2):
        assert made.token(port.realm.name, FORM, BASIC).status == 200
    assert len(port.repeated) == 1
    yield made
    made.close()


def certs_of(port: Port, more: str = "") -> bytes:
    path = f"/realms/{port.realm.name}/protocol/openid-connect/certs"
    return f"GET {path} HTTP/1.1\r\nhost: keyturn.test\r\n{more}\r\n".encode()


def rename(realm: RealmRepresentation) -> None:
    realm.display_name = "another name"


def request_of(port: Port) -> bytes:
    return token_request(port.realm.name, FORM, BASIC)


def test_each_answer_has_a_token_of_its_own(port: Port, connection: Connection) -> None:
    seen = set()
    for _ in range(3):
        port.realm.clock.now += 5
        status, body = parsed(connection.receive(request_of(port)))
        claims = jwt.parse(body["access_token"]).claims
        assert (status, claims["iat"]) == (200, int(port.realm.clock.now))
        assert claims["exp"] == claims["iat"] + body["expires_in"]
        seen.add(claims["jti"])
    assert len(seen) == 3


def test_it_is_answered_as_the_first_time_but_for_the_token(port: Port, connection: Connection) -> None:
    first = port.connect("192.0.2.8").receive(request_of(port))
    again = connection.receive(request_of(port))
    heads = [answer.partition(b"\r\n\r\n")[0] for answer in (first, again)]
    assert heads[0] == heads[1]
    documents = [parsed(answer)[1] for answer in (first, again)]
    claims = [dict(jwt.parse(document.pop("access_token")).claims) for document in documents]
    for own, address in zip(claims, ("192.0.2.8", "192.0.2.7"), strict=True):
        assert (own.pop("clientAddress"), own.pop("clientHost")) == (address, address)
        del own["jti"]
    assert documents[0] == documents[1]
    assert claims[0] == claims[1]


def test_it_is_counted_and_told_like_any_other(port: Port, connection: Connection) -> None:
    told, counted = len(port.sink.events), len(port.counted)
    connection.receive(request_of(port))
    assert port.counted[counted:] == [("token", 200)]
    event = port.sink.events[-1]
    assert len(port.sink.events) == told + 1
    assert (event.type, event.client_id, event.address) == ("CLIENT_LOGIN", "robot", "192.0.2.7")
    assert event.issued_to is not None


def test_an_event_that_is_stored_names_the_token_of_its_own_request(port: Port, connection: Connection) -> None:
    def keep_events(document: RealmRepresentation) -> None:
        document.events_enabled = True
        document.enabled_event_types = ["CLIENT_LOGIN"]

    port.realm.change_realm(keep_events)
    for _ in range(4):
        _, body = parsed(connection.exchange(request_of(port)))
        assert port.sink.events[-1].details["token_id"] == jwt.parse(body["access_token"]).claims["jti"]


CHANGES: dict[str, dict[str, object]] = {
    "disabled": {"enabled": False},
    "another secret": {"secret": "another"},
    "no service account": {"service_accounts_enabled": False},
    "another method": {"client_authenticator_type": "client-jwt"},
}


@pytest.mark.parametrize("fields", CHANGES.values(), ids=list(CHANGES))
def test_a_change_of_the_client_counts_at_once(port: Port, connection: Connection, fields: dict[str, object]) -> None:
    change(port, **fields)
    assert connection.token(port.realm.name, FORM, BASIC).status in {400, 401}


def test_a_client_that_is_gone_gets_nothing_more(port: Port, connection: Connection) -> None:
    with port.realm.store.write() as write:
        client = write.find(CLIENTS, port.realm.id, client_id="robot")
        assert client is not None
        write.delete(CLIENTS, port.realm.id, str(client.id))
    assert connection.token(port.realm.name, FORM, BASIC).status == 401


def test_a_realm_that_is_switched_off_gives_nothing_more(port: Port, connection: Connection) -> None:
    def switch_off(realm: RealmRepresentation) -> None:
        realm.enabled = False

    port.realm.change_realm(switch_off)
    assert connection.token(port.realm.name, FORM, BASIC).status == 403


def test_a_secret_that_has_ended_is_refused(port: Port) -> None:
    realm = port.realm
    ends = int(realm.clock.now) + 60
    expires = {"client.secret.expiration.time": str(ends)}
    realm.add_client(client_id="old", secret="old", service_accounts_enabled=True, attributes=expires)
    connection = port.connect()
    answers = [connection.token(realm.name, FORM, ("old", "old")).status for _ in range(3)]
    realm.clock.now = ends
    answers.append(connection.token(realm.name, FORM, ("old", "old")).status)
    realm.clock.now = ends + 1
    answers.append(connection.token(realm.name, FORM, ("old", "old")).status)
    assert answers == [200, 200, 200, 200, 401]


def test_named_secrets_end_for_requests_that_came_before(port: Port, connection: Connection) -> None:
    """Each by itself: an ended or a removed one is refused, and the others are answered as fast as before."""
    realm, now = port.realm, int(port.realm.clock.now)
    named = [
        ClientCredentialRepresentation(name="ended", type="secret", secret="ended-secret", expires=now - 1),
        ClientCredentialRepresentation(name="ends", type="secret", secret="ending-secret", expires=now + 60),
        ClientCredentialRepresentation(name="stays", type="secret", secret="staying-secret"),
    ]
    change(port, attributes=with_credentials(ClientRepresentation(), named).attributes)

    def ask(secret: str) -> int:
        return connection.token(realm.name, FORM, (BASIC[0], secret)).status

    assert [ask(each) for each in ("ending-secret", "staying-secret") for _ in range(3)] == [200] * 6
    assert port.sink.events[-1].credential == "stays"
    remembered = len(port.repeated)
    realm.clock.now += 61
    assert ask("ending-secret") == 401
    assert [ask("staying-secret") for _ in range(3)] == [200] * 3
    assert len(port.repeated) == remembered - 1, "what has not ended is remembered again"
    change(port, attributes=with_credentials(ClientRepresentation(), named[:2]).attributes)
    assert ask("staying-secret") == 401
    assert ask(BASIC[1]) == 200


@pytest.mark.parametrize("other", [{"address": "192.0.2.8"}, {"secure": False, "address": "127.0.0.1"}])
def test_another_sender_is_looked_at_anew(port: Port, connection: Connection, other: dict[str, object]) -> None:
    document = parsed(port.connect(**other).exchange(request_of(port)))[1]  # type: ignore[arg-type]
    claims = jwt.parse(document["access_token"]).claims
    assert claims["clientAddress"] == other["address"]
    assert claims["iss"].startswith("https://" if other.get("secure", True) else "http://")


def test_a_refusal_is_not_remembered(port: Port, connection: Connection) -> None:
    for _ in range(3):
        assert connection.token(port.realm.name, FORM, ("robot", "wrong")).status == 401
    assert len(port.repeated) == 1


def test_requests_that_come_together_are_each_answered(port: Port, connection: Connection) -> None:
    for _ in range(2):
        answers = connection.receive(request_of(port) * 2)
        assert answers.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert len(port.repeated) == 1


def test_half_a_request_is_none(port: Port, connection: Connection) -> None:
    whole = request_of(port)
    for cut in (20, len(whole) - 5):
        assert connection.receive(whole[:cut]) == b""
        assert connection.receive(whole[cut:]).startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(port.repeated) == 1


def test_one_behind_the_beginning_of_another_is_part_of_that(port: Port, connection: Connection) -> None:
    whole = request_of(port)
    body = whole.partition(b"\r\n\r\n")[2]
    longer = whole.replace(b"content-length: %d" % len(body), b"content-length: %d" % (len(body) + len(whole)))
    assert connection.receive(longer) == b""
    assert connection.receive(whole).startswith(b"HTTP/1.1 4")


def test_what_is_remembered_holds_no_secret(port: Port, connection: Connection) -> None:
    (digest, again), *_ = port.realm.entry.repeated.items()
    assert BASIC[1].encode() not in digest
    assert "client_credentials" not in repr(again)
    assert BASIC[1] not in repr(again)


def test_a_realm_that_has_changed_is_not_kept_by_requests_that_do_not_come_again(port: Port) -> None:
    connection = port.connect()
    assert connection.token(port.realm.name, FORM, BASIC).status == 200
    assert connection.token(port.realm.name, FORM, BASIC).status == 200
    assert parsed(connection.receive(certs_of(port)))[0] == 200
    assert len(port.repeated) == 2
    before = ref(port.realm.entry)
    port.realm.change_realm(rename)
    gc.collect()
    assert before() is None


def test_anybody_may_ask_for_documents_in_many_ways(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated, "MAXIMUM_ANSWERED", 10_000)
    connection = port.connect()
    port.realm.registry.load_realm(port.realm.name)
    for number in range(50):
        assert parsed(connection.receive(certs_of(port, f"x-number: {number}\r\n")))[0] == 200
    assert 0 < len(port.repeated) < 10
    assert len(port.realm.entry.repeated) == len(port.repeated)


# About tokens, and what verifies them


def inquiry(port: Port, token: str) -> bytes:
    return protocol_request(port.realm.name, "token/introspect", {"token": token}, BASIC)


@pytest.fixture
def token(port: Port) -> str:
    """A token that its own client may ask about, which it has done twice."""
    audience = ProtocolMapperRepresentation(
        id="audience",
        name="audience",
        protocol="openid-connect",
        protocol_mapper="oidc-audience-mapper",
        config={"included.client.audience": BASIC[0], "access.token.claim": "true"},
    )
    change(port, protocol_mappers=[audience])
    connection = port.connect()
    made = str(connection.token(port.realm.name, FORM, BASIC).body["access_token"])
    for _ in range(3):
        assert parsed(connection.exchange(inquiry(port, made)))[1]["active"] is True
    return made


def change(port: Port, **fields: object) -> None:
    with port.realm.store.read() as reader:
        client = reader.find(CLIENTS, port.realm.id, client_id=BASIC[0])
    assert client is not None

    def alter(stored: ClientRepresentation) -> None:
        for name, value in fields.items():
            setattr(stored, name, value)

    port.realm.change_client(client, alter)


def test_an_inquiry_is_answered_from_memory_and_told_each_time(port: Port, token: str) -> None:
    connection, told = port.connect(), len(port.sink.events)
    answers = {connection.receive(inquiry(port, token)).partition(b"\r\n\r\n")[2] for _ in range(3)}
    assert [json.loads(answer)["client_id"] for answer in answers] == ["robot"]
    assert [event.type for event in port.sink.events[told:]] == ["INTROSPECT_TOKEN"] * 3
    assert port.counted[-3:] == [("introspect", 200)] * 3


def test_a_token_that_expires_is_not_active_any_more(port: Port, token: str) -> None:
    connection, expires = port.connect(), jwt.parse(token).claims["exp"]
    port.realm.clock.now = expires - 1
    assert parsed(connection.exchange(inquiry(port, token)))[1]["active"] is True
    port.realm.clock.now = expires
    assert parsed(connection.exchange(inquiry(port, token)))[1] == {"active": False}


def test_a_token_that_is_revoked_is_not_active_any_more(port: Port, token: str) -> None:
    connection = port.connect()
    revocation = protocol_request(port.realm.name, "revoke", {"token": token}, BASIC)
    assert connection.exchange(revocation).startswith(b"HTTP/1.1 200")
    assert parsed(connection.exchange(inquiry(port, token)))[1] == {"active": False}


def test_what_has_become_of_its_client_counts_for_a_token(port: Port, token: str) -> None:
    change(port, not_before=int(port.realm.clock.now) + 1)
    assert parsed(port.connect().exchange(inquiry(port, token)))[1] == {"active": False}


@pytest.mark.parametrize("below", ["/protocol/openid-connect/certs", "/.well-known/openid-configuration"])
def test_a_document_follows_the_realm_and_the_host(port: Port, below: str) -> None:
    def ask(host: str) -> dict[str, Any]:
        request = f"GET /realms/{port.realm.name}{below} HTTP/1.1\r\nhost: {host}\r\n\r\n"
        return parsed(caller.exchange(request.encode()))[1]

    def prefer(realm: RealmRepresentation) -> None:
        realm.display_name = "another"

    caller = port.connect()
    first = [ask("one.test") for _ in range(3)][-1]
    assert port.counted[-1][1] == 200
    assert (ask("two.test") == first) is below.endswith("certs")
    with port.realm.store.write() as write:
        for key in write.select(COMPONENTS, port.realm.id):
            write.delete(COMPONENTS, port.realm.id, str(key.id))
    port.realm.change_realm(prefer)
    assert (ask("one.test") == first) is not below.endswith("certs")


def test_no_bytes_make_one_sender_look_like_another() -> None:
    requests = repeated.RepeatedRequests(bytes(32))
    real = requests.digest(b"POST", repeated.sender_of("192.0.2.1", "https", "thumbprint"))
    for pretended in (b"thumbprint\nPOST", b" thumbprint\nPOST", b"\nPOST", b"POST"):
        assert requests.digest(pretended, repeated.sender_of("192.0.2.1", "https")) != real
