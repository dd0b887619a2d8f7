"""The client credentials grant (RFC 6749 §4.4) on Keycloak's wire."""

from pathlib import Path

import pytest

from harness.realm import NOW, RealmUnderTest, make_realm
from harness.tokens import BASE_URL, ask, verified
from keyturn.model.pairwise import PROVIDER, SALT
from keyturn.representations import ClientRepresentation, ProtocolMapperRepresentation

GRANT = {"grant_type": "client_credentials"}
INVALID = "Invalid client or Invalid client credentials"


def service(realm: RealmUnderTest, **fields: object) -> ClientRepresentation:
    return realm.add_client(**{"client_id": "svc", "secret": "s3cret", "service_accounts_enabled": True} | fields)


def test_a_token_says_what_keycloaks_says(realm: RealmUnderTest) -> None:
    service(realm)
    answer = ask(realm, GRANT, basic=("svc", "s3cret"))
    claims = dict(verified(realm, answer.body.pop("access_token")))
    assert answer.body == {
        "expires_in": 300,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": claims["scope"],
    }
    assert claims.pop("sub")
    assert claims.pop("jti").startswith("trrtcc:")
    assert set(claims.pop("scope").split()) == {"email", "profile"}
    assert claims == {
        "exp": NOW + 300,
        "iat": NOW,
        "iss": f"{BASE_URL}/realms/machines",
        "aud": "account",
        "typ": "Bearer",
        "azp": "svc",
        "acr": "1",
        "realm_access": {"roles": ["default-roles-machines", "offline_access", "uma_authorization"]},
        "resource_access": {"account": {"roles": ["manage-account", "manage-account-links", "view-profile"]}},
        "email_verified": False,
        "clientHost": "192.0.2.7",
        "clientAddress": "192.0.2.7",
        "preferred_username": "service-account-svc",
        "client_id": "svc",
    }


def test_every_token_has_an_id_of_its_own(realm: RealmUnderTest) -> None:
    service(realm)
    tokens = [ask(realm, GRANT, basic=("svc", "s3cret")).body["access_token"] for _ in range(5)]
    assert len({verified(realm, token)["jti"] for token in tokens}) == 5


def test_the_issuer_follows_the_address_that_the_caller_used(realm: RealmUnderTest) -> None:
    service(realm)
    for base_url in ("http://one.test", "https://two.test:9443", "http://one.test"):
        answer = ask(realm, GRANT, basic=("svc", "s3cret"), base_url=base_url)
        assert verified(realm, answer.body["access_token"])["iss"] == f"{base_url}/realms/machines"


def test_the_address_in_the_token_is_the_callers(realm: RealmUnderTest) -> None:
    service(realm)
    for address in ("192.0.2.1", "2001:db8::1", "192.0.2.1"):
        answer = ask(realm, GRANT, basic=("svc", "s3cret"), address=address)
        assert verified(realm, answer.body["access_token"])["clientAddress"] == address


def test_thousands_of_hosts_and_addresses_do_not_fill_the_memory(realm: RealmUnderTest) -> None:
    service(realm)
    for number in range(200):
        ask(realm, GRANT, basic=("svc", "s3cret"), base_url=f"http://host-{number}.test", address=f"192.0.2.{number}")
    client = realm.entry.by_client_id("svc")
    assert client is not None
    assert len(client.prepared) == 2 * 64  # each with its key


@pytest.mark.parametrize(
    ("credentials", "expect"),
    [
        pytest.param({"basic": ("svc", "wrong")}, (401, "unauthorized_client", INVALID), id="wrong secret"),
        pytest.param({"basic": ("svc", "")}, (401, "unauthorized_client", INVALID), id="empty secret"),
        pytest.param({"basic": ("nobody", "s3cret")}, (401, "invalid_client", INVALID), id="unknown client"),
        pytest.param({"basic": ("SVC", "s3cret")}, (401, "invalid_client", INVALID), id="another case"),
        pytest.param({"authorization": "Basic %%%"}, (401, "invalid_client", INVALID), id="no base64"),
        pytest.param({"authorization": "Basic c3Zj"}, (401, "invalid_client", INVALID), id="no colon"),
        pytest.param({"authorization": "Bearer x"}, (401, "invalid_client", INVALID), id="another scheme"),
        pytest.param({}, (401, "invalid_client", INVALID), id="no client"),
        pytest.param(
            {"basic": ("svc", "s3cret%")},
            (400, "unauthorized_client", "Unexpected error when authenticating client"),
            id="a percent sign that escapes nothing",
        ),
    ],
)
def test_refuses_whoever_does_not_prove_to_be_the_client(
    realm: RealmUnderTest, credentials: dict[str, object], expect: tuple[int, str, str]
) -> None:
    service(realm)
    assert ask(realm, GRANT, **credentials).error == expect  # type: ignore[arg-type]


