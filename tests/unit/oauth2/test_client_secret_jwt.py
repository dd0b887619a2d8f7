"""client_secret_jwt (OpenID Connect Core §9) as Keycloak 26.7.3 has it."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.assertions import assertion, form, key
from harness.realm import NOW, make_realm
from harness.realm_server import RealmServer
from keyturn.jose.jwk import PrivateKey, symmetric_key

FAILED = "Client authentication with client secret signed JWT failed"
SECRET = "short"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    realm = make_realm(tmp_path_factory.mktemp("realm"), features=frozenset({"client-secret-rotation"}))
    rotated = {
        "client.secret.rotated": "former",
        "client.secret.rotated.creation.time": str(NOW - 60),
        "client.secret.rotated.expiration.time": str(NOW),
    }
    past = rotated | {"client.secret.rotated.expiration.time": str(NOW - 1)}
    for name, fields in {"svc": {}, "rotating": {"attributes": rotated}, "rotated": {"attributes": past}}.items():
        realm.add_client(
            client_id=name,
            client_authenticator_type="client-secret-jwt",
            service_accounts_enabled=True,
            secret=SECRET,
            **fields,
        )
    yield RealmServer(realm)
    realm.store.close()


def secret(text: str = SECRET, algorithm: str = "HS256") -> PrivateKey:
    return symmetric_key(text.encode(), algorithm=algorithm, kid="")


def ask(server: RealmServer, client_id: str, signer: PrivateKey, **options: Any) -> tuple[int, str | None, str | None]:
    text = assertion(client_id, server.issuer, NOW, signer, **({"header": {"kid": None}} | options))
    response = server.protocol("POST", "token", data=form(text))
    answer = response.json()
    return response.status_code, answer.get("error"), answer.get("error_description")


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_takes_a_mac_keyed_with_the_secret(server: RealmServer, algorithm: str) -> None:
    assert ask(server, "svc", secret(algorithm=algorithm)) == (200, None, None)


def test_refuses_another_secret(server: RealmServer) -> None:
    text = f"{FAILED}: Signature on JWT token by client secret  failed validation"
    assert ask(server, "svc", secret("another")) == (400, "unauthorized_client", text)


def test_refuses_a_signature_by_a_key_pair(server: RealmServer) -> None:
    text = f"{FAILED}: Signature on JWT token by client secret failed validation"
    assert ask(server, "svc", key()) == (400, "unauthorized_client", text)


def test_takes_a_rotated_secret_until_it_expires(server: RealmServer) -> None:
    assert ask(server, "rotating", secret("former"))[0] == 200
    assert ask(server, "rotating", secret())[0] == 200
    assert ask(server, "rotated", secret("former"))[0] == 400


def test_takes_an_assertion_once(server: RealmServer) -> None:
    assert ask(server, "svc", secret(), jti="once")[0] == 200
    assert ask(server, "svc", secret(), jti="once") == (400, "invalid_client", "Token reuse detected")


def test_says_what_is_wrong_with_an_expired_one(server: RealmServer) -> None:
    assert ask(server, "svc", secret(), exp=NOW - 1) == (400, "invalid_client", "Token is not active")


def test_does_not_take_the_secret_itself(server: RealmServer) -> None:
    form = {"grant_type": "client_credentials", "client_id": "svc", "client_secret": SECRET}
    response = server.protocol("POST", "token", data=form)
    assert response.json()["error_description"] == "Parameter client_assertion_type is missing"
