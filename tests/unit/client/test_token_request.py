"""Requests and answers of the client credentials grant, without I/O (RFC 6749 §4.4, §5)."""

import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

import pytest

from keyturn import client
from keyturn.client import (
    ClientSecretBasic,
    ClientSecretPost,
    InvalidResponse,
    OAuthError,
    client_credentials_request,
    process_token_response,
)

GOOD = {"access_token": "abc.def-_~+/=", "token_type": "Bearer", "expires_in": 300}


def test_basic_encodes_both_parts_before_joining_them() -> None:
    request = client_credentials_request("https://as/token", ClientSecretBasic("a:b c", "p%+ü/"))
    scheme, _, credentials = request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    assert b64decode(credentials) == b"a%3Ab+c:p%25%2B%C3%BC%2F"
    assert request.body == b"grant_type=client_credentials"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.url == "https://as/token"


def test_post_puts_the_secret_into_the_form() -> None:
    request = client_credentials_request("https://as/token", ClientSecretPost("a b", "p&="), scope="x y")
    assert "authorization" not in request.headers
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["a b"],
        "client_secret": ["p&="],
        "scope": ["x y"],
    }


def test_further_parameters_go_along_but_none_twice() -> None:
    authentication = ClientSecretPost("a", "b")
    request = client_credentials_request("https://as/token", authentication, parameters={"resource": "https://api"})
    assert parse_qs(request.body.decode())["resource"] == ["https://api"]
    for name in ("grant_type", "client_id"):
        with pytest.raises(ValueError, match=f"set twice: {name}"):
            client_credentials_request("https://as/token", authentication, parameters={name: "x"})


def test_secrets_show_in_no_repr() -> None:
    for authentication in (ClientSecretBasic("id", "canary"), ClientSecretPost("id", "canary")):
        request = client_credentials_request("https://as/token", authentication)
        assert "canary" not in repr(authentication) + repr(request)
    assert "abc.def" not in repr(process_token_response(200, json.dumps(GOOD).encode()))


def test_a_good_answer_is_a_token() -> None:
    token = process_token_response(200, json.dumps(GOOD | {"scope": "a b", "unknown": {}}).encode())
    assert (token.access_token, token.expires_in, token.scope) == ("abc.def-_~+/=", 300, "a b")


@pytest.mark.parametrize(("given", "seconds"), [("60", 60), (0.5, 0.5), (None, 60)])
def test_a_lifetime_may_be_quoted_or_absent(given: Any, seconds: float) -> None:
    document = {name: value for name, value in (GOOD | {"expires_in": given}).items() if value is not None}
    assert process_token_response(200, json.dumps(document).encode()).expires_in == seconds


@pytest.mark.parametrize(
    "change",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "a b"},
        {"access_token": "a\r\nX: y"},
        {"access_token": "ü"},
        {"token_type": "DPoP"},
        {"token_type": None},
        {"expires_in": True},
        {"expires_in": -1},
        {"expires_in": 0},
        {"expires_in": "soon"},
        {"expires_in": 10**20},
        {"expires_in": []},
    ],
    ids=repr,
)
def test_what_is_no_usable_token_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse):
        process_token_response(200, json.dumps(GOOD | change).encode())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b"[" * 100_000, b'{"expires_in":NaN}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        process_token_response(200, body)


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(client).values() if isinstance(kind, type) and issubclass(kind, OAuthError)]
)
def test_each_error_code_has_its_exception(kind: type[OAuthError]) -> None:
    code = kind.code or "a_code_of_its_own"
    body = json.dumps({"error": code, "error_description": "why"}).encode()
    with pytest.raises(OAuthError) as caught:
        process_token_response(400, body)
    assert type(caught.value) is kind
    assert (caught.value.error, caught.value.description, caught.value.status) == (code, "why", 400)
    assert str(caught.value) == f"{code}: why"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, b"", client.AuthorizationServerUnavailable),
        (502, b"<html>", client.AuthorizationServerUnavailable),
        (429, b"{}", client.AuthorizationServerUnavailable),
        (503, b'{"error":"temporarily_unavailable"}', client.TemporarilyUnavailable),
        (404, b"", client.InvalidResponse),
        (302, b"", client.InvalidResponse),
        (201, json.dumps(GOOD).encode(), client.InvalidResponse),
        (400, b'{"error":7}', client.InvalidResponse),
    ],
)
def test_other_answers_are_told_apart(status: int, body: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        process_token_response(status, body)
    assert type(caught.value) is kind
