"""Clients that sign (RFC 7523 §2.2), against the server that checks them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.assertions import jwks, key
from harness.realm import NOW, make_realm
from harness.realm_server import BASE_URL, RealmServer
from keyturn.client import Authentication, ClientSecretJwt, PrivateKeyJwt, client_credentials_request
from keyturn.jose import jwk, jwt

SECRET = "a-secret-of-more-than-thirty-two-octets"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    realm = make_realm(tmp_path_factory.mktemp("realm"))
    attributes = {"use.jwks.string": "true", "jwks.string": jwks(key(), key("EdDSA"))}
    machine = {"service_accounts_enabled": True}
    realm.add_client(client_id="signer", client_authenticator_type="client-jwt", attributes=attributes, **machine)
    realm.add_client(client_id="mac", client_authenticator_type="client-secret-jwt", secret=SECRET, **machine)
    yield RealmServer(realm)
    realm.store.close()


def status(server: RealmServer, authentication: Authentication) -> int:
    """What the token endpoint says to the client's request."""
    request = client_credentials_request(f"{server.issuer}/protocol/openid-connect/token", authentication)
    path = request.url.removeprefix(BASE_URL)
    sent = server.request("POST", f"/{path}", content=request.body, headers=dict(request.headers))
    return sent.status_code


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_key_pair_proves_who_it_is_again_and_again(server: RealmServer, algorithm: str) -> None:
    signer = key(algorithm)
    authentication = PrivateKeyJwt("signer", signer, server.issuer, signer.kid, lambda: NOW)
    assert [status(server, authentication) for _ in range(3)] == [200] * 3


def test_a_key_comes_from_a_file(server: RealmServer, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(key().to_pem())
    made = PrivateKeyJwt.from_pem("signer", file, server.issuer, kid=key().kid)
    assert status(server, PrivateKeyJwt("signer", made.key, server.issuer, made.kid, lambda: NOW)) == 200


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_secret_signs_without_being_sent(server: RealmServer, algorithm: str) -> None:
    authentication = ClientSecretJwt("mac", SECRET, server.issuer, algorithm, lambda: NOW)
    assert SECRET not in json.dumps(dict(authentication.parameters()))
    assert status(server, authentication) == 200


def test_each_assertion_is_another_and_good_for_a_minute() -> None:
    authentication = PrivateKeyJwt("c", key(), "https://as", "k", lambda: NOW)
    first, second = (jwt.parse(authentication.parameters()["client_assertion"]) for _ in range(2))
    assert first.claims["jti"] != second.claims["jti"]
    assert first.header == {"alg": "ES256", "typ": "JWT", "kid": "k"}
    assert {name: first.claims[name] for name in ("iss", "sub", "aud", "iat", "exp")} == {
        "iss": "c",
        "sub": "c",
        "aud": "https://as",
        "iat": NOW,
        "exp": NOW + 60,
    }


def test_nothing_secret_is_shown() -> None:
    shown = repr(PrivateKeyJwt("c", key(), "https://as")) + repr(ClientSecretJwt("c", SECRET, "https://as"))
    assert SECRET not in shown
    assert "PrivateKey(" not in shown


def test_a_shared_secret_is_no_key_pair() -> None:
    with pytest.raises(ValueError, match="key pair"):
        PrivateKeyJwt("c", jwk.symmetric_key(b"s", algorithm="HS256", kid=""), "https://as")
