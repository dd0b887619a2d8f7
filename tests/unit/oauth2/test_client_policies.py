"""Client policies where tokens are asked for; what each executor does is compared with Keycloak in parity."""

from typing import Any

from harness.realm import RealmUnderTest
from harness.tokens import ask
from keyturn.registry.compile import compile_realm
from keyturn.store.collections import REALMS

GRANT = {"grant_type": "client_credentials"}
EVERYBODY = [{"condition": "any-client", "configuration": {}}]


def govern(realm: RealmUnderTest, executors: list[dict[str, Any]], conditions: Any = EVERYBODY) -> None:
    """Has `executors` act on what meets `conditions`, whatever they are; makes a client for it."""
    policy = {"name": "x", "enabled": True, "conditions": conditions, "profiles": ["p"]}

    def change(stored: Any) -> None:
        stored.client_profiles = {"profiles": [{"name": "p", "executors": executors}]}
        stored.client_policies = {"policies": [policy]}

    realm.change_realm(change)
    realm.add_client(client_id="svc", secret="s3cret", service_accounts_enabled=True)


def test_a_realm_without_policies_has_none_to_ask(realm: RealmUnderTest) -> None:
    with realm.store.read() as reader:
        document = reader.get(REALMS, realm.id, realm.id)
        assert document is not None
        assert compile_realm(reader, document).client_policies == ()


def test_a_policy_counts_for_the_next_token(realm: RealmUnderTest) -> None:
    realm.add_client(client_id="other", secret="s3cret", service_accounts_enabled=True)
    assert ask(realm, GRANT, basic=("other", "s3cret")).status == 200
    govern(realm, [{"executor": "reject-request", "configuration": {}}])
    answer = ask(realm, GRANT, basic=("other", "s3cret"))
    assert (answer.status, answer.body) == (
        400,
        {"error": "invalid_request", "error_description": "Request not allowed"},
    )


def test_a_policy_that_cannot_be_read_lets_nothing_through(realm: RealmUnderTest) -> None:
    govern(realm, [{"executor": "consent-required", "configuration": "text"}])
    assert ask(realm, GRANT, basic=("svc", "s3cret")).body["error_description"] == (
        "A client policy of the realm cannot be read"
    )


def test_what_is_not_enforced_lets_everything_through(realm: RealmUnderTest) -> None:
    govern(realm, [{"executor": "secure-session", "configuration": {}}])
    assert ask(realm, GRANT, basic=("svc", "s3cret")).status == 200


def test_tokens_are_prepared_for_light_clients_too(realm: RealmUnderTest) -> None:
    conditions = [{"condition": "client-scopes", "configuration": {"scopes": ["phone"], "type": "Optional"}}]
    govern(realm, [{"executor": "use-lightweight-access-token", "configuration": {}}], conditions)
    sizes = [
        len(ask(realm, GRANT | {"scope": scope}, basic=("svc", "s3cret")).body["access_token"])
        for scope in ("email", "phone", "email", "phone")
    ]
    assert sizes[0] == sizes[2] > sizes[1] == sizes[3]
