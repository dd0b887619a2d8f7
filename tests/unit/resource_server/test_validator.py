"""Which tokens are accepted (RFC 9068 §4, RFC 8725)."""

import time
from typing import Any

import pytest

from keyturn.jose import base64url
from keyturn.jose.jwk import generate, symmetric_key
from keyturn.resource_server import AccessToken, InvalidToken, ResourceServer, Validator

OTHER = generate("ES256", now=time.time())


def test_accepts_a_token_like_keycloaks(issuer: Any) -> None:
    token = issuer.resource_server().accept(f"Bearer {issuer.token()}")
    assert isinstance(token, AccessToken)
    assert (token.subject, token.client_id) == ("b1b3", "backend-service")
    assert token.scopes == {"profile", "email"}
    assert token.realm_roles == {"backend-access"}
    assert token.client_roles("account") == {"view-profile"}
    assert token.client_roles("other") == frozenset()
    assert token.claims["iss"] == issuer.url


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://attacker.example/realms/r"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"iss": ["x"]}, "another issuer"),
        ({"aud": "other"}, "another audience"),
        ({"aud": ["other", "another"]}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": {"service": 1}}, "another audience"),
        ({"typ": "ID"}, "Not a bearer access token"),
        ({"typ": "Refresh"}, "Not a bearer access token"),
        ({"typ": "DPoP"}, "bound to a key"),
        ({"typ": None}, "Not a bearer access token"),
        ({"cnf": {"jkt": "x"}}, "bound to a key"),
        ({"exp": 999_999}, "expired"),
        ({"exp": 1_000_000}, "expired"),
        ({"exp": None}, "exp is missing"),
        ({"nbf": 1_000_001}, "not valid yet"),
    ],
    ids=repr,
)
def test_refuses_a_token_that_is_not_for_this_service(issuer: Any, claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidToken, match=reason):
        issuer.resource_server().accept(f"Bearer {issuer.token(**claims)}")
    assert issuer.asked == [], "no key is fetched for what fails anyway"


@pytest.mark.parametrize("audience", ["service", ["account", "service"]])
def test_one_of_the_audiences_is_enough(issuer: Any, audience: Any) -> None:
    issuer.resource_server(audience={"service", "alias"}).accept(f"Bearer {issuer.token(aud=audience)}")


@pytest.mark.parametrize("kind", ["at+jwt", "at+JWT", "application/at+jwt"])
def test_accepts_a_token_of_rfc_9068(issuer: Any, kind: str) -> None:
    issuer.resource_server().accept(f"Bearer {issuer.token(header={'typ': kind}, typ=None)}")


def test_an_access_tokens_header_does_not_make_one_of_an_id_token(issuer: Any) -> None:
    with pytest.raises(InvalidToken):
        issuer.resource_server().accept(f"Bearer {issuer.token(header={'typ': 'at+jwt'}, typ='ID')}")


def test_leeway_is_for_clocks_that_differ(issuer: Any) -> None:
    token = issuer.token(exp=issuer.now - 4, nbf=issuer.now - 300)
    issuer.resource_server(leeway=5).accept(f"Bearer {token}")
    with pytest.raises(InvalidToken):
        issuer.resource_server(leeway=4).accept(f"Bearer {token}")


def test_only_named_clients_get_in_where_some_are_named(issuer: Any) -> None:
    server = issuer.resource_server(clients=["backend-service"])
    assert server.accept(f"Bearer {issuer.token()}")
    assert server.accept(f"Bearer {issuer.token(azp=None, client_id='backend-service')}")
    with pytest.raises(InvalidToken, match="another client"):
        server.accept(f"Bearer {issuer.token(azp='other', client_id='backend-service')}")


def test_refuses_a_token_signed_by_another_key_under_a_known_kid(issuer: Any) -> None:
    forged = issuer.token(OTHER, header={"kid": issuer.keys[0].kid})
    with pytest.raises(InvalidToken, match="wrong signature"):
        issuer.resource_server().accept(f"Bearer {forged}")


def test_refuses_a_token_that_brings_its_own_key(issuer: Any) -> None:
    forged = issuer.token(OTHER, header={"jwk": OTHER.public.jwk()})
    with pytest.raises(InvalidToken, match="unknown key"):
        issuer.resource_server().accept(f"Bearer {forged}")


def test_refuses_a_token_signed_with_the_public_key_as_a_secret(issuer: Any) -> None:
    key = issuer.keys[0]
    forged = issuer.token(symmetric_key(key.public.to_der(), algorithm="HS256", kid=key.kid))
    with pytest.raises(InvalidToken, match="algorithm not accepted"):
        issuer.resource_server().accept(f"Bearer {forged}")


def test_refuses_an_unsigned_token(issuer: Any) -> None:
    _, claims, _ = issuer.token().split(".")
    header = base64url.encode(b'{"alg":"none"}').decode()
    unsigned = f"{header}.{claims}."
    with pytest.raises(InvalidToken, match="algorithm not accepted"):
        Validator(issuer.url, "service").read(unsigned, issuer.now)


def test_validate_checks_the_claims_even_if_nobody_read_them_before(issuer: Any) -> None:
    validator = Validator(issuer.url, "service")
    with pytest.raises(InvalidToken, match="another issuer"):
        validator.validate(issuer.token(iss="x"), issuer.keys[0].public, issuer.now)


@pytest.mark.parametrize(
    "access", [None, [], "x", {"roles": "backend-access"}, {"roles": {"backend-access": 1}}, {"roles": [1]}]
)
def test_roles_of_a_wrong_shape_grant_nothing(issuer: Any, access: Any) -> None:
    token = issuer.token(realm_access=access, resource_access={"account": access}, scope=["profile"])
    accepted = issuer.resource_server().accept(f"Bearer {token}")
    assert (accepted.realm_roles, accepted.client_roles("account"), accepted.scopes) == (set(), set(), set())


def test_an_audience_must_be_named_or_loudly_switched_off(issuer: Any) -> None:
    for audience in (None, "", ()):
        with pytest.raises(ValueError, match="name the audience"):
            ResourceServer(issuer.url, audience)
    with pytest.raises(ValueError, match="name the audience"):
        ResourceServer(issuer.url, "service", dangerously_accept_any_audience=True)
    server = issuer.resource_server(audience=None, dangerously_accept_any_audience=True)
    assert server.accept(f"Bearer {issuer.token(aud=None)}")


@pytest.mark.parametrize("algorithms", [(), ("none",), ("HS256",), ("RS256", "HS512")])
def test_refuses_algorithms_that_share_a_secret_or_need_none(issuer: Any, algorithms: Any) -> None:
    with pytest.raises(ValueError, match="algorithms must be among"):
        ResourceServer(issuer.url, "service", algorithms=algorithms)


@pytest.mark.parametrize(
    "url",
    ["http://issuer.example/realms/r", "ftp://localhost/", "localhost", "https:///x", "", "http://localhost.example/"],
)
def test_an_issuer_is_reached_safely_or_not_at_all(url: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        ResourceServer(url, "service")


def test_plain_http_can_loudly_be_allowed() -> None:
    ResourceServer("http://issuer.example/realms/r", "service", dangerously_allow_http=True)
    ResourceServer("http://localhost:8080/realms/r", "service")
    ResourceServer("http://[::1]:8080/realms/r", "service")


def test_the_token_shows_in_no_repr_or_reason(issuer: Any) -> None:
    accepted = issuer.resource_server().accept(f"Bearer {issuer.token(canary='canary')}")
    assert "canary" not in repr(accepted)