def test_reads_basic_credentials_as_form_encoded(realm: RealmUnderTest) -> None:
    service(realm, client_id="a b:c", secret="p@ss+word %")
    answer = ask(realm, GRANT, basic=("a+b%3Ac", "p%40ss%2Bword+%25"))
    assert answer.status == 200


def test_a_client_may_be_held_to_one_way_of_sending_its_secret(realm: RealmUnderTest) -> None:
    for method in ("client_secret_basic", "client_secret_post"):
        service(realm, client_id=method, attributes={"client.secret.authentication.allowed.method": method})
    form = {"client_id": "client_secret_basic", "client_secret": "s3cret"}
    answer = ask(realm, GRANT | form)
    assert (answer.status, answer.body["error"]) == (401, "unauthorized_client")
    assert "Client requires method 'client_secret_basic'" in answer.body["error_description"]
    assert ask(realm, GRANT, basic=("client_secret_basic", "s3cret")).status == 200
    assert ask(realm, GRANT, basic=("client_secret_post", "s3cret")).status == 401
    assert ask(realm, GRANT | form | {"client_id": "client_secret_post"}).status == 200


def test_the_form_goes_before_the_header(realm: RealmUnderTest) -> None:
    service(realm)
    form = GRANT | {"client_id": "svc", "client_secret": "s3cret"}
    assert ask(realm, form, basic=("nobody", "x")).status == 200
    assert ask(realm, form | {"client_secret": "wrong"}, basic=("svc", "s3cret")).status == 401


