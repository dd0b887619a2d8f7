"""Tokens: strict reading, verification, times (RFC 7515, RFC 7519)."""

import json
import time
from typing import Any

import pytest

from keyturn.jose import base64url, jwt
from keyturn.jose.jwk import PublicKey, generate, public_key_from_jwk, symmetric_key

KEY = generate("ES256", now=time.time())
OTHER = generate("ES256", now=time.time())
ES256 = frozenset({"ES256"})


def find(kid: str | None, algorithm: str) -> PublicKey | None:
    return KEY.public if kid in (None, KEY.kid) else None


def token(header: str | dict[str, Any] | None = None, claims: str = '{"sub":"me"}') -> bytes:
    text = header if isinstance(header, str) else json.dumps(header or {"alg": "ES256", "kid": KEY.kid})
    return jwt.encode(text.encode(), claims.encode(), KEY)


def test_verified_claims_are_those_that_were_signed() -> None:
    claims = jwt.verify(token(), find, ES256)
    assert dict(claims) == {"sub": "me"}
    assert claims["sub"] == "me"
    assert len(claims) == 1
    assert claims.header == {"alg": "ES256", "kid": KEY.kid}


def test_what_is_not_understood_is_ignored() -> None:
    header = {"alg": "ES256", "kid": KEY.kid, "cty": "x", "jku": "https://evil.example/", "what": {"ever": [1]}}
    claims = jwt.verify(token(header, '{"sub":"me","https://example.com/is_root":{"a":[true]}}'), find, ES256)
    assert claims["sub"] == "me"


def test_a_mapping_as_header_gives_the_same_as_its_json() -> None:
    content = jwt.encode({"alg": "ES256", "kid": KEY.kid}, b"{}", KEY)
    assert content.startswith(base64url.encode(b'{"alg":"ES256","kid":"' + KEY.kid.encode() + b'"}') + b".")


def test_verifies_what_was_parsed_before() -> None:
    unverified = jwt.parse(token().decode())
    assert unverified.kid == KEY.kid
    assert unverified.algorithm == "ES256"
    assert jwt.verify(unverified, find, ES256)["sub"] == "me"


def test_refuses_a_changed_token() -> None:
    content = token()
    header, _, signature = content.split(b".")
    with pytest.raises(jwt.InvalidToken, match="wrong signature"):
        jwt.verify(b".".join((header, base64url.encode(b'{"sub":"you"}'), signature)), find, ES256)


def test_refuses_a_token_of_another_key_under_our_kid() -> None:
    with pytest.raises(jwt.InvalidToken, match="wrong signature"):
        jwt.verify(jwt.encode({"alg": "ES256", "kid": KEY.kid}, b"{}", OTHER), find, ES256)


def test_refuses_a_token_without_a_key() -> None:
    with pytest.raises(jwt.InvalidToken, match="no key"):
        jwt.verify(token({"alg": "ES256", "kid": "unknown"}), find, ES256)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256", "ES384", "es256", ""])
def test_refuses_an_algorithm_that_the_caller_does_not_accept(algorithm: str) -> None:
    with pytest.raises(jwt.InvalidToken, match="algorithm not accepted"):
        jwt.verify(token({"alg": algorithm}), find, ES256)


def test_refuses_an_unsigned_token_even_where_none_is_accepted() -> None:
    unsigned = base64url.encode(b'{"alg":"none"}') + b"." + base64url.encode(b"{}") + b"."
    with pytest.raises(jwt.InvalidToken, match="wrong signature"):
        jwt.verify(unsigned, find, frozenset({"none"}))


def test_refuses_an_algorithm_that_does_not_fit_the_key() -> None:
    forged = symmetric_key(KEY.public.to_der(), algorithm="HS256", kid=KEY.kid)
    with pytest.raises(jwt.InvalidToken, match="wrong signature"):
        jwt.verify(jwt.encode({"alg": "HS256", "kid": KEY.kid}, b"{}", forged), find, frozenset({"HS256", "ES256"}))


def test_never_uses_a_key_that_the_token_brings_along() -> None:
    header = {
        "alg": "ES256",
        "jwk": OTHER.public.jwk(),
        "jku": "https://attacker.example/",
        "x5u": "https://attacker.example/",
    }
    with pytest.raises(jwt.InvalidToken, match="wrong signature"):
        jwt.verify(jwt.encode(header, b"{}", OTHER), find, ES256)


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"ES256","alg":"ES256"}',
        '{"alg":"ES256","crit":["exp"],"exp":1}',
        '{"alg":"ES256","crit":[]}',
        '{"alg":7}',
        '{"alg":"ES256","kid":7}',
        '{"alg":"ES256","kid":null}',
        '["ES256"]',
        '"ES256"',
        "",
        '{"alg":"ES256"} x',
        '{"alg":"ES256",}',
    ],
)
def test_refuses_a_header_that_can_be_read_in_two_ways(header: str) -> None:
    with pytest.raises(jwt.InvalidToken):
        jwt.parse(token(header))


@pytest.mark.parametrize(
    "claims",
    [
        '{"sub":"me","sub":"you"}',
        '{"realm_access":{"roles":[],"roles":["admin"]}}',
        '{"exp":NaN}',
        '{"exp":Infinity}',
        '{"n":' + "9" * 5000 + "}",
        "[]",
        "1",
        "",
        "[" * 20000,
    ],
    ids=lambda claims: claims[:30],
)
def test_refuses_claims_that_can_be_read_in_two_ways(claims: str) -> None:
    with pytest.raises(jwt.InvalidToken):
        jwt.parse(token(claims=claims))


