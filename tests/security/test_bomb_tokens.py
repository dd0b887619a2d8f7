"""Tokens and proofs that are huge, deep or twisted cost little and open nothing, at every door (RFC 8725 §3.11)."""

import json
import zlib
from collections.abc import Callable

import pytest

from harness.deployment import BASE_URL, Deployment
from harness.gates import NOWHERE, opened
from harness.proofs import Holder
from keyturn.jose import base64url


def _with_claims(text: str, claims: bytes) -> str:
    header, _, signature = text.split(".")
    return f"{header}.{base64url.encode(claims).decode()}.{signature}"


def _with_header(text: str, header: bytes) -> str:
    return f"{base64url.encode(header).decode()}.{text.partition('.')[2]}"


BOMBS: dict[str, Callable[[str], str]] = {
    "long": lambda text: text + "A" * 200_000,
    "a long header": lambda text: _with_header(text, b'{"alg":"RS256","kid":"' + b"k" * 100_000 + b'"}'),
    "deep": lambda text: _with_claims(text, b"[" * 20_000 + b"]" * 20_000),
    "a deep header": lambda text: _with_header(text, b'{"alg":"RS256","x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
    "wide": lambda text: _with_claims(text, json.dumps({str(n): n for n in range(5000)}).encode()),
    "a large number": lambda text: _with_claims(text, b'{"exp":' + b"9" * 20_000 + b"}"),
    "infinity": lambda text: _with_claims(text, b'{"exp":1e999}'),
    "a claim twice": lambda text: _with_claims(text, b'{"sub":"a","sub":"b"}'),
    "half a surrogate pair": lambda text: _with_claims(text, b'{"sub":"\\ud800"}'),
    "no UTF-8": lambda text: _with_claims(text, b'{"sub":"\xff"}'),
    "deflated": lambda text: _with_claims(
        _with_header(text, b'{"alg":"RS256","zip":"DEF"}'), zlib.compress(b" " * 10**6)
    ),
    "encrypted": lambda text: f"{text}.x.y",
    "dots": lambda text: "." * 20_000,
    "no algorithm": lambda text: _with_header(text, b"{}"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_it_opens_no_door(shared_server: Deployment, genuine: str, bomb: str) -> None:
    assert opened(shared_server, BOMBS[bomb](genuine)) == NOWHERE


@pytest.mark.parametrize("bomb", BOMBS)
def test_it_is_no_proof_of_a_key(shared_server: Deployment, bomb: str) -> None:
    holder = Holder(f"{BASE_URL}/realms/demo/protocol/openid-connect/")
    login = {"grant_type": "password", "client_id": "admin-cli", "username": "nobody", "password": "x"}
    headers = {"DPoP": BOMBS[bomb](holder.proof("POST", "token"))}
    answer = shared_server.protocol("token", login, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("bomb", BOMBS)
def test_it_refreshes_and_revokes_nothing(shared_server: Deployment, genuine: str, bomb: str) -> None:
    text = BOMBS[bomb](genuine)
    refresh = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": text}
    answer = shared_server.protocol("token", refresh)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    revoke = shared_server.protocol("revoke", {"client_id": "admin-cli", "token": text})
    assert (revoke.status_code, revoke.json()["error"]) == (200, "invalid_token")
