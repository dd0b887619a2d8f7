"""A client assertion opens one door, once, and only for whoever holds the key (RFC 7523 §3, RFC 8725)."""

import asyncio
import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.assertions import assertion, form, jwks, key
from harness.deployment import BASE_URL, Deployment
from keyturn.jose import base64url
from keyturn.jose.jwk import PrivateKey, symmetric_key

TOKEN = "/realms/demo/protocol/openid-connect/token"
ISSUER = f"{BASE_URL}/realms/demo"
SECRET = "a-secret-of-more-than-thirty-two-octets"


def add(server: Deployment, client_id: str, **attributes: str) -> None:
    signing = {"use.jwks.string": "true", "jwks.string": jwks(key(), key("RS256"))}
    fields: dict[str, Any] = {"clientAuthenticatorType": "client-jwt", "attributes": signing | attributes}
    server.client(client_id, SECRET, **fields)


@pytest.fixture(scope="module")
def door(shared_server: Deployment) -> Deployment:
    """A server with a client for every method."""
    add(shared_server, "signer")
    shared_server.client("mac", SECRET, clientAuthenticatorType="client-secret-jwt")
    shared_server.client("secret", SECRET)
    return shared_server


def ask(server: Deployment, text: str, **more: str) -> tuple[int, str]:
    response = server.protocol("token", form(text) | more)
    return response.status_code, response.json().get("error_description", "")


def sign(server: Deployment, client_id: str = "signer", signer: PrivateKey | None = None, **options: Any) -> str:
    return assertion(client_id, options.pop("aud", ISSUER), server.clock(), signer, **options)


def test_a_good_one_is_taken(door: Deployment) -> None:
    assert ask(door, sign(door)) == (200, "")


def test_a_replay_at_once_on_many_connections_succeeds_once(door: Deployment) -> None:
    text = sign(door)

    async def at_once() -> list[int]:
        transport = httpx.ASGITransport(door.app)
        async with httpx.AsyncClient(transport=transport) as one, httpx.AsyncClient(transport=transport) as other:
            asked = (client.post(BASE_URL + TOKEN, data=form(text)) for client in (one, other) * 5)
            return [response.status_code for response in await asyncio.gather(*asked)]

    assert sorted(asyncio.run(at_once())) == [200] + [400] * 9


def test_a_replay_at_another_endpoint_is_refused(door: Deployment) -> None:
    text = sign(door)
    token = door.protocol("token", form(text)).json()["access_token"]
    for endpoint in ("token/introspect", "revoke"):
        answer = door.protocol(endpoint, form(text, token=token))
        assert (answer.status_code, answer.json()["error_description"]) == (400, "Token reuse detected")


def test_a_replay_after_a_restart_is_refused(tmp_path: Path) -> None:
    server = Deployment.new(tmp_path)
    add(server, "signer")
    text = sign(server)
    assert ask(server, text)[0] == 200
    server.close()
    again = Deployment.on(tmp_path)
    assert ask(again, text) == (400, "Token reuse detected")
    again.close()


def test_a_replay_at_once_at_two_servers_of_one_database_succeeds_once(tmp_path: Path) -> None:
    one = Deployment.new(tmp_path)
    add(one, "signer")
    other = Deployment.on(tmp_path)
    text = sign(one)

    async def at_once() -> list[int]:
        first, second = (httpx.AsyncClient(transport=httpx.ASGITransport(server.app)) for server in (one, other))
        async with first, second:
            asked = (client.post(BASE_URL + TOKEN, data=form(text)) for client in (first, second) * 3)
            return [response.status_code for response in await asyncio.gather(*asked)]

    assert sorted(asyncio.run(at_once())) == [200] + [400] * 5
    one.close()
    other.close()


def test_a_mac_is_good_for_one_use_as_well(door: Deployment) -> None:
    text = sign(door, "mac", symmetric_key(SECRET.encode(), algorithm="HS256", kid=""), header={"kid": None})
    assert [ask(door, text) for _ in range(2)] == [(200, ""), (400, "Token reuse detected")]


def test_one_with_a_refused_request_is_used_as_well(door: Deployment) -> None:
    text = sign(door)
    assert ask(door, text, scope="nonsense")[0] == 400
    assert ask(door, text) == (400, "Token reuse detected")


def test_one_that_was_not_verified_uses_nothing_up(door: Deployment) -> None:
    """Whoever has no key cannot make another's assertion worthless by its ``jti``."""
    assert ask(door, sign(door, signer=key(number=1), header={"kid": "ES256-0"}, jti="theirs"))[0] == 400
    assert ask(door, sign(door, jti="theirs")) == (200, "")


@pytest.mark.parametrize(
    "audience",
    [
        f"{BASE_URL}/realms/master",
        f"{BASE_URL}/realms/demo/",
        f"{BASE_URL}/realms/DEMO",
        "https://elsewhere.example/realms/demo",
        BASE_URL,
        [],
        [ISSUER, f"{BASE_URL}/realms/master"],
    ],
    ids=str,
)
def test_one_for_somebody_else_is_refused(door: Deployment, audience: Any) -> None:
    status, reason = ask(door, sign(door, aud=audience))
    assert status == 400
    assert "audience" in reason


def test_one_for_this_host_is_worth_nothing_at_another(door: Deployment) -> None:
    other = "https://other.test"
    answer = door.protocol("token", form(sign(door)), base_url=other)
    assert answer.json()["error_description"] == "Invalid token audience"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": -1},
        {"exp": 0},
        {"exp": None},
        {"iat": 60, "exp": 120},
        {"iat": -61},
        {"nbf": 60},
        {"exp": 86400, "iat": None},
        {"jti": None},
    ],
    ids=str,
)
def test_one_that_is_too_old_or_too_early_is_refused(door: Deployment, claims: dict[str, int | None]) -> None:
    now = int(door.clock())
    moved: dict[str, Any] = {
        name: None if seconds is None or name == "jti" else now + seconds for name, seconds in claims.items()
    }
    assert ask(door, sign(door, **moved))[0] == 400