def test_refuses_claims_that_are_not_utf_8() -> None:
    with pytest.raises(jwt.InvalidToken):
        jwt.parse(jwt.encode(b'{"alg":"ES256"}', b'{"sub":"\xff"}', KEY))


@pytest.mark.parametrize("change", ["padding", "alphabet", "blank", "line", "bits", "parts", "few", "letters"])
def test_refuses_another_spelling_of_the_same_token(change: str) -> None:
    header, claims, signature = token().decode().split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 octets end in two characters, and the last four bits of those mean nothing.
    other_end = alphabet[alphabet.index(signature[-1]) ^ 1]
    spelt = {
        "padding": f"{header}.{claims}.{signature}==",
        "alphabet": f"{header}.{claims}.+{signature[1:]}",
        "blank": f"{header}.{claims}. {signature}",
        "line": f"{header}.{claims}.{signature}\n",
        "bits": f"{header}.{claims}.{signature[:-1]}{other_end}",
        "parts": f"{header}.{claims}.{signature}.",
        "few": f"{header}.{claims}",
        "letters": f"{header}.{claims}.é{signature}",
    }[change]
    with pytest.raises(jwt.InvalidToken, match="not a JWT"):
        jwt.parse(spelt)


def test_refuses_a_token_that_is_too_long_before_reading_it() -> None:
    content = token(claims=json.dumps({"x": "y" * jwt.MAXIMUM_LENGTH}))
    with pytest.raises(jwt.InvalidToken, match="too long"):
        jwt.parse(content)
    assert jwt.parse(content, max_length=len(content)).claims["x"]


def test_reasons_never_quote_the_token() -> None:
    content = token(claims='{"sub":"canary","sub":"canary"}')
    with pytest.raises(jwt.InvalidToken) as caught:
        jwt.parse(content)
    assert "canary" not in caught.value.reason
    assert "canary" not in repr(jwt.verify(token(claims='{"sub":"canary"}'), find, ES256))


def test_only_parse_and_verify_make_parsed_and_verified_things() -> None:
    with pytest.raises(TypeError):
        jwt.Unverified({}, {}, b"", b"", object())
    with pytest.raises(TypeError):
        jwt.VerifiedClaims({}, {"sub": "admin"}, object())


@pytest.mark.parametrize(
    ("claims", "now", "error"),
    [
        ({"exp": 100}, 99.9, None),
        ({"exp": 100}, 100, jwt.TokenExpired),
        ({"exp": 100.5}, 100, None),
        ({"exp": 100}, 104, None),
        ({"exp": 200, "nbf": 100}, 100, None),
        ({"exp": 200, "nbf": 100}, 95, None),
        ({"exp": 200, "nbf": 100}, 94, jwt.TokenNotYetValid),
        ({}, 0, jwt.InvalidToken),
        ({"exp": "100"}, 0, jwt.InvalidToken),
        ({"exp": True}, 0, jwt.InvalidToken),
        ({"exp": None}, 0, jwt.InvalidToken),
        ({"exp": float("inf")}, 0, jwt.InvalidToken),
        ({"exp": 10**400}, 0, jwt.InvalidToken),
        ({"exp": 100, "nbf": 10**400}, 0, jwt.InvalidToken),
        ({"exp": 100, "nbf": "0"}, 0, jwt.InvalidToken),
    ],
)
def test_times_count_to_the_second_and_with_leeway(
    claims: dict[str, Any], now: float, error: type[jwt.InvalidToken] | None
) -> None:
    leeway = 5 if now in (104, 95, 94) else 0
    if error is None:
        jwt.check_times(claims, now, leeway)
    else:
        with pytest.raises(error):
            jwt.check_times(claims, now, leeway)


def test_expiry_can_be_optional() -> None:
    jwt.check_times({}, 0, expiry_required=False)


def test_a_key_that_names_its_algorithm_takes_no_other() -> None:
    rsa = generate("RS256", now=time.time())
    ps256 = public_key_from_jwk(rsa.public.jwk() | {"alg": "PS256"})
    with pytest.raises(jwt.InvalidToken, match="wrong signature"):
        jwt.verify(
            jwt.encode({"alg": "RS256"}, b"{}", rsa), lambda kid, algorithm: ps256, frozenset({"RS256", "PS256"})
        )


def test_a_header_that_came_before_is_read_alike_and_cannot_be_changed() -> None:
    first, again = (jwt.parse(jwt.encode({"alg": "ES256", "kid": "k"}, b"{}", KEY)) for _ in range(2))
    assert first.header == again.header == {"alg": "ES256", "kid": "k"}
    with pytest.raises(TypeError):
        first.header["alg"] = "none"  # type: ignore[index]


@pytest.mark.parametrize("header", ['{"alg":null}', "{}"])
def test_a_token_without_an_algorithm_is_verified_by_nobody(header: str) -> None:
    assert jwt.parse(token(header)).algorithm == ""
    with pytest.raises(jwt.InvalidToken, match="algorithm not accepted"):
        jwt.verify(token(header), find, ES256)
