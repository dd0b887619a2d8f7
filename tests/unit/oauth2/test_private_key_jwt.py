"""private_key_jwt (RFC 7523 §2.2, §3) as Keycloak 26.7.3 has it; what is said was asked of a real one."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.assertions import TYPE, assertion, form, jwks, key, with_keys
from harness.realm import NOW, make_realm
from harness.realm_server import RealmServer
from keyturn.http.origin import Forwarding, MutualTls
from keyturn.jose import jwk
from keyturn.model.strictness import ISSUER_ONLY

FAILED = "Client authentication with signed JWT failed"
INVALID = "Invalid client or Invalid client credentials"
ENDPOINT = "/protocol/openid-connect/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    realm = make_realm(tmp_path_factory.mktemp("realm"))
    realm.add_client(client_id="svc", **with_keys(*(key(name) for name in ALGORITHMS)))
    realm.add_client(client_id="other", **with_keys(key(number=1)))
    realm.add_client(client_id="off", enabled=False, **with_keys(key()))
    realm.add_client(client_id="secret", secret="a-secret", service_accounts_enabled=True)
    realm.add_client(client_id="page", public_client=True)
    realm.add_client(client_id="mac", client_authenticator_type="client-secret-jwt", secret="s" * 40)
    yield RealmServer(realm)
    realm.store.close()


ALGORITHMS = ("RS256", "ES256", "ES384", "ES512", "EdDSA")


def ask(server: RealmServer, text: str | None = None, **more: Any) -> tuple[int, Any]:
    data: dict[str, Any] = form(text or "") | more
    data = {name: value for name, value in data.items() if value is not None}
    response = server.protocol("POST", "token", data=data)
    answer = response.json()
    return response.status_code, answer.get("error_description")


def sign(server: RealmServer, client_id: str = "svc", **options: Any) -> str:
    return assertion(client_id, server.issuer, NOW, **options)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_takes_every_kind_of_key(server: RealmServer, algorithm: str) -> None:
    assert ask(server, sign(server, signer=key(algorithm))) == (200, None)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS384", "PS512"])
def test_takes_what_else_a_key_can_sign_with(server: RealmServer, algorithm: str) -> None:
    private = jwk.private_key_from_pem(key("RS256").to_pem(), algorithm=algorithm, kid="any")
    server.realm.add_client(client_id=f"with-{algorithm}", **_any_algorithm(private))
    assert ask(server, sign(server, f"with-{algorithm}", signer=private)) == (200, None)


def _any_algorithm(private: jwk.PrivateKey) -> dict[str, Any]:
    public = jwk.public_key_from_jwk({k: v for k, v in private.public.jwk().items() if k != "alg"})
    document = public.jwk() | {"use": "sig", "kid": private.kid}
    fields = with_keys()
    fields["attributes"]["jwks.string"] = json.dumps({"keys": [document]})
    return fields


@pytest.mark.parametrize(
    ("claims", "answer"),
    [
        ({"aud": "TOKEN"}, None),
        ({"aud": ["ISSUER"]}, None),
        ({"aud": ["ISSUER", "x"]}, "Multiple audiences not allowed"),
        ({"aud": ["x", "y"]}, "Invalid token audience"),
        ({"aud": None}, "Invalid token audience"),
        ({"exp": None}, "Token exp claim is required"),
        ({"exp": NOW}, "Token is not active"),
        ({"exp": NOW - 1}, "Token is not active"),
        ({"exp": str(NOW + 60)}, None),
        ({"exp": NOW + 60.9}, None),
        ({"exp": NOW + 86400}, None),
        (
            {"exp": NOW + 61, "iat": None},
            "Token expiration is too far in the future and iat claim not present in token",
        ),
        ({"exp": NOW + 60, "iat": None}, None),
        ({"exp": NOW, "iat": None}, f"{FAILED}: lifespanInSeconds must be positive"),
        ({"exp": 0, "iat": None}, f"{FAILED}: lifespanInSeconds must be positive"),
        ({"iat": NOW + 15}, None),
        ({"iat": NOW + 16}, "Token was issued in the future"),
        ({"iat": NOW - 60}, None),
        ({"iat": NOW - 61}, "Token was issued too far in the past to be used now"),
        ({"nbf": NOW + 15}, None),
        ({"nbf": NOW + 16}, "Token is not active"),
        ({"jti": None}, "Token jti claim is required"),
        ({"jti": 17}, None),
    ],
    ids=str,
)
def test_checks_audience_and_times(server: RealmServer, claims: dict[str, Any], answer: str | None) -> None:
    places = {"ISSUER": server.issuer, "TOKEN": f"{server.issuer}{ENDPOINT}token"}
    aud = claims.get("aud")
    if isinstance(aud, list):
        claims = claims | {"aud": [places.get(each, each) for each in aud]}
    elif aud in places:
        claims = claims | {"aud": places[aud]}
    assert ask(server, sign(server, **claims)) == (200 if answer is None else 400, answer)


@pytest.mark.parametrize(
    ("audience", "taken"),
    [
        ("token/introspect", True),
        ("ext/par/request", True),
        ("ext/ciba/auth", True),
        ("revoke", False),
        ("token/", False),
        ("", False),
    ],
)
def test_takes_four_endpoints_for_the_issuer(server: RealmServer, audience: str, taken: bool) -> None:
    text = sign(server, aud=f"{server.issuer}{ENDPOINT}{audience}")
    assert ask(server, text) == ((200, None) if taken else (400, "Invalid token audience"))


def test_takes_an_endpoint_by_its_address_for_certificates(
    server: RealmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = "https://mtls.example.org"
    audience = f"{elsewhere}/realms/{server.realm.name}{ENDPOINT}token"
    assert ask(server, sign(server, aud=audience)) == (400, "Invalid token audience")
    mutual_tls = MutualTls(8444, 8443, elsewhere)
    monkeypatch.setattr(server.services, "forwarding", Forwarding(mutual_tls=mutual_tls))
    assert ask(server, sign(server, aud=audience)) == (200, None)
    assert ask(server, sign(server, aud=f"{elsewhere}/realms/{server.realm.name}"))[0] == 400, "there is one issuer"


def test_takes_the_issuer_alone_where_the_realm_says_so(tmp_path: Path) -> None:
    realm = make_realm(tmp_path, attributes={ISSUER_ONLY: "true"})
    realm.add_client(client_id="svc", **with_keys(key()))
    server = RealmServer(realm)
    assert ask(server, sign(server)) == (200, None)
    for audience in (f"{server.issuer}{ENDPOINT}token", [server.issuer]):
        assert ask(server, sign(server, aud=audience)) == (400, "Invalid token audience")
    realm.store.close()


def test_takes_an_assertion_once(server: RealmServer) -> None:
    text = sign(server)
    assert ask(server, text, scope="nonsense") == (400, "Invalid scopes: nonsense")
    assert ask(server, text) == (400, "Token reuse detected")


def test_tells_one_clients_jti_from_that_of_another_kind(server: RealmServer) -> None:
    secret = jwk.symmetric_key(b"s" * 40, algorithm="HS256", kid="k")
    assert ask(server, sign(server, jti="same"))[0] == 200
    assert ask(server, sign(server, "other", signer=key(number=1), jti="same")) == (400, "Token reuse detected")
    assert (
        ask(server, sign(server, "mac", signer=secret, header={"kid": None}, jti="same"))[1] != "Token reuse detected"
    )


@pytest.mark.parametrize(
    ("claims", "named", "answer"),
    [
        ({"iss": "other"}, None, (401, INVALID)),
        ({"iss": "other"}, "svc", (401, INVALID)),
        ({"iss": None, "sub": None}, None, (401, INVALID)),
        ({"iss": None, "sub": None}, "svc", (400, "Token sub claim is required")),
        ({}, "svc", (200, None)),
        ({}, "other", (400, "client_id parameter does not match authenticated client")),
        ({}, "nobody", (401, INVALID)),
        ({}, "secret", (401, INVALID)),
        ({"iss": "nobody", "sub": "nobody"}, None, (401, INVALID)),
        ({"iss": "nobody", "sub": "nobody"}, "svc", (401, INVALID)),
        ({"iss": "off", "sub": "off"}, None, (401, INVALID)),
        ({"iss": "secret", "sub": "secret"}, None, (401, INVALID)),
        ({"iss": "page", "sub": "page"}, None, (401, INVALID)),
    ],
    ids=str,
)
def test_says_whom_an_assertion_speaks_for(
    server: RealmServer, claims: dict[str, Any], named: str | None, answer: tuple[int, str | None]
) -> None:
    assert ask(server, sign(server, **claims), client_id=named) == answer


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ({"client_assertion_type": None}, "Parameter client_assertion_type is missing"),
        (
            {"client_assertion_type": "saml"},
            f"Parameter client_assertion_type has value 'saml' but expected is '{TYPE}'",
        ),
        ({"client_assertion": None}, "client_assertion parameter missing"),
        ({"client_assertion": "nonsense"}, FAILED),
        ({"client_assertion": ""}, FAILED),
    ],
    ids=str,
)
def test_says_what_is_missing_to_a_client_that_is_named(server: RealmServer, form: dict[str, Any], answer: str) -> None:
    assert ask(server, sign(server), client_id="svc", **form) == (400, answer)
    assert ask(server, sign(server), **form) == (401, INVALID)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"header": {"kid": "unknown"}}, "Unable to load public key"),
        ({"header": {"kid": None}}, None),
        ({"signer": key("RS256"), "header": {"kid": None}}, None),
        (
            {"signer": key(number=1), "header": {"kid": "ES256-0"}},
            f"{FAILED}: Signature on JWT token failed validation",
        ),
        ({"header": {"alg": "RS256"}}, f"{FAILED}: Signature on JWT token failed validation"),
        ({"header": {"alg": "HS256"}}, "Invalid signature algorithm"),
        ({"header": {"alg": "none"}}, "Invalid signature algorithm"),
        ({"header": {"alg": "Ed25519"}}, "Invalid signature algorithm"),
        ({"header": {"alg": None}}, "Invalid signature algorithm"),
    ],
    ids=str,
)
def test_finds_the_key_by_its_id_and_algorithm(server: RealmServer, options: dict[str, Any], answer: str) -> None:
    assert ask(server, sign(server, **options)) == (400 if answer else 200, answer)


@pytest.mark.parametrize(
    ("attributes", "answer"),
    [
        ({}, "Unable to load public key"),
        ({"use.jwks.string": "true"}, f"{FAILED}: Error when loading public keys"),
        ({"use.jwks.string": "true", "jwks.string": "nonsense"}, f"{FAILED}: Error when loading public keys"),
        ({"use.jwks.string": "true", "jwks.string": '{"keys":[5]}'}, f"{FAILED}: Error when loading public keys"),
        ({"use.jwks.string": "true", "jwks.string": '{"keys":[]}'}, "Unable to load public key"),
        ({"use.jwks.string": "true", "jwks.string": '{"keys":[{"kty":"RSA"}]}'}, "Unable to load public key"),
        ({"use.jwks.string": "true", "jwks.string": jwks(key(), use=None)}, "Unable to load public key"),
        ({"use.jwks.string": "true", "jwks.string": jwks(key(), use="enc")}, "Unable to load public key"),
        ({"use.jwks.url": "true"}, f"{FAILED}: Error when loading public keys"),
        ({"use.jwks.url": "true", "jwks.url": "/jwks"}, f"{FAILED}: Error when loading public keys"),
        ({"jwt.credential.certificate": "nonsense"}, f"{FAILED}: Error when loading public keys"),
        ({"token.endpoint.auth.signing.alg": "ES384"}, "Invalid signature algorithm"),
    ],
)
def test_says_what_is_wrong_with_the_clients_keys(server: RealmServer, attributes: dict[str, str], answer: str) -> None:
    name = f"keys-{attributes}"
    server.realm.add_client(client_id=name, client_authenticator_type="client-jwt", attributes=attributes)
    assert ask(server, sign(server, name)) == (400, answer)


def test_takes_the_key_of_a_certificate_without_its_id(server: RealmServer) -> None:
    private = jwk.generate("RS256", certificate_subject="svc", now=NOW)
    encoded = base64.b64encode(private.certificate or b"").decode()
    server.realm.add_client(
        client_id="certified",
        client_authenticator_type="client-jwt",
        service_accounts_enabled=True,
        attributes={"jwt.credential.certificate": encoded},
    )
    for header in ({"kid": None}, {}):
        assert ask(server, sign(server, "certified", signer=private, header=header)) == (200, None)
    any_id = sign(server, "certified", signer=private, header={"kid": "mine"})
    assert ask(server, any_id) == (400, "Unable to load public key")


def test_counts_seconds_by_the_clients_own_limit(server: RealmServer) -> None:
    fields = with_keys(key(), **{"token.endpoint.auth.signing.max.exp": "300"})
    server.realm.add_client(client_id="patient", **fields)
    assert ask(server, sign(server, "patient", iat=NOW - 300)) == (200, None)
    assert ask(server, sign(server, "patient", iat=NOW - 301))[0] == 400


def test_authenticates_at_introspection_and_revocation(server: RealmServer) -> None:
    token = server.protocol("POST", "token", data=form(sign(server))).json()["access_token"]
    for endpoint, text in (("token/introspect", sign(server)), ("revoke", sign(server))):
        answer = server.protocol("POST", endpoint, data=form(text, token=token))
        assert answer.status_code == 200, answer.text
        again = server.protocol("POST", endpoint, data=form(text, token=token))
        assert (again.status_code, again.json()["error_description"]) == (400, "Token reuse detected")


def test_tells_events_of_the_assertion(server: RealmServer) -> None:
    server.sink.events.clear()
    ask(server, sign(server, jti="told"))
    ask(server, sign(server, jti="told"))
    details = {
        "client_assertion_id": "told",
        "client_assertion_issuer": "svc",
        "client_assertion_sub": "svc",
        "client_jwt_kid": "ES256-0",
    }
    refused = server.sink.events[1]
    assert (refused.type, refused.error, refused.client_id) == (
        "CLIENT_LOGIN_ERROR",
        "invalid_client_credentials",
        "svc",
    )
    assert details.items() <= refused.details.items()
