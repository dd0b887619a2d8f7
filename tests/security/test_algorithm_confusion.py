"""A token's ``alg`` never chooses how it is checked (RFC 8725 §3.1): the key does."""

import json
from collections.abc import Callable

import pytest

from harness.deployment import Deployment, claims_of, forged
from harness.gates import CLIENT, EVERYWHERE, NOWHERE, SECRET, opened
from keyturn.jose import base64url
from keyturn.jose.jwk import PublicKey, symmetric_key


def signed_by_nobody(token: str, algorithm: str, signature: str = "") -> str:
    """`token` as if no signature were needed."""
    header = base64url.encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).decode()
    return f"{header}.{token.split('.')[1]}.{signature}"


def test_a_genuine_token_opens_every_door(shared_server: Deployment, genuine: str) -> None:
    assert opened(shared_server, genuine) == EVERYWHERE


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "HS256 "])
def test_an_unsigned_token_opens_nothing(shared_server: Deployment, genuine: str, algorithm: str) -> None:
    assert opened(shared_server, signed_by_nobody(genuine, algorithm)) == NOWHERE
    assert opened(shared_server, signed_by_nobody(genuine, algorithm, genuine.split(".")[2])) == NOWHERE


SECRETS: dict[str, Callable[[PublicKey], bytes]] = {
    "der": lambda key: key.to_der(),
    "jwk": lambda key: json.dumps(key.jwk()).encode(),
    "modulus": lambda key: key.jwk()["n"].encode(),
}


@pytest.mark.parametrize("form", SECRETS)
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_shared_secret(shared_server: Deployment, genuine: str, form: str, algorithm: str) -> None:
    key = shared_server.key()
    secret = symmetric_key(SECRETS[form](key.public), algorithm=algorithm, kid=key.kid)
    assert opened(shared_server, forged(secret, claims_of(genuine))) == NOWHERE


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "ES256", "EdDSA", "HS512"])
def test_a_key_verifies_its_own_algorithm_alone(shared_server: Deployment, genuine: str, algorithm: str) -> None:
    token = forged(shared_server.key(), claims_of(genuine), alg=algorithm)
    assert opened(shared_server, token) == NOWHERE


def test_the_realms_own_shared_secret_makes_no_administrator(shared_server: Deployment, genuine: str) -> None:
    """Clients may ask for HS512; who verifies with a shared secret could sign with it, so the admin API takes none."""
    assert "admin" not in opened(shared_server, forged(shared_server.key(algorithm="HS512"), claims_of(genuine)))


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_with_one_bit_changed_opens_nothing(shared_server: Deployment, genuine: str, part: int) -> None:
    parts = genuine.split(".")
    content = bytearray(base64url.decode(parts[part]))
    content[len(content) // 2] ^= 1
    parts[part] = base64url.encode(bytes(content)).decode()
    assert opened(shared_server, ".".join(parts)) == NOWHERE


@pytest.mark.parametrize("ending", ["=", "==", "\n", " ", ".", ".e30"])
def test_a_token_has_one_spelling(shared_server: Deployment, genuine: str, ending: str) -> None:
    form = {"token": genuine + ending, "client_id": CLIENT, "client_secret": SECRET}
    assert shared_server.protocol("token/introspect", form).json() == {"active": False}


def test_refresh_tokens_are_read_with_the_realms_own_secret_alone(shared_server: Deployment) -> None:
    shared_server.person("ada", "password")
    refresh = shared_server.login("ada", "password")["refresh_token"]
    key = shared_server.key()
    for token in (
        forged(key, claims_of(refresh)),
        forged(symmetric_key(key.public.to_der(), algorithm="HS512", kid=key.kid), claims_of(refresh)),
        signed_by_nobody(refresh, "none"),
    ):
        form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": token}
        answer = shared_server.protocol("token", form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
