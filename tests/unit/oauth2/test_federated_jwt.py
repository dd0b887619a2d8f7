"""Workloads that authenticate with a token of an issuer that the realm trusts (Keycloak ``federated-jwt``)."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from harness.assertions import TYPE, assertion, form, jwks, key
from harness.realm import NOW, RealmUnderTest, make_realm
from harness.realm_server import RealmServer
from keyturn.http.outbound import Outbound
from keyturn.model.client_credential import with_credentials
from keyturn.representations.client import ClientRepresentation
from keyturn.representations.client_credential import ClientCredentialRepresentation
from keyturn.representations.identity_provider import IdentityProviderRepresentation
from keyturn.representations.realm import RealmRepresentation

ISSUER = "https://ci.example"
CLUSTER = "https://cluster.example"
INVALID = (401, "Invalid client or Invalid client credentials")
INLINE = {"publicKeySignatureVerifier": jwks(key())}
PEM = "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----"


def provider(alias: str, issuer: str, **config: str) -> IdentityProviderRepresentation:
    return IdentityProviderRepresentation(
        alias=alias,
        internal_id=alias,
        provider_id="oidc",
        enabled=True,
        config={"issuer": issuer, "supportsClientAssertions": "true"} | INLINE | config,
    )


def trust(realm: RealmUnderTest, *providers: IdentityProviderRepresentation) -> None:
    def change(document: RealmRepresentation) -> None:
        document.identity_providers = list(providers)

    realm.change_realm(change)


def add(realm: RealmUnderTest, client_id: str, subject: str, alias: str = "ci", **fields: Any) -> None:
    attributes = {"jwt.credential.issuer": alias, "jwt.credential.sub": subject}
    machine = {"client_authenticator_type": "federated-jwt", "service_accounts_enabled": True}
    realm.add_client(client_id=client_id, attributes=attributes, **(machine | fields))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    realm = make_realm(tmp_path_factory.mktemp("realm"))
    add(realm, "deploy", "repo:shop")
    add(realm, "stage", "repo:many")
    add(realm, "live", "repo:many")
    add(realm, "off", "repo:off", enabled=False)
    add(realm, "elsewhere", "repo:elsewhere", alias="other")
    add(realm, "pod", "system:serviceaccount:shop:web", alias="kube")
    realm.add_client(client_id="secret", secret="s", service_accounts_enabled=True)
    yield RealmServer(realm)
    realm.store.close()


@pytest.fixture(autouse=True)
def trusted(server: RealmServer) -> None:
    trust(server.realm, provider("ci", ISSUER), provider("other", "https://other.example"))


def token(server: RealmServer, subject: str = "repo:shop", **options: Any) -> str:
    return assertion("x", server.issuer, NOW, **({"iss": ISSUER, "sub": subject} | options))


def ask(server: RealmServer, text: str, **more: str) -> tuple[int, str | None]:
    response = server.protocol("POST", "token", data=form(text, **more))
    return response.status_code, response.json().get("error_description")


def test_a_token_of_a_trusted_issuer_authenticates_the_client_of_its_subject(server: RealmServer) -> None:
    response = server.protocol("POST", "token", data=form(token(server)))
    assert response.status_code == 200
    event = server.sink.events[-1]
    assert (event.client_id, event.error) == ("deploy", None)
    assert ask(server, token(server), client_id="deploy") == (200, None)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"iss": "https://nobody.example"}, INVALID),
        ({"iss": "https://other.example"}, INVALID),
        ({"sub": "repo:elsewhere"}, INVALID),
        ({"sub": "repo:unknown"}, INVALID),
        ({"sub": "repo:off"}, INVALID),
        ({"sub": None}, INVALID),
        ({"signer": key(number=1)}, INVALID),
        ({"signer": key(number=1), "header": {"kid": "ES256-0"}}, INVALID),
        ({"header": {"kid": None}}, (200, None)),
        ({"header": {"alg": "HS256"}}, (400, "Invalid signature algorithm")),
        ({"aud": "TOKEN"}, (400, "Invalid token audience")),
        ({"aud": "https://elsewhere"}, (400, "Invalid token audience")),
        ({"aud": None}, (400, "Invalid token audience")),
        ({"exp": NOW - 1}, (400, "Token is not active")),
        ({"nbf": NOW + 1}, (400, "Token is not active")),
        ({"iat": NOW + 1}, (400, "Token was issued in the future")),
        ({"iat": NOW - 300}, (200, None)),
        ({"iat": NOW - 301}, (400, "Token was issued too far in the past to be used now")),
        ({"jti": None}, (400, "Token jti claim is required")),
    ],
    ids=str,
)
def test_demands_of_a_token_what_keycloak_does(
    server: RealmServer, options: dict[str, Any], answer: tuple[int, str | None]
) -> None:
    if options.get("aud") == "TOKEN":
        options = {"aud": f"{server.issuer}/protocol/openid-connect/token"}
    assert ask(server, token(server, **options)) == answer


def test_a_token_counts_once_unless_the_issuer_says_otherwise(server: RealmServer) -> None:
    text = token(server)
    assert [ask(server, text)[1] for _ in range(2)] == [None, "Token reuse detected"]
    trust(server.realm, provider("ci", ISSUER, supportsClientAssertionReuse="true"))
    text = token(server, jti=None)
    assert [ask(server, text)[0] for _ in range(2)] == [200, 200]


def test_client_id_chooses_among_several_clients_of_one_subject(server: RealmServer) -> None:
    assert ask(server, token(server, "repo:many"), client_id="live") == (200, None)
    assert server.sink.events[-1].client_id == "live"
    assert ask(server, token(server, "repo:many"), client_id="stage") == (200, None)
    assert ask(server, token(server, "repo:many")) == INVALID


def test_a_subject_speaks_for_no_other_client(server: RealmServer) -> None:
    named = ask(server, token(server), client_id="live")
    assert named == (400, "client_id parameter does not match authenticated client")
    for other in ("secret", "nobody"):
        assert ask(server, token(server), client_id=other)[0] == 401


@pytest.mark.parametrize("change", [{"enabled": False}, {"provider_id": "github"}, {"config": {"issuer": ISSUER}}])
def test_an_issuer_that_is_switched_off_authenticates_nobody(server: RealmServer, change: dict[str, Any]) -> None:
    trust(server.realm, replace(provider("ci", ISSUER), **change))
    assert ask(server, token(server)) == INVALID


def test_a_change_counts_for_the_next_request(server: RealmServer) -> None:
    trust(server.realm)
    assert ask(server, token(server)) == INVALID
    trust(server.realm, provider("ci", ISSUER))
    assert ask(server, token(server)) == (200, None)


@pytest.mark.parametrize(
    ("config", "options", "status"),
    [
        ({"allowedClockSkew": "100"}, {"nbf": NOW + 100, "iat": NOW + 100, "exp": NOW + 200}, 200),
        ({"allowedClockSkew": "100"}, {"nbf": NOW + 101}, 400),
        ({"fedClientAssertionMaxExp": "1000"}, {"iat": NOW - 1000}, 200),
        ({"fedClientAssertionMaxExp": "10"}, {"iat": NOW - 11}, 400),
        ({"allowClientIdAsAudience": "true", "clientId": "mine"}, {"aud": "mine"}, 200),
        ({"allowClientIdAsAudience": "true", "clientId": "mine"}, {}, 400),
        ({"publicKeySignatureVerifier": "nonsense"}, {}, 401),
        ({"publicKeySignatureVerifier": ""}, {}, 401),
        ({"useJwksUrl": "true", "jwksUrl": "http://127.0.0.1:1/jwks"}, {}, 401),
        ({"useJwksUrl": "true"}, {}, 401),
    ],
    ids=str,
)
def test_obeys_what_the_issuer_is_configured_with(
    server: RealmServer, config: dict[str, str], options: dict[str, Any], status: int
) -> None:
    trust(server.realm, provider("ci", ISSUER, **config))
    assert ask(server, token(server, **options))[0] == status


def test_takes_a_key_in_pem_by_any_name_or_its_own(server: RealmServer) -> None:
    pem = PEM.format(base64.b64encode(key().public.to_der()).decode())
    trust(server.realm, provider("ci", ISSUER, publicKeySignatureVerifier=pem))
    assert ask(server, token(server, header={"kid": "any"}))[0] == 200
    named = {"publicKeySignatureVerifier": pem, "publicKeySignatureVerifierKeyId": "mine"}
    trust(server.realm, provider("ci", ISSUER, **named))
    assert ask(server, token(server, header={"kid": "any"}))[0] == 401
    assert ask(server, token(server, header={"kid": "mine"}))[0] == 200


def test_a_key_without_a_name_hides_none_that_has_one(server: RealmServer) -> None:
    nameless = key(number=1).public.jwk() | {"use": "sig"}
    del nameless["kid"]
    keys = json.dumps({"keys": [nameless, *json.loads(jwks(key()))["keys"]]})
    trust(server.realm, provider("ci", ISSUER, publicKeySignatureVerifier=keys))
    assert ask(server, token(server))[0] == 200


def test_a_pods_token_counts_for_as_long_as_the_pod_keeps_it(
    server: RealmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service account's token of Kubernetes: the keys are found by the cluster's metadata."""
    fetched: list[str] = []

    async def get(_: Any, url: str, token: str | None = None) -> bytes:
        fetched.append(url)
        if url.endswith("/.well-known/openid-configuration"):
            return json.dumps({"issuer": CLUSTER, "jwks_uri": f"{CLUSTER}/openid/v1/jwks"}).encode()
        return jwks(key()).encode()

    monkeypatch.setattr(Outbound, "get", get)
    cluster = IdentityProviderRepresentation(
        alias="kube", internal_id="kube", provider_id="kubernetes", enabled=True, config={"issuer": CLUSTER}
    )
    trust(server.realm, cluster)
    fresh = RealmServer(server.realm)
    text = token(server, "system:serviceaccount:shop:web", iss=CLUSTER, iat=NOW - 3500, exp=NOW + 100, jti=None)
    assert [ask(fresh, text)[0] for _ in range(3)] == [200] * 3
    assert fetched == [f"{CLUSTER}/.well-known/openid-configuration", f"{CLUSTER}/openid/v1/jwks"]


