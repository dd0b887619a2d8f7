"""The credentials of a client, by the admin API."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from admin_server import NOW, Answer, Server
from harness.assertions import jwks, key
from keyturn.jose import x509
from keyturn.registry.registry import Registry
from keyturn.store.collections import CLIENTS, REALMS
from keyturn.store.spi import ClientUse

LATER = int(NOW) + 1000
SECRET = "a secret of one's own"
CI = {
    "alias": "ci",
    "providerId": "oidc",
    "config": {
        "issuer": "https://ci.example",
        "supportsClientAssertions": "true",
        "publicKeySignatureVerifier": jwks(key()),
    },
}
GITHUB = CI | {"alias": "github", "config": CI["config"] | {"issuer": "https://token.actions.githubusercontent.com"}}  # type: ignore[operator]


@pytest.fixture
def server(shared_server: Server) -> Server:
    shared_server.now = NOW
    return shared_server


@pytest.fixture
def client(server: Server) -> Iterator[str]:
    made = server.call("POST", "/demo/clients", {"clientId": "svc", "serviceAccountsEnabled": True}).id
    yield made
    server.call("DELETE", f"/demo/clients/{made}")


def path(client: str, name: str = "") -> str:
    return f"/demo/clients/{client}/credentials" + (f"/{name}" if name else "")


def add(server: Server, client: str, **fields: Any) -> Answer:
    return server.call("POST", path(client), {"type": "secret"} | fields)


def listed(server: Server, client: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.call("GET", path(client)).body
    return found


def names(server: Server, client: str) -> list[str]:
    return [each["name"] for each in listed(server, client)]


def test_the_secret_that_keycloak_knows_is_the_first(server: Server, client: str) -> None:
    assert listed(server, client) == [{"name": "secret", "type": "secret", "created": int(NOW)}]


def test_a_new_secret_is_told_once(server: Server, client: str) -> None:
    made = add(server, client, name="2027", expires=LATER)
    assert (made.status, made.id) == (201, "2027")
    assert len(made.body["secret"]) > 40
    known = {"name": "2027", "type": "secret", "created": int(NOW), "expires": LATER}
    assert made.body == known | {"secret": made.body["secret"]}
    assert server.call("GET", path(client, "2027")).body == known
    assert listed(server, client)[1] == known
    assert add(server, client, name="own", secret=SECRET).body["secret"] == SECRET
    assert add(server, client).id.startswith("secret-")


def test_no_document_of_the_client_has_its_credentials(server: Server, client: str) -> None:
    add(server, client, name="own", secret=SECRET)
    add(server, client, name="pair", type="key", publicKey=json.dumps(key().public.jwk()))
    for where, query in ((f"/demo/clients/{client}", ""), ("/demo/clients", "clientId=svc")):
        assert "keyturn.credentials" not in json.dumps(server.call("GET", where, query=query).body)
    exported = json.dumps(server.call("POST", "/demo/partial-export", query="exportClients=true").body)
    assert SECRET not in exported
    assert "keyturn.credentials" in exported


def test_a_change_of_the_client_leaves_its_credentials_alone(server: Server, client: str) -> None:
    add(server, client, name="own", secret=SECRET)
    document = server.call("GET", f"/demo/clients/{client}").body
    document["attributes"] |= {"keyturn.credentials": "[]", "keyturn.credentials.secrets": ""}
    assert server.call("PUT", f"/demo/clients/{client}", document).status == 204
    assert names(server, client) == ["secret", "own"]


def test_refuses_what_is_no_credential(server: Server, client: str) -> None:
    for provider in (CI, GITHUB):
        assert server.call("POST", "/demo/identity-provider/instances", provider).status == 201
    add(server, client, name="taken", secret=SECRET)
    own_key = json.dumps(key().public.jwk())
    cases: list[tuple[dict[str, Any], int]] = [
        ({"name": "secret"}, 400),
        ({"name": "a/b"}, 400),
        ({"name": "x" * 65}, 400),
        ({"name": "taken"}, 409),
        ({"type": "password"}, 400),
        ({"type": None}, 400),
        ({"expires": int(NOW)}, 400),
        ({"secret": "short"}, 400),
        ({"secret": "x" * 256}, 400),
        ({"secret": SECRET}, 400),
        ({"replaces": "nobody"}, 404),
        ({"replaces": "secret", "expires": LATER}, 400),
        ({"replaces": "secret", "overlap": -1}, 400),
        ({"type": "key"}, 400),
        ({"type": "key", "publicKey": "nonsense"}, 400),
        ({"type": "key", "publicKey": jwks(key(), key(number=1))}, 400),
        ({"type": "key", "publicKey": own_key, "replaces": "secret"}, 400),
        ({"type": "certificate", "certificate": "nonsense"}, 400),
        ({"type": "federated", "issuer": "nobody", "claims": {"sub": ["x"]}}, 400),
        ({"type": "federated", "issuer": "ci", "claims": {"sub": ["**"]}}, 400),
        ({"type": "federated", "issuer": "ci"}, 400),
        ({"type": "federated", "issuer": "github", "claims": {"sub": ["repo:**"]}}, 400),
        ({"type": "federated", "issuer": "github", "claims": {"environment": ["live"]}}, 400),
        ({"type": "federated", "issuer": "github", "claims": {"sub": ["repo:shop/*:environment:live"]}}, 201),
        ({"type": "federated", "issuer": "github", "claims": {"repository_owner_id": "7", "ref": ["x"]}}, 201),
    ]
    answers = [(fields, add(server, client, **fields).status) for fields, _ in cases]
    assert answers == cases


def test_a_public_client_has_none(server: Server) -> None:
    client = server.call("POST", "/demo/clients", {"clientId": "public", "publicClient": True}).id
    assert listed(server, client) == []
    assert add(server, client).status == 400


def test_what_is_left_to_a_client_that_only_takes_tokens_is_seen_and_removed(server: Server, client: str) -> None:
    """It proves itself by it where it asks about tokens."""
    add(server, client, name="left", secret=SECRET)
    document = server.call("GET", f"/demo/clients/{client}").body
    server.call("PUT", f"/demo/clients/{client}", document | {"bearerOnly": True})
    assert names(server, client) == ["left"]
    assert server.call("DELETE", path(client, "left")).status == 204
    compiled = server.registry.load_client("demo", "svc")
    assert compiled is not None
    assert "left" not in [secret.name for secret in compiled.secrets]


def test_a_client_has_ten_at_most_and_those_that_expired_make_room(server: Server, client: str) -> None:
    for number in range(10):
        assert add(server, client, expires=LATER + number).status == 201
    assert add(server, client).status == 400
    server.now = LATER + 1
    assert add(server, client, name="another").status == 201
    assert len(listed(server, client)) == 1 + 9 + 1


def test_a_certificate_ends_when_it_says(server: Server, client: str) -> None:
    der = x509.self_signed(key().material, "svc", now=NOW, years=1)
    made = add(server, client, type="certificate", name="cert", certificate=b64encode(der).decode())
    assert made.status == 201
    assert made.body["expires"] == x509.valid_until(x509.certificate_der(made.body["certificate"]))
    server.call("PUT", path(client, "cert"), {"expires": 2**40})
    assert server.call("GET", path(client, "cert")).body["expires"] == made.body["expires"]


def test_a_private_key_beside_the_public_one_is_refused(server: Server, client: str) -> None:
    """What is no secret of a credential is stored, shown and exported as it is."""
    pair = x509.development_ca(["a.example"], now=NOW)
    both = (pair.certificate + pair.key).decode()
    answer = add(server, client, type="certificate", certificate=both)
    assert answer.status == 400
    assert "PRIVATE" not in json.dumps(answer.body)
    assert add(server, client, type="certificate", certificate=pair.certificate.decode()).status == 201


def test_what_replaces_the_secret_that_keycloak_knows_becomes_it(server: Server, client: str) -> None:
    before = server.call("GET", f"/demo/clients/{client}/client-secret").body["value"]
    server.now += 100
    made = add(server, client, name="old", replaces="secret", overlap=500)
    assert (made.status, made.id) == (201, "secret")
    after = server.call("GET", f"/demo/clients/{client}/client-secret").body["value"]
    assert made.body["secret"] == after != before
    assert listed(server, client) == [
        {"name": "secret", "type": "secret", "created": int(NOW) + 100},
        {"name": "old", "type": "secret", "created": int(NOW), "expires": int(NOW) + 600},
    ]
    assert add(server, client, secret=before).status == 400, "it is there already"
    assert add(server, client, replaces="secret").status == 201
    assert names(server, client) == ["secret", "old"], "without an overlap the one before ends at once"


def test_what_replaces_a_named_one_leaves_it_the_overlap(server: Server, client: str) -> None:
    add(server, client, name="one")
    add(server, client, name="two", replaces="one", overlap=60)
    add(server, client, name="three", replaces="two")
    assert [(each["name"], each.get("expires")) for each in listed(server, client)[1:]] == [
        ("one", int(NOW) + 60),
        ("three", None),
    ]


def test_the_end_of_a_credential_can_be_moved_and_nothing_else(server: Server, client: str) -> None:
    add(server, client, name="own", secret=SECRET)
    document = server.call("GET", path(client, "own")).body
    assert server.call("PUT", path(client, "own"), document | {"expires": LATER}).status == 204
    assert server.call("GET", path(client, "own")).body["expires"] == LATER
    assert server.call("PUT", path(client, "own"), {"expires": 0}).status == 204
    assert "expires" not in server.call("GET", path(client, "own")).body
    for change in ({"secret": "x" * 30}, {"type": "key"}, {"name": "other"}, {"expires": -1}):
        assert server.call("PUT", path(client, "own"), change).status == 400
    assert server.call("PUT", path(client, "secret"), {"expires": LATER}).status == 400
    assert server.call("PUT", path(client, "nobody"), {}).status == 404


def test_a_credential_that_is_removed_is_gone(server: Server, client: str) -> None:
    add(server, client, name="own")
    assert server.call("DELETE", path(client, "own")).status == 204
    assert server.call("DELETE", path(client, "own")).status == 404
    assert server.call("DELETE", path(client, "secret")).status == 400
    with server.store.read() as reader:
        stored = reader.get(CLIENTS, _realm(server), client)
    assert stored is not None
    assert "keyturn.credentials.secrets" not in stored.attributes  # type: ignore[operator]


@pytest.mark.parametrize(
    ("role", "reads", "writes"), [("view-clients", 200, 403), ("manage-clients", 200, 201), ("view-realm", 403, 403)]
)
def test_rights_are_those_of_the_clients_secret(
    server: Server, client: str, role: str, reads: int, writes: int
) -> None:
    token = server.holder_of(role)
    assert server.call("GET", path(client), token=token).status == reads
    assert server.call("GET", path(client, "secret"), token=token).status == reads
    assert server.call("GET", "/demo/credentials", token=token).status == reads
    assert server.call("POST", path(client), {"type": "secret"}, token=token).status == writes
    if writes == 403:
        assert server.call("PUT", path(client, "secret"), {}, token=token).status == 403
        assert server.call("DELETE", path(client, "secret"), token=token).status == 403


def test_the_management_client_is_nobodys_to_change(server: Server) -> None:
    management = server.call("GET", "/demo/clients", query="clientId=realm-management").body[0]["id"]
    assert add(server, management).status == 403


def _realm(server: Server) -> str:
    with server.store.read() as reader:
        realm = reader.find(REALMS, None, realm="demo")
    assert realm is not None
    return str(realm.id)


def test_each_change_is_an_admin_event_without_the_secret(server: Server, client: str) -> None:
    server.call("PUT", "/demo", {"adminEventsEnabled": True, "adminEventsDetailsEnabled": True})
    add(server, client, name="own", secret=SECRET)
    server.call("PUT", path(client, "own"), {"expires": LATER})
    server.call("DELETE", path(client, "own"))
    events = server.call("GET", "/demo/admin-events").body
    told = [(each["operationType"], each["resourceType"], each["resourcePath"]) for each in reversed(events)]
    place = f"clients/{client}/credentials/own"
    assert told[-3:] == [("CREATE", "CLIENT", place), ("UPDATE", "CLIENT", place), ("DELETE", "CLIENT", place)]
    assert SECRET not in json.dumps(events)
    assert "**********" in json.dumps(events)


def test_tells_when_each_was_used_and_from_where(server: Server, client: str) -> None:
    add(server, client, name="own")
    realm, now = _realm(server), int(NOW)
    with server.store.write() as tx:
        tx.count_uses([ClientUse(realm, client, 1, now + 5, "", "192.0.2.1")])
        tx.count_uses([ClientUse(realm, client, 2, now - 5, "own", "192.0.2.2")])
    first, own = listed(server, client)
    assert (first["lastUsed"], first["lastUsedFrom"]) == (now + 5, "192.0.2.1")
    assert "lastUsed" not in own, "that was one of the same name, from before"
    add(server, client, name="old", replaces="secret", overlap=60)
    assert [each.get("lastUsed") for each in listed(server, client)] == [None, None, now + 5]
    attributes = server.call("GET", f"/demo/clients/{client}").body["attributes"]
    assert (attributes["keyturn.lastUsed"], attributes["keyturn.tokensIssued"]) == (str(now + 5), "3")


def test_a_realms_credentials_are_found_by_their_end_and_their_use(server: Server, client: str) -> None:
    other = server.call("POST", "/demo/clients", {"clientId": "other"}).id
    add(server, client, name="soon", expires=LATER)
    add(server, client, name="late", expires=LATER + 1000)
    add(server, other, name="pair", type="key", publicKey=json.dumps(key().public.jwk()))
    with server.store.write() as tx:
        tx.count_uses([ClientUse(_realm(server), client, 1, int(NOW) + 50, "late", "192.0.2.1")])

    def found(query: str) -> list[tuple[str, str]]:
        body = server.call("GET", "/demo/credentials", query=query).body
        return [(each["clientId"], each["name"]) for each in body if each["clientId"] in ("svc", "other")]

    assert found(f"expiresBefore={LATER + 1}") == [("svc", "soon")]
    assert found("type=key") == [("other", "pair")]
    assert found(f"unusedSince={int(NOW)}") == [], "none is as old as that"
    assert ("svc", "late") not in found(f"unusedSince={int(NOW) + 10}")
    assert ("svc", "soon") in found(f"unusedSince={int(NOW) + 10}")
    assert ("svc", "late") not in found("neverUsed=true")
    everything = server.call("GET", "/demo/credentials").body
    assert server.call("GET", "/demo/credentials", query="first=1&max=2").body == everything[1:3]
    assert {each["client"] for each in everything} >= {client, other}


def test_credentials_come_along_in_an_import(server: Server, client: str) -> None:
    """As from an export with secrets; one that was to be seen has none, and so no credential without its secret."""
    add(server, client, name="own", secret=SECRET)
    add(server, client, name="pair", type="key", publicKey=json.dumps(key().public.jwk()))
    with server.store.read() as reader:
        stored = reader.get(CLIENTS, _realm(server), client)
    assert stored is not None
    attributes: dict[str, str] = dict(stored.attributes)  # type: ignore[arg-type]
    for name, given in (("whole", attributes), ("seen", attributes | {"keyturn.credentials.secrets": ""})):
        sent = {"clientId": name, "attributes": given}
        imported = server.call("POST", "/demo/partialImport", {"clients": [sent], "ifResourceExists": "FAIL"})
        copy = imported.body["results"][0]["id"]
        assert names(server, copy) == (["secret", "own", "pair"] if name == "whole" else ["secret", "pair"])
    strange = [{"name": name, "type": "secret"} for name in ("secret", "rotated", "a\0b", "", "empty", "good")]
    secrets = dict.fromkeys(("secret", "rotated", "a\0b", "", "good"), SECRET) | {"empty": ""}
    given = {"keyturn.credentials": json.dumps(strange), "keyturn.credentials.secrets": json.dumps(secrets)}
    copy = server.call("POST", "/demo/clients", {"clientId": "strange", "attributes": given}).id
    assert names(server, copy) == ["secret", "good"]
    compiled = server.registry.load_client("demo", "strange")
    assert compiled is not None
    assert [secret.name for secret in compiled.secrets] == ["good", ""]
    broken = {"clientId": "broken", "attributes": {"keyturn.credentials": "nonsense"}}
    assert server.call("POST", "/demo/clients", broken).status == 400


def test_a_partial_export_can_be_imported_again(server: Server, client: str) -> None:
    add(server, client, name="own", secret=SECRET)
    for expected in (["secret"], ["secret", "pair"]):
        exported = server.call("POST", "/demo/partial-export", query="exportClients=true").body
        sent = {"clients": [each for each in exported["clients"] if each["clientId"] == "svc"]}
        answer = server.call("POST", "/demo/partialImport", sent | {"ifResourceExists": "OVERWRITE"})
        assert answer.status == 200
        copy = answer.body["results"][0]["id"]
        assert names(server, copy) == expected
        add(server, copy, name="pair", type="key", publicKey=json.dumps(key().public.jwk()))
    server.call("DELETE", f"/demo/clients/{copy}")


def test_keycloaks_rotation_is_told_of_too(server: Server, client: str) -> None:
    """And what replaces the secret leaves the one before to the policy, where there is one that rotates."""
    server = Server(server.store, Registry(server.store, features=frozenset({"client-secret-rotation"})))
    periods = {"expiration-period": 1000, "rotated-expiration-period": 100, "remaining-rotation-period": 10}
    executor = {"executor": "secret-rotation", "configuration": periods}
    policies = "/demo/client-policies"
    server.call("PUT", f"{policies}/profiles", {"profiles": [{"name": "rotation", "executors": [executor]}]})
    condition = {"condition": "client-access-type", "configuration": {"type": ["confidential"]}}
    policy = {"name": "rotation", "enabled": True, "profiles": ["rotation"], "conditions": [condition]}
    server.call("PUT", f"{policies}/policies", {"policies": [policy]})
    with server.store.write() as tx:
        tx.count_uses([ClientUse(_realm(server), client, 1, int(NOW) + 5, "", "192.0.2.1")])
    server.now = NOW + 10
    for sent, to in ((None, "client-secret"), ({"type": "secret", "replaces": "secret", "overlap": 50}, "credentials")):
        before = server.call("GET", f"/demo/clients/{client}/client-secret").body["value"]
        assert server.call("POST", f"/demo/clients/{client}/{to}", sent).status in (200, 201)
        assert server.call("GET", f"/demo/clients/{client}/client-secret/rotated").body["value"] == before
        first, rotated = listed(server, client)
        assert (first["name"], first["expires"]) == ("secret", int(NOW) + 1010)
        assert (rotated["name"], rotated["expires"]) == ("rotated", int(NOW) + 110)
    server.call("PUT", f"{policies}/policies", {"policies": []})
    assert server.call("DELETE", path(client, "rotated")).status == 204
    assert names(server, client) == ["secret"]
