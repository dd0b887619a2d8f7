"""Attacks on clients that are proved by somebody else's tokens: by a rule over claims, and by a JWT-SVID."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from harness.assertions import assertion, form, jwks, key
from harness.realm import NOW, make_realm
from harness.realm_server import RealmServer
from keyturn.jose.base64url import encode
from keyturn.jose.jwk import symmetric_key
from keyturn.model.client_credential import with_credentials
from keyturn.representations import ClientRepresentation
from keyturn.representations.client_credential import ClientCredentialRepresentation
from keyturn.representations.identity_provider import IdentityProviderRepresentation

CI = "https://ci.example"
SUBJECT = "repo:shop/web:ref:refs/heads/main"
SVID = "spiffe://example.org/web"
SPIFFE = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"}
X509_KEY = 3
"""The number of the key that the bundle has for X.509-SVIDs."""


def _provider(alias: str, kind: str, **config: str) -> IdentityProviderRepresentation:
    return IdentityProviderRepresentation(
        alias=alias, internal_id=alias, provider_id=kind, enabled=True, config={"clientId": "x", **config}
    )


def _bundle() -> str:
    keys = (
        json.loads(jwks(key(), use="jwt-svid"))["keys"]
        + json.loads(jwks(key(number=X509_KEY), use="x509-svid"))["keys"]
    )
    return json.dumps({"keys": keys, "spiffe_sequence": 1, "spiffe_refresh_hint": 300})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    realm = make_realm(tmp_path_factory.mktemp("realm"), features=frozenset({"spiffe"}))

    def trust(document: Any) -> None:
        config = {"supportsClientAssertions": "true", "publicKeySignatureVerifier": jwks(key())}
        other = {"supportsClientAssertions": "true", "publicKeySignatureVerifier": jwks(key(number=2))}
        document.identity_providers = [
            _provider("ci", "oidc", issuer=CI, **config),
            _provider("other", "oidc", issuer="https://other.example", **other),
            _provider("spire", "spiffe", trustDomain="spiffe://example.org", **{"keyturn.jwks": _bundle()}),
            _provider(
                "elsewhere", "spiffe", trustDomain="spiffe://example.com", **{"keyturn.jwks": jwks(key(number=2))}
            ),
        ]

    realm.change_realm(trust)
    client = realm.add_client(client_id="deploy", secret="a-secret-of-its-own", service_accounts_enabled=True)
    rule = ClientCredentialRepresentation(
        name="main", type="federated", issuer="ci", claims={"sub": ["repo:shop/*:ref:refs/heads/main"]}
    )

    def give(document: ClientRepresentation) -> None:
        document.attributes = with_credentials(document, [rule]).attributes

    realm.change_client(client, give)
    for client_id, subject in (
        ("svid", SVID),
        ("twin", "spiffe://example.org/twin"),
        ("twin2", "spiffe://example.org/twin"),
    ):
        realm.add_client(
            client_id=client_id,
            client_authenticator_type="federated-jwt",
            service_accounts_enabled=True,
            attributes={"jwt.credential.issuer": "spire", "jwt.credential.sub": subject},
        )
    yield RealmServer(realm)
    realm.store.close()


def token(server: RealmServer, **options: Any) -> str:
    return assertion("x", server.issuer, NOW, **({"iss": CI, "sub": SUBJECT} | options))


def svid(server: RealmServer, sub: str = SVID, **options: Any) -> str:
    return assertion("x", server.issuer, NOW, **({"iss": None, "jti": None, "sub": sub, "exp": NOW + 300} | options))


def by_rule(server: RealmServer, text: str, client: str = "deploy") -> int:
    return server.protocol("POST", "token", data=form(text, client_id=client)).status_code


def by_svid(server: RealmServer, text: str, **more: str) -> tuple[int, str | None]:
    response = server.protocol("POST", "token", data=form(text) | SPIFFE | more)
    return response.status_code, response.json().get("error_description")


def test_the_right_tokens_count(server: RealmServer) -> None:
    assert by_rule(server, token(server)) == 200
    assert by_svid(server, svid(server)) == (200, None)
    again = svid(server, iss="https://spire.example", header={"kid": None})
    assert [by_svid(server, again)[0] for _ in range(2)] == [200, 200]


def test_a_token_for_another_realm_is_refused(server: RealmServer) -> None:
    for audience in (server.issuer + "2", "https://keyturn.test:8443/realms/other", [server.issuer, "other"], None):
        assert by_rule(server, token(server, aud=audience)) == 400
        assert by_svid(server, svid(server, aud=audience))[0] == 400


@pytest.mark.parametrize(
    "times",
    [
        {"exp": NOW - 1},
        {"exp": None},
        {"iat": NOW + 100},
        {"nbf": NOW + 100},
        {"iat": NOW - 301},
        {"iat": None, "exp": NOW + 9999},
    ],
    ids=str,
)
def test_an_expired_or_future_token_is_refused(server: RealmServer, times: dict[str, Any]) -> None:
    assert by_rule(server, token(server, **times)) == 400
    assert by_svid(server, svid(server, **times))[0] == 400


def test_an_algorithm_of_another_kind_is_refused(server: RealmServer) -> None:
    """A public key as the secret of a MAC, and no signature at all."""
    for secret in (key().public.to_der(), jwks(key()).encode()):
        mac = symmetric_key(secret, algorithm="HS256", kid=key().kid)
        assert by_rule(server, token(server, signer=mac)) in (400, 401)
        assert by_svid(server, svid(server, signer=mac))[0] in (400, 401)
    head = encode(json.dumps({"alg": "none"}).encode()).decode()
    body = token(server).split(".")[1]
    assert by_rule(server, f"{head}.{body}.") in (400, 401)


def test_another_issuers_key_speaks_for_nobody_of_this_one(server: RealmServer) -> None:
    other = key(number=2)
    assert by_rule(server, token(server, signer=other)) == 401
    assert by_rule(server, token(server, signer=other, iss="https://other.example")) == 401
    assert by_svid(server, svid(server, signer=other))[0] == 401
    assert by_svid(server, svid(server, "spiffe://example.com/web", signer=other))[0] == 401


def test_a_key_for_certificates_signs_no_jwt_svid(server: RealmServer) -> None:
    assert by_svid(server, svid(server, signer=key(number=X509_KEY)))[0] == 401


def test_a_trust_domain_ends_with_its_name(server: RealmServer) -> None:
    for subject in (
        "spiffe://example.orgx/web",
        "spiffe://example.org",
        "spiffe://example.org.evil/web",
        "https://example.org/web",
    ):
        assert by_svid(server, svid(server, subject))[0] == 401


def test_a_token_that_speaks_for_several_has_to_say_for_whom(server: RealmServer) -> None:
    """Keycloak refuses all of them; it knows one client for each subject."""
    twin = svid(server, "spiffe://example.org/twin")
    assert by_svid(server, twin)[0] == 401
    assert [by_svid(server, twin, client_id=name)[0] for name in ("twin", "twin2")] == [200, 200]
    assert by_svid(server, twin, client_id="svid") == (400, "client_id parameter does not match authenticated client")


def test_a_jwt_svid_is_none_of_the_other_kind(server: RealmServer) -> None:
    assert by_rule(server, svid(server), "svid") == 401
    assert by_svid(server, svid(server, iss=SVID))[0] == 401
    assert by_svid(server, token(server), client_id="deploy")[0] == 401


def test_nobody_is_trusted_by_spiffe_where_it_is_off(
    server: RealmServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plain = make_realm(
        tmp_path_factory.mktemp("plain"),
        identity_providers=[
            _provider("spire", "spiffe", trustDomain="spiffe://example.org", **{"keyturn.jwks": _bundle()})
        ],
    )
    assert plain.entry.realm.trust_domains == {}
    plain.store.close()


def test_claims_made_to_cost_are_not_looked_at_before_the_signature(server: RealmServer) -> None:
    """And a long one within bounds costs little: patterns do not backtrack."""
    began = time.process_time()
    assert by_rule(server, token(server, sub="repo:shop/" + "a:ref:refs/heads/" * 500, signer=key(number=1))) == 401
    assert by_rule(server, token(server, sub="repo:shop/" + "a" * 900)) == 401
    assert time.process_time() - began < 1


def test_oversized_and_deep_tokens_are_refused(server: RealmServer) -> None:
    assert by_rule(server, token(server, padding="x" * 20_000)) in (400, 401, 413)
    deep: Any = "x"
    for _ in range(200):
        deep = {"a": deep}
    assert by_rule(server, token(server, sub=None, nested=deep)) in (400, 401)
    assert by_svid(server, svid(server, padding="x" * 20_000))[0] in (400, 401, 413)