def test_a_client_that_speaks_for_itself_is_no_workload(server: RealmServer) -> None:
    assert ask(server, assertion("deploy", server.issuer, NOW)) == INVALID
    own = {"grant_type": "client_credentials", "client_id": "deploy", "client_assertion_type": TYPE}
    assert server.protocol("POST", "token", data=own).status_code == 401


def rule(realm: RealmUnderTest, client_id: str, *rules: tuple[str, dict[str, list[str]]], **fields: Any) -> None:
    client = realm.add_client(client_id=client_id, service_accounts_enabled=True, **fields)
    credentials = [
        ClientCredentialRepresentation(name=f"rule{number}", type="federated", issuer=alias, claims=claims)
        for number, (alias, claims) in enumerate(rules)
    ]

    def change(document: ClientRepresentation) -> None:
        document.attributes = with_credentials(document, credentials).attributes

    realm.change_client(client, change)


@pytest.fixture(scope="module")
def ruled(server: RealmServer) -> RealmServer:
    rule(server.realm, "all", ("ci", {"sub": ["repo:shop/*:ref:refs/heads/main"]}), secret="a-secret-of-its-own")
    live = {"sub": ["repo:shop/**"], "environment": ["live", "stage"]}
    rule(server.realm, "web", ("other", {"sub": ["repo:**"]}), ("ci", live), client_authenticator_type="federated-jwt")
    return server


