"""The examples of the RFCs, read as they stand there."""

import json
from pathlib import Path
from typing import Any

import pytest

from keyturn.jose import base64url, jwt
from keyturn.jose.jwk import generate, symmetric_key
from keyturn.oauth2 import form as forms
from keyturn.oauth2.client_authentication.assertion import Assertion
from keyturn.oauth2.client_authentication.presented import presented
from keyturn.oauth2.http_message import Request
from keyturn.resource_server.bearer import access_token
from keyturn.resource_server.errors import InvalidToken, NoCredentials
from keyturn.resource_server.validator import Validator

REQUESTS = json.loads((Path(__file__).parents[2] / "vectors/oauth_requests.json").read_text())
URLENCODED = "application/x-www-form-urlencoded"

JOE = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)
JOES_KEY = base64url.decode(b"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
UNSECURED = (
    "eyJhbGciOiJub25lIn0"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
)


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector["name"])
def test_reads_the_requests_of_the_rfcs(vector: dict[str, Any]) -> None:
    form = forms.parse(URLENCODED, vector["body"].encode())
    assert dict(form) == vector["form"]
    request = Request("https://server.example.com", "192.0.2.7", URLENCODED, vector.get("authorization"))
    shown = presented(request, form)
    assert [shown.client_id, shown.secret, shown.method] == vector["client"]


def test_reads_the_example_of_a_jwt() -> None:
    """RFC 7519 §3.1."""
    key = symmetric_key(JOES_KEY, algorithm="HS256", kid="").public
    claims = jwt.verify(JOE, lambda kid, algorithm: key, frozenset({"HS256"}))
    assert dict(claims) == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    jwt.check_times(claims, 1300819379)
    with pytest.raises(jwt.TokenExpired):
        jwt.check_times(claims, 1300819380)


def test_refuses_the_example_of_an_unsecured_jwt() -> None:
    """RFC 7519 §6.1, which whoever verifies need not take (§8, RFC 8725 §3.2)."""
    key = symmetric_key(JOES_KEY, algorithm="HS256", kid="").public
    for algorithms in (frozenset({"HS256"}), frozenset({"HS256", "none"})):
        with pytest.raises(jwt.InvalidToken):
            jwt.verify(UNSECURED, lambda kid, algorithm: key, algorithms)


def test_reads_the_example_of_a_bearer_token() -> None:
    """RFC 6750 §2.1."""
    shown = access_token(["Bearer mF_9.B5f-4.1JqM"])
    assert (shown.token, shown.dpop) == ("mF_9.B5f-4.1JqM", False)


def test_challenges_as_the_examples_do() -> None:
    """RFC 6750 §3."""
    assert NoCredentials().challenge("example") == 'Bearer realm="example"'
    expired = 'Bearer realm="example", error="invalid_token", error_description="The access token expired"'
    assert InvalidToken("The access token expired").challenge("example") == expired


def test_reads_the_example_of_an_assertion() -> None:
    """RFC 7523 §4."""
    key = generate("ES256", kid="16", now=0)
    claims = {
        "iss": "https://jwt-idp.example.com",
        "sub": "mailto:mike@example.com",
        "aud": "https://jwt-rp.example.net",
        "nbf": 1300815780,
        "exp": 1300819380,
        "http://claims.example.com/member": True,
    }
    read = Assertion(jwt.encode({"alg": "ES256", "kid": "16"}, json.dumps(claims).encode(), key).decode())
    assert read.problem is None
    assert (read.issuer, read.subject, read.audiences) == (claims["iss"], claims["sub"], (claims["aud"],))
    assert (read.not_before, read.expires, read.issued, read.jti) == (1300815780, 1300819380, None, None)
    assert not read.self_issued


def test_accepts_the_example_of_an_access_token() -> None:
    """RFC 9068 §3."""
    issuer, key = "https://authorization-server.example.com/", generate("RS256", kid="RjEwOwOA", now=0)
    claims = {
        "iss": issuer,
        "sub": "5ba552d67",
        "aud": "https://rs.example.com/",
        "exp": 1639528912,
        "iat": 1618354090,
        "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "client_id": "s6BhdRkqt3",
        "scope": "openid profile reademail",
    }
    header = {"typ": "at+JWT", "alg": "RS256", "kid": "RjEwOwOA"}
    token = jwt.encode(header, json.dumps(claims).encode(), key)
    accepted = Validator(issuer, "https://rs.example.com/").validate(token, key.public, 1618354090)
    assert (accepted.subject, accepted.client_id) == ("5ba552d67", "s6BhdRkqt3")
    assert accepted.scopes == {"openid", "profile", "reademail"}
    with pytest.raises(InvalidToken, match="audience"):
        Validator(issuer, "https://other.example.com/").validate(token, key.public, 1618354090)