PUBLIC = {
    "der": key("RS256").public.to_der(),
    "pem": b"-----BEGIN PUBLIC KEY-----\n"
    + base64.encodebytes(key("RS256").public.to_der())
    + b"-----END PUBLIC KEY-----",
    "jwk": json.dumps(key("RS256").public.jwk()).encode(),
    "jwks": jwks(key(), key("RS256")).encode(),
    "secret": SECRET.encode(),
}


@pytest.mark.parametrize("material", PUBLIC)
@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_public_key_or_the_secret_is_no_mac_key_of_a_client_that_signs(
    door: Deployment, material: str, algorithm: str
) -> None:
    forger = symmetric_key(PUBLIC[material], algorithm=algorithm, kid="RS256-0")
    assert ask(door, sign(door, signer=forger)) == (400, "Invalid signature algorithm")


@pytest.mark.parametrize("client_id", ["mac", "secret"])
def test_a_key_pair_of_somebodys_own_speaks_for_no_client_with_a_secret(door: Deployment, client_id: str) -> None:
    for header in ({}, {"jwk": key().public.jwk()}, {"jku": "https://evil.example/jwks"}):
        assert ask(door, sign(door, client_id, header=header))[0] in (400, 401)


def test_a_mac_speaks_for_no_client_that_sends_its_secret(door: Deployment) -> None:
    mac = symmetric_key(SECRET.encode(), algorithm="HS256", kid="")
    assert ask(door, sign(door, "secret", mac))[0] == 401
    assert ask(door, sign(door, "mac", mac, header={"kid": None}))[0] == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "", "ES256 ", "es256", "HS256", "RS256", "PS256"])
def test_the_header_does_not_choose_how_it_is_verified(door: Deployment, algorithm: str) -> None:
    genuine = sign(door).split(".")
    header = base64url.encode(json.dumps({"alg": algorithm, "kid": "ES256-0"}).encode()).decode()
    for signature in (genuine[2], ""):
        assert ask(door, f"{header}.{genuine[1]}.{signature}")[0] in (400, 401)


def test_a_key_in_the_header_is_not_looked_at(door: Deployment) -> None:
    own = key(number=7)
    for header in ({"jwk": own.public.jwk()}, {"jku": f"{BASE_URL}/jwks"}, {"x5u": f"{BASE_URL}/x5u"}):
        assert ask(door, sign(door, signer=own, header=header))[0] == 400
        assert ask(door, sign(door, signer=own, header=header | {"kid": "ES256-0"}))[0] == 400


def test_another_clients_assertion_does_not_speak_for_this_one(door: Deployment) -> None:
    everybody: tuple[dict[str, Any], ...] = ({"sub": "secret"}, {"iss": "secret"}, {"sub": "secret", "iss": "secret"})
    for claims in everybody:
        assert ask(door, sign(door, **claims))[0] == 401
    assert ask(door, sign(door), client_id="secret", client_secret="wrong")[0] == 401


BOMBS: dict[str, Callable[[str], str]] = {
    "long": lambda text: text + "A" * 200_000,
    "deep": lambda text: _with_claims(text, "[" * 5_000 + "]" * 5_000),
    "wide": lambda text: _with_claims(text, json.dumps({str(n): n for n in range(1000)})),
    "numbers": lambda text: _with_claims(text, '{"exp":' + "9" * 5_000 + "}"),
    "twice": lambda text: _with_claims(text, '{"sub":"signer","sub":"secret","iss":"signer"}'),
    "unpaired surrogate": lambda text: _with_claims(text, '{"sub":"\\ud800","iss":"\\ud800"}'),
    "deflated": lambda text: _with_header(
        text, {"alg": "ES256", "zip": "DEF", "crit": ["zip"]}, zlib.compress(b" " * 10**6)
    ),
    "crit": lambda text: _with_header(text, {"alg": "ES256", "crit": ["exp"]}, b"{}"),
    "dots": lambda text: "." * 10_000,
    "encrypted": lambda text: f"{text}.x.y",
}


def _with_claims(text: str, claims: str) -> str:
    header, _, signature = text.split(".")
    return f"{header}.{base64url.encode(claims.encode()).decode()}.{signature}"


def _with_header(text: str, header: dict[str, Any], claims: bytes) -> str:
    head = base64url.encode(json.dumps(header).encode()).decode()
    return f"{head}.{base64url.encode(claims).decode()}.{text.split('.')[2]}"


@pytest.mark.parametrize("bomb", BOMBS)
def test_one_that_is_huge_or_twisted_is_refused(door: Deployment, bomb: str) -> None:
    assert ask(door, BOMBS[bomb](sign(door)))[0] in (400, 401, 413)
    assert ask(door, BOMBS[bomb](sign(door)), client_id="signer")[0] in (400, 413)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:22/",
        "http://localhost:9000/metrics",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:8080/",
        "http://0.0.0.0/",
        "http://10.0.0.1/jwks",
        "http://2130706433/",
        "file:///etc/passwd",
        "//127.0.0.1/jwks",
        "/jwks",
    ],
)
def test_a_key_sets_url_reaches_nothing_inside(shared_server: Deployment, url: str) -> None:
    name = f"at-{url}"
    add(shared_server, name, **{"use.jwks.string": "false", "use.jwks.url": "true", "jwks.url": url})
    status, reason = ask(shared_server, sign(shared_server, name))
    assert (status, reason) == (400, "Client authentication with signed JWT failed: Error when loading public keys")