@pytest.mark.parametrize(
    ("fields", "expect"),
    [
        ({"enabled": False}, (401, "invalid_client", INVALID)),
        (
            {"public_client": True},
            (401, "unauthorized_client", "Public client not allowed to retrieve service account"),
        ),
        (
            {"service_accounts_enabled": False},
            (401, "unauthorized_client", "Client not enabled to retrieve service account"),
        ),
        ({"bearer_only": True}, (400, "invalid_client", "Bearer-only not allowed")),
        ({"protocol": "saml"}, (400, "invalid_client", "Wrong client protocol.")),
        (
            {"client_authenticator_type": "client-jwt"},
            (400, "invalid_client", "Parameter client_assertion_type is missing"),
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_refuses_clients_that_are_not_made_for_it(
    realm: RealmUnderTest, fields: dict[str, object], expect: tuple[int, str, str]
) -> None:
    service(realm, **fields)
    assert ask(realm, GRANT, basic=("svc", "s3cret")).error == expect


def test_refuses_a_disabled_service_account(realm: RealmUnderTest) -> None:
    service(realm)
    ask(realm, GRANT, basic=("svc", "s3cret"))
    client = realm.entry.by_client_id("svc")
    assert client is not None
    assert client.service_account is not None
    with realm.store.read() as reader:
        from keyturn.store.collections import USERS

        user = reader.get(USERS, realm.id, client.service_account.id)
    assert user is not None
    realm.change_user(user, lambda stored: setattr(stored, "enabled", False))
    assert ask(realm, GRANT, basic=("svc", "s3cret")).error == (
        401,
        "invalid_request",
        "User 'service-account-svc' disabled",
    )


def test_refuses_everybody_in_a_disabled_realm(realm: RealmUnderTest) -> None:
    service(realm)
    realm.change_realm(lambda stored: setattr(stored, "enabled", False))
    assert ask(realm, GRANT, basic=("svc", "s3cret")).error == (403, "access_denied", "Realm not enabled")


def test_a_new_secret_counts_in_the_next_request(realm: RealmUnderTest) -> None:
    client = service(realm)
    assert ask(realm, GRANT, basic=("svc", "s3cret")).status == 200
    realm.change_client(client, lambda stored: setattr(stored, "secret", "another"))
    assert ask(realm, GRANT, basic=("svc", "s3cret")).status == 401
    assert ask(realm, GRANT, basic=("svc", "another")).status == 200


ROTATED = {
    "client.secret.expiration.time": str(NOW + 120),
    "client.secret.rotated": "older",
    "client.secret.rotated.creation.time": str(NOW - 60),
    "client.secret.rotated.expiration.time": str(NOW + 60),
}


def test_a_rotated_secret_counts_until_it_expires(tmp_path: Path) -> None:
    realm = make_realm(tmp_path, features=frozenset({"client-secret-rotation"}))
    service(realm, attributes=ROTATED)
    statuses = {}
    for after in (60, 61, 120, 121):
        realm.clock.now = NOW + after
        statuses[after] = [ask(realm, GRANT, basic=("svc", secret)).status for secret in ("older", "s3cret")]
    realm.store.close()
    assert statuses == {60: [200, 200], 61: [401, 200], 120: [401, 200], 121: [401, 401]}


def test_a_rotated_secret_counts_for_nothing_where_the_preview_is_off(realm: RealmUnderTest) -> None:
    service(realm, attributes=ROTATED)
    assert [ask(realm, GRANT, basic=("svc", secret)).status for secret in ("older", "s3cret")] == [401, 200]


def test_nothing_counts_of_a_rotated_secret_when_its_follower_has_expired(tmp_path: Path) -> None:
    realm = make_realm(tmp_path, features=frozenset({"client-secret-rotation"}))
    service(realm, attributes=ROTATED | {"client.secret.expiration.time": str(NOW - 1)})
    statuses = [ask(realm, GRANT, basic=("svc", secret)).status for secret in ("older", "s3cret")]
    realm.store.close()
    assert statuses == [401, 401]


@pytest.mark.parametrize(
    ("attribute", "lifespan"),
    [("3600", 3600), ("-1", 36000), ("", 120), ("0", 0)],
)
def test_the_clients_lifespan_goes_before_the_realms(realm: RealmUnderTest, attribute: str, lifespan: int) -> None:
    realm.change_realm(lambda stored: setattr(stored, "access_token_lifespan", 120))
    service(realm, attributes={"access.token.lifespan": attribute})
    assert ask(realm, GRANT, basic=("svc", "s3cret")).body["expires_in"] == lifespan


def test_no_token_outlives_the_clients_session(realm: RealmUnderTest) -> None:
    service(realm, attributes={"access.token.lifespan": "7200", "client.session.max.lifespan": "60"})
    assert ask(realm, GRANT, basic=("svc", "s3cret")).body["expires_in"] == 60


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA", "HS256", "ES512", "RS384"])
def test_signs_with_the_clients_algorithm_and_makes_the_key_once(realm: RealmUnderTest, algorithm: str) -> None:
    service(realm, attributes={"access.token.signed.response.alg": algorithm})
    for _ in range(2):
        token = ask(realm, GRANT, basic=("svc", "s3cret")).body["access_token"]
        assert verified(realm, token).header["alg"] == algorithm
    keys = [key for key in realm.entry.realm.keys.keys if key.key.algorithm == algorithm]
    assert [key.priority for key in keys] == [-100]


def test_an_algorithm_that_nobody_knows_is_a_client_error(realm: RealmUnderTest) -> None:
    service(realm, attributes={"access.token.signed.response.alg": "XX256"})
    assert ask(realm, GRANT, basic=("svc", "s3cret")).error[:2] == (400, "invalid_request")


def test_openid_brings_an_id_token(realm: RealmUnderTest) -> None:
    service(realm)
    body = ask(realm, GRANT | {"scope": "openid"}, basic=("svc", "s3cret")).body
    claims = verified(realm, body["id_token"])
    assert (claims["typ"], claims["aud"], claims["azp"]) == ("ID", "svc", "svc")
    assert body["scope"].split()[0] == "openid"


def test_a_client_of_several_sectors_gets_no_token_that_gives_its_users_away(realm: RealmUnderTest) -> None:
    mapper = ProtocolMapperRepresentation(
        id="p", name="p", protocol="openid-connect", protocol_mapper=PROVIDER, config={SALT: "salt"}
    )
    uris = ["https://a.example.com", "https://b.example.com"]
    service(realm, protocol_mappers=[mapper], redirect_uris=uris)
    assert ask(realm, GRANT, basic=("svc", "s3cret")).status == 400
    service(realm, client_id="one", protocol_mappers=[mapper], redirect_uris=uris[:1])
    claims = verified(realm, ask(realm, GRANT, basic=("one", "s3cret")).body["access_token"])
    account = realm.entry.by_client_id("one")
    assert account is not None
    assert account.service_account is not None
    assert claims["sub"] != account.service_account.id
    assert account.calls(account.service_account.id, claims["sub"])


def test_the_header_type_of_rfc_9068_is_a_setting(realm: RealmUnderTest) -> None:
    service(realm, attributes={"access.token.header.type.rfc9068": "true"})
    token = ask(realm, GRANT, basic=("svc", "s3cret")).body["access_token"]
    assert verified(realm, token).header["typ"] == "at+jwt"
