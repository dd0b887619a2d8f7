"""A client with several credentials: each proves it while it counts, and what was used is told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from harness.assertions import assertion, form, jwks, key, with_keys
from harness.realm import NOW, RealmUnderTest, make_realm
from harness.realm_server import RealmServer
from keyturn.jose.jwk import symmetric_key
from keyturn.model.client_credential import named_credentials, with_credentials
from keyturn.representations import ClientRepresentation
from keyturn.representations.client_credential import ClientCredentialRepresentation

_GRANT = {"grant_type": "client_credentials"}


def secret(name: str, text: str, **fields: Any) -> ClientCredentialRepresentation:
    return ClientCredentialRepresentation(name=name, type="secret", secret=text, **fields)


def public(name: str, number: int, **fields: Any) -> ClientCredentialRepresentation:
    jwk = json.dumps(key(number=number).public.jwk())
    return ClientCredentialRepresentation(name=name, type="key", public_key=jwk, **fields)


def give(
    realm: RealmUnderTest, client: ClientRepresentation, *credentials: ClientCredentialRepresentation
) -> ClientRepresentation:
    def change(document: ClientRepresentation) -> None:
        document.attributes = with_credentials(document, credentials).attributes

    realm.change_client(client, change)
    return client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    realm = make_realm(tmp_path_factory.mktemp("realm"), revoke_refresh_token=False)
    by_secret = realm.add_client(client_id="svc", secret="first-secret", service_accounts_enabled=True)
    give(
        realm,
        by_secret,
        secret("second", "second-secret"),
        secret("ends", "ending-secret", expires=NOW + 100),
        secret("ended", "ended-secret", expires=NOW - 1),
        public("pair", 1),
    )
    by_key = realm.add_client(client_id="signer", secret="unused-secret", **with_keys(key()))
    give(realm, by_key, public("other", 1), public("ended", 2, expires=NOW - 1), secret("spare", "spare-secret"))
    yield RealmServer(realm)
    realm.store.close()


@pytest.fixture(autouse=True)
def now(server: RealmServer) -> None:
    server.realm.clock.now = NOW


def by_secret(server: RealmServer, text: str, client: str = "svc") -> int:
    return server.protocol("POST", "token", data=_GRANT, auth=(client, text)).status_code


def used(server: RealmServer) -> str:
    return server.sink.events[-1].credential


@pytest.mark.parametrize(
    ("text", "status", "name"),
    [
        ("first-secret", 200, ""),
        ("second-secret", 200, "second"),
        ("ending-secret", 200, "ends"),
        ("ended-secret", 401, ""),
    ],
)
def test_any_secret_that_counts_proves_the_client(server: RealmServer, text: str, status: int, name: str) -> None:
    assert by_secret(server, text) == status
    assert used(server) == name


def test_an_expired_secret_is_refused_for_requests_that_came_before_too(server: RealmServer) -> None:
    assert [by_secret(server, "ending-secret") for _ in range(3)] == [200] * 3
    server.realm.clock.now = NOW + 101
    assert by_secret(server, "ending-secret") == 401
    assert by_secret(server, "second-secret") == 200


def test_secrets_that_have_expired_do_not_end_what_rests_on_others(server: RealmServer) -> None:
    client = server.realm.registry.load_client(server.realm.name, "svc")
    assert client is not None
    assert client.secrets_until(NOW) == NOW + 100
    assert client.secrets_until(NOW + 101) == float("inf")


def test_named_keys_sign_for_a_client_beside_its_secret_and_for_one_with_keys(server: RealmServer) -> None:
    for client, number, name in (("svc", 1, "pair"), ("signer", 0, ""), ("signer", 1, "other")):
        signed = assertion(client, server.issuer, NOW, key(number=number))
        assert server.protocol("POST", "token", data=form(signed)).status_code == 200
        assert used(server) == name
        assert server.sink.events[-1].client_id == client


def test_an_expired_or_strange_key_verifies_nothing(server: RealmServer) -> None:
    for client, number in (("signer", 2), ("signer", 3), ("svc", 0)):
        signed = assertion(client, server.issuer, NOW, key(number=number))
        assert server.protocol("POST", "token", data=form(signed)).status_code == 400


def test_an_assertion_with_a_named_key_counts_once(server: RealmServer) -> None:
    signed = form(assertion("svc", server.issuer, NOW, key(number=1)))
    assert [server.protocol("POST", "token", data=signed).status_code for _ in range(2)] == [200, 400]


def test_only_the_named_secrets_of_a_client_that_signs_prove_it(server: RealmServer) -> None:
    """The one that Keycloak makes for every client was never told to anybody."""
    assert by_secret(server, "spare-secret", "signer") == 200
    assert by_secret(server, "unused-secret", "signer") == 401


def test_events_tell_how_the_client_proved_itself(server: RealmServer) -> None:
    def keep(document: Any) -> None:
        document.events_enabled = True

    server.realm.change_realm(keep)
    assert by_secret(server, "spare-secret", "signer") == 200
    assert server.sink.events[-1].details["client_auth_method"] == "client-secret"
    signed = assertion("svc", server.issuer, NOW, key(number=1))
    server.protocol("POST", "token", data=form(signed))
    assert server.sink.events[-1].details["client_auth_method"] == "client-jwt"


def test_a_resource_servers_question_counts_as_a_use_of_its_secret(server: RealmServer) -> None:
    server.protocol("POST", "token/introspect", data={"token": "x"}, auth=("svc", "second-secret"))
    event = server.sink.events[-1]
    assert (event.credential, event.issued_to) == ("second", None)
    assert event.proved is not None


def test_a_removed_secret_is_refused_at_once(server: RealmServer) -> None:
    realm = server.realm
    client = realm.add_client(client_id="short", secret="kept-secret", service_accounts_enabled=True)
    give(realm, client, secret("gone", "going-secret"))
    assert [by_secret(server, "going-secret", "short") for _ in range(2)] == [200, 200]
    give(realm, client)
    assert by_secret(server, "going-secret", "short") == 401
    assert by_secret(server, "kept-secret", "short") == 200


def test_named_secrets_are_in_no_attribute_in_memory(server: RealmServer) -> None:
    client = server.realm.registry.load_client(server.realm.name, "svc")
    assert client is not None
    assert "second-secret" not in repr(client.attributes)


def test_a_client_that_signs_with_its_secret_signs_with_any(server: RealmServer) -> None:
    realm = server.realm
    client = realm.add_client(
        client_id="mac",
        secret="one-secret-of-32-characters-here",
        client_authenticator_type="client-secret-jwt",
        service_accounts_enabled=True,
    )
    give(realm, client, secret("two", "two-secret-of-32-characters-here"))
    for text, name in (("one-secret-of-32-characters-here", ""), ("two-secret-of-32-characters-here", "two")):
        signer = symmetric_key(text.encode(), algorithm="HS256", kid="")
        signed = assertion("mac", server.issuer, NOW, signer, header={"kid": None})
        assert server.protocol("POST", "token", data=form(signed)).status_code == 200
        assert used(server) == name


def test_what_cannot_be_read_is_no_credential() -> None:
    for text in ("nonsense", "{}", '[{"unknown": 1}]', '[{"name": "x", "type": "secret"}]'):
        assert named_credentials({"keyturn.credentials": text}) == ()
    whole = with_credentials(ClientRepresentation(attributes={"a": "b"}), [secret("x", "y")])
    assert [each.secret for each in named_credentials(whole.attributes)] == ["y"]  # type: ignore[arg-type]
    assert jwks(key()) not in repr(whole)