MAIN = "repo:shop/web:ref:refs/heads/main"


def test_a_rule_maps_many_subjects_to_one_client_and_one_to_many(ruled: RealmServer) -> None:
    for sub in (MAIN, "repo:shop/api:ref:refs/heads/main"):
        assert ask(ruled, token(ruled, sub), client_id="all") == (200, None)
        event = ruled.sink.events[-1]
        assert (event.client_id, event.credential) == ("all", "rule0")
    assert ask(ruled, token(ruled, MAIN, environment="stage"), client_id="web") == (200, None)
    assert ruled.sink.events[-1].credential == "rule1"


def test_a_token_that_no_rule_is_about_speaks_for_nobody(ruled: RealmServer) -> None:
    for client, sub, more in (
        ("all", "repo:shop/web:ref:refs/heads/dev", {}),
        ("all", "repo:other/web:ref:refs/heads/main", {}),
        ("web", MAIN, {}),
        ("web", MAIN, {"environment": "test"}),
        ("web", MAIN, {"environment": ["live" * 2]}),
    ):
        assert ask(ruled, token(ruled, sub, **more), client_id=client) == INVALID


def test_a_rule_of_another_issuer_does_not_count(ruled: RealmServer) -> None:
    """The right claims, from an issuer that the realm trusts for others."""
    trust(ruled.realm, provider("evil", ISSUER))
    assert ask(ruled, token(ruled, MAIN), client_id="all") == INVALID


def test_a_rule_needs_the_signature_of_its_issuer(ruled: RealmServer) -> None:
    forged = token(ruled, MAIN, signer=key(number=1))
    assert ask(ruled, forged, client_id="all") == INVALID


def test_a_rule_needs_the_client_to_be_named(ruled: RealmServer) -> None:
    assert ask(ruled, token(ruled, MAIN)) == INVALID


def test_a_client_with_a_rule_goes_on_with_its_secret(ruled: RealmServer) -> None:
    form_ = {"grant_type": "client_credentials"}
    assert ruled.protocol("POST", "token", data=form_, auth=("all", "a-secret-of-its-own")).status_code == 200
