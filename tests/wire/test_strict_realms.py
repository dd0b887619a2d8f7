"""What a realm does otherwise than Keycloak where its attributes ask for it (RFC 9700, 6749, 8707, 9068)."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from harness.assertions import TYPE, assertion, form, jwks, key
from harness.realm import RealmUnderTest, make_realm
from harness.realm_server import RealmServer
from keyturn.jose import base64url, jwt
from keyturn.model.strictness import ISSUER_ONLY, ONE_ERROR, ONE_METHOD, RESOURCES, RFC_9068, SMALL_TOKENS, STRICT
from keyturn.representations import ProtocolMapperRepresentation, RealmRepresentation, decode

SVC = ("svc", "svc-secret")
ORDERS, BILLING = "https://orders.example/api", "https://billing.example/api"


def for_audience(name: str) -> ProtocolMapperRepresentation:
    config = {"included.custom.audience": name, "access.token.claim": "true"}
    config |= {"lightweight.claim": "true", "introspection.token.claim": "true"}
    return ProtocolMapperRepresentation(
        name=name, protocol="openid-connect", protocol_mapper="oidc-audience-mapper", config=config
    )


def populated(directory: Path, **attributes: str) -> RealmUnderTest:
    made = make_realm(directory, attributes={name: value for name, value in attributes.items() if value})
    own: dict[str, Any] = {"service_accounts_enabled": True, "direct_access_grants_enabled": True}
    mappers = [for_audience(ORDERS), for_audience(BILLING)]
    exchanging = {"standard.token.exchange.enabled": "true"}
    made.add_client(client_id="svc", secret="svc-secret", protocol_mappers=mappers, attributes=exchanging, **own)
    made.add_client(client_id="plain", secret="plain-secret", **own)
    light = {"client.use.lightweight.access.token.enabled": "true"}
    made.add_client(client_id="light", secret="light-secret", protocol_mappers=mappers, attributes=light, **own)
    for resource in (ORDERS, BILLING):
        made.add_client(client_id=resource, secret="api-secret")
    config = {"claim.name": "client_id", "claim.value": "somebody", "access.token.claim": "true"}
    lie = ProtocolMapperRepresentation(
        name="x", protocol="openid-connect", protocol_mapper="oidc-hardcoded-claim-mapper", config=config
    )
    made.add_client(client_id="liar", secret="liar-secret", protocol_mappers=[lie], **own)
    made.add_client(client_id="off", secret="off-secret", enabled=False, **own)
    made.add_client(client_id="idle", secret="idle-secret")
    made.add_client(
        client_id="signer",
        client_authenticator_type="client-jwt",
        service_accounts_enabled=True,
        attributes={"use.jwks.string": "true", "jwks.string": jwks(key())},
    )
    made.add_person("ada", "engine")
    return made


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    made = populated(tmp_path_factory.mktemp("strict"), **{STRICT: "true"})
    yield RealmServer(made)
    made.store.close()


@pytest.fixture(scope="module")
def compatible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    made = populated(tmp_path_factory.mktemp("compatible"))
    yield RealmServer(made)
    made.store.close()


def ask(server: RealmServer, auth: tuple[str, str] | None = SVC, /, **form: Any) -> httpx.Response:
    return server.protocol("POST", "token", data={"grant_type": "client_credentials"} | form, auth=auth)


def claims_of(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return dict(jwt.parse(response.json()["access_token"]).claims)


WITHOUT_PROOF: dict[str, dict[str, Any]] = {
    "an unknown client": {"auth": ("nobody", "svc-secret")},
    "a wrong secret": {"auth": ("svc", "wrong")},
    "a disabled client": {"auth": ("off", "off-secret")},
    "a secret of a client that signs": {"auth": ("signer", "secret")},
    "no secret": {"auth": None, "client_id": "svc"},
    "no client": {"auth": None},
    "no header that can be read": {"auth": ("%zz", "x")},
}


@pytest.mark.parametrize("shown", WITHOUT_PROOF)
@pytest.mark.parametrize("endpoint", ["token", "token/introspect", "revoke"])
def test_whoever_proves_nothing_gets_the_same_answer(strict: RealmServer, shown: str, endpoint: str) -> None:
    """RFC 6749 §5.2; RFC 7662 §2.3; RFC 7009 §2.2.1."""
    sent = {"grant_type": "client_credentials", "token": "x"} | WITHOUT_PROOF[shown]
    answer = strict.protocol("POST", endpoint, auth=sent.pop("auth"), data=sent)
    assert (answer.status_code, answer.json()) == (
        401,
        {"error": "invalid_client", "error_description": "Client authentication failed"},
    )
    assert answer.headers["www-authenticate"] == 'Basic realm="realms/machines", charset="UTF-8"'


def test_a_wrong_assertion_is_no_other_error(strict: RealmServer) -> None:
    now = strict.realm.clock()
    for claims in ({"sub": "nobody", "iss": "nobody"}, {"aud": "https://elsewhere.example"}, {"exp": int(now) - 1}):
        text = assertion("signer", strict.issuer, now, **claims)
        answer = ask(strict, None, **form(text))
        assert (answer.status_code, answer.json()["error_description"]) == (401, "Client authentication failed")


TWO_METHODS: dict[str, dict[str, str]] = {
    "a secret in header and form": {"client_id": "svc", "client_secret": "svc-secret"},
    "a secret without a client in the form": {"client_secret": "svc-secret"},
    "an empty one": {"client_secret": ""},
    "an assertion beside the header": {"client_assertion_type": TYPE, "client_assertion": "x.y.z"},
    "another client in the form": {"client_id": "plain"},
    "another client and its secret": {"client_id": "plain", "client_secret": "plain-secret"},
}


@pytest.mark.parametrize("shown", TWO_METHODS)
@pytest.mark.parametrize("endpoint", ["token", "token/introspect", "revoke"])
def test_two_methods_in_one_request_are_refused(
    strict: RealmServer, compatible: RealmServer, shown: str, endpoint: str
) -> None:
    """RFC 6749 §2.3, §5.2. In other realms what the form says counts."""
    sent = {"grant_type": "client_credentials", "token": "x"} | TWO_METHODS[shown]
    answer = strict.protocol("POST", endpoint, auth=SVC, data=sent)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "More than one" in answer.json()["error_description"]
    assert "More than one" not in compatible.protocol("POST", endpoint, auth=SVC, data=sent).text


def test_an_assertion_and_a_secret_are_two_methods(strict: RealmServer) -> None:
    text = assertion("signer", strict.issuer, strict.realm.clock())
    assert ask(strict, None, **form(text, client_id="svc", client_secret="svc-secret")).status_code == 400
    assert ask(strict, None, **form(text, client_id="signer")).status_code == 200, "the assertion was not used up"
    assert ask(strict, SVC, client_id="svc").status_code == 200


def test_the_events_still_tell_what_was_wrong(strict: RealmServer) -> None:
    told = []
    for auth in (("nobody", "x"), ("svc", "wrong")):
        ask(strict, auth)
        told.append(strict.sink.events[-1].error)
    assert told == ["client_not_found", "invalid_client_credentials"]


def test_who_is_known_gets_400_for_what_it_may_not_do(strict: RealmServer, compatible: RealmServer) -> None:
    """RFC 6749 §5.2: ``unauthorized_client`` is no failure to authenticate."""
    answers = [ask(server, ("idle", "idle-secret")) for server in (strict, compatible)]
    assert [answer.status_code for answer in answers] == [400, 401]
    assert {answer.json()["error"] for answer in answers} == {"unauthorized_client"}


def test_no_error_repeats_characters_that_none_may_have(strict: RealmServer, compatible: RealmServer) -> None:
    """RFC 6749 §5.2."""
    scope = 'a "b"\\\r\nX: ü'
    assert ask(strict, scope=scope).json()["error_description"] == "Invalid scopes: a ?b????X: ?"
    assert ask(compatible, scope=scope).json()["error_description"] == f"Invalid scopes: {scope}"


def test_the_token_endpoint_is_no_audience_of_an_assertion(strict: RealmServer, compatible: RealmServer) -> None:
    """draft-ietf-oauth-rfc7523bis §4."""
    statuses = []
    for server in (strict, compatible):
        for audience in (server.issuer, f"{server.issuer}/protocol/openid-connect/token"):
            text = assertion("signer", audience, server.realm.clock())
            statuses.append(ask(server, None, **form(text)).status_code)
    assert statuses == [200, 401, 200, 200]


def test_a_token_says_what_it_is_and_for_whom(strict: RealmServer) -> None:
    """RFC 9068 §2.1, §2.2: all that is required, without a mapper that gives it."""
    for auth in (SVC, ("plain", "plain-secret")):
        answer = ask(strict, auth)
        header = decode(base64url.decode(answer.json()["access_token"].split(".")[0].encode()), dict[str, Any])
        claims = claims_of(answer)
        assert header["typ"] == "at+jwt"
        assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= claims.keys()
        assert (claims["client_id"], claims["iss"]) == (auth[0], strict.issuer)
    assert claims["aud"] == strict.issuer


def test_a_persons_token_says_as_much(strict: RealmServer) -> None:
    login = {"grant_type": "password", "username": "ada", "password": "engine"}
    claims = claims_of(ask(strict, ("plain", "plain-secret"), **login))
    assert {"sub", "aud", "client_id"} <= claims.keys()
    assert claims["sub"] != strict.realm.name


def test_no_mapper_says_who_the_client_is(strict: RealmServer) -> None:
    assert claims_of(ask(strict, ("liar", "liar-secret")))["client_id"] == "liar"


def test_roles_that_are_for_people_are_left_out(strict: RealmServer, compatible: RealmServer) -> None:
    small, large = (claims_of(ask(server, ("plain", "plain-secret"))) for server in (strict, compatible))
    assert "account" in large["resource_access"]
    assert {"offline_access", "uma_authorization", "default-roles-machines"} <= set(large["realm_access"]["roles"])
    assert "resource_access" not in small
    assert "realm_access" not in small


def test_introspection_leaves_them_out_too(strict: RealmServer) -> None:
    token = ask(strict).json()["access_token"]
    told = strict.protocol("POST", "token/introspect", data={"token": token}, auth=None)
    assert told.status_code == 401
    told = strict.protocol(
        "POST", "token/introspect", data={"token": token, "client_id": ORDERS, "client_secret": "api-secret"}
    )
    assert told.json()["active"] is True
    assert "realm_access" not in told.json()


def test_a_token_is_for_the_resources_that_were_named(strict: RealmServer) -> None:
    """RFC 8707 §2."""
    assert set(claims_of(ask(strict))["aud"]) == {ORDERS, BILLING}
    assert claims_of(ask(strict, resource=ORDERS))["aud"] == ORDERS
    assert claims_of(ask(strict, resource=BILLING))["aud"] == BILLING
    assert set(claims_of(ask(strict, resource=[ORDERS, BILLING]))["aud"]) == {ORDERS, BILLING}
    assert set(claims_of(ask(strict))["aud"]) == {ORDERS, BILLING}


@pytest.mark.parametrize(
    "resource",
    [
        "https://other.example/api",
        "orders",
        "/api",
        "",
        f"{ORDERS}#fragment",
        f"{ORDERS}/",
        ORDERS.upper(),
        [ORDERS, "https://other.example/api"],
        "https://orders.example/api api",
    ],
    ids=str,
)
def test_what_is_no_resource_of_the_client_is_refused(strict: RealmServer, resource: Any) -> None:
    answer = ask(strict, resource=resource)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")
    assert strict.sink.events[-1].error == "invalid_target"
    assert strict.sink.events[-1].client_id == "svc"


@pytest.mark.parametrize("auth", [SVC, ("light", "light-secret")])
def test_introspection_tells_of_the_resources_that_were_named_and_tells_no_others(
    strict: RealmServer, auth: tuple[str, str]
) -> None:
    """RFC 8707 §2: also where mappers could tell of all of them."""

    def told(token: str, resource: str) -> Any:
        basic = (quote(resource, safe=""), "api-secret")
        return strict.protocol("POST", "token/introspect", data={"token": token}, auth=basic).json()

    one = ask(strict, auth, resource=ORDERS).json()["access_token"]
    assert told(one, ORDERS)["aud"] == ORDERS
    assert told(one, BILLING) == {"active": False}
    both = ask(strict, auth).json()["access_token"]
    assert set(told(both, BILLING)["aud"]) == {ORDERS, BILLING}


def test_a_refresh_token_is_for_the_same_resources_or_fewer(strict: RealmServer) -> None:
    """RFC 8707 §2.2."""
    login = {"grant_type": "password", "username": "ada", "password": "engine"}
    first = ask(strict, SVC, **login, resource=ORDERS)
    assert claims_of(first)["aud"] == ORDERS
    refresh = {"grant_type": "refresh_token", "refresh_token": first.json()["refresh_token"]}
    again = ask(strict, SVC, **refresh)
    assert claims_of(again)["aud"] == ORDERS
    wider = ask(strict, SVC, **refresh, resource=BILLING)
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_target")
    all_of_them = ask(strict, SVC, **login, resource=[ORDERS, BILLING])
    refresh["refresh_token"] = all_of_them.json()["refresh_token"]
    assert claims_of(ask(strict, SVC, **refresh, resource=BILLING))["aud"] == BILLING


def test_an_exchanged_token_is_for_the_resource_that_was_named(strict: RealmServer) -> None:
    exchange = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token": ask(strict).json()["access_token"],
    }
    assert set(claims_of(ask(strict, SVC, **exchange))["aud"]) == {ORDERS, BILLING}
    assert claims_of(ask(strict, SVC, **exchange, resource=ORDERS))["aud"] == ORDERS
    refused = ask(strict, SVC, **exchange, resource="https://other.example/api")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")


def test_other_realms_look_at_no_resource(compatible: RealmServer) -> None:
    assert set(claims_of(ask(compatible, resource="anything"))["aud"]) == {ORDERS, BILLING, "account"}
    twice = ask(compatible, resource=["a", "b"])
    assert (twice.status_code, twice.json()["error_description"]) == (400, "duplicated parameter")


@pytest.mark.parametrize("alone", [ONE_ERROR, ONE_METHOD, ISSUER_ONLY, RESOURCES, RFC_9068, SMALL_TOKENS])
@pytest.mark.parametrize("strict_but_for", [False, True])
def test_each_part_is_switched_alone(compatible: RealmServer, alone: str, strict_but_for: bool) -> None:
    realm = compatible.realm
    attributes = {STRICT: "true", alone: "false"} if strict_but_for else {alone: "true"}
    before = realm.entry.realm.document.attributes

    def change(document: RealmRepresentation) -> None:
        document.attributes = attributes

    def restore(document: RealmRepresentation) -> None:
        document.attributes = before

    realm.change_realm(change)
    try:
        strictness = realm.entry.realm.strictness
        answer = ask(compatible, ("plain", "plain-secret"))
        header = decode(b64decode(answer.json()["access_token"].split(".")[0] + "=="), dict[str, Any])
        text = assertion("signer", f"{compatible.issuer}/protocol/openid-connect/token", realm.clock())
        seen = {
            ONE_ERROR: ask(compatible, ("svc", "wrong")).json()["error"] == "invalid_client",
            ONE_METHOD: ask(compatible, client_secret="svc-secret").status_code == 400,
            ISSUER_ONLY: ask(compatible, None, **form(text)).status_code != 200,
            RESOURCES: ask(compatible, resource="https://x.example").status_code == 400,
            RFC_9068: header["typ"] == "at+jwt",
            SMALL_TOKENS: "realm_access" not in claims_of(answer),
        }
        assert seen == {name: (name == alone) != strict_but_for for name in seen}
        assert (strictness.max_age is not None) == strict_but_for
    finally:
        realm.change_realm(restore)
