"""An export of an older Keycloak gets what later ones gave to the realms that were there. Asked of Keycloak."""

import json
from typing import Any

import msgspec
import pytest

from harness.realm import NOW, new_id
from keyturn.model.made_realm import NewRealm
from keyturn.model.new_realm import new_realm
from keyturn.representations import RealmRepresentation, given

_SCOPE = {"name": "p", "protocol": "openid-connect"}
_KEYS = {"org.keycloak.keys.KeyProvider": [{"name": "rsa-generated", "providerId": "rsa-generated", "config": {}}]}


def made(version: str | None, **fields: Any) -> NewRealm:
    told = {} if version is None else {"keycloakVersion": version}
    source = msgspec.convert({"realm": "old", **told, **fields}, RealmRepresentation)
    return new_realm(source, new_id=new_id, new_secret=new_id, now_ms=NOW * 1000)


@pytest.mark.parametrize(
    ("version", "default", "optional", "neither"),
    [
        (None, set(), set(), set()),
        ("26.7.3", set(), set(), set()),
        ("999.0.0-SNAPSHOT", set(), set(), set()),
        ("26.6.4", set(), set(), {"AuthnContextClassRef"}),
        ("26.0.8", set(), set(), {"AuthnContextClassRef", "service_account"}),
        ("24.0.5", {"basic"}, set(), {"AuthnContextClassRef", "service_account"}),
        ("16.1.1", {"basic", "acr"}, set(), {"AuthnContextClassRef", "service_account"}),
        ("4.8.3.Final", {"basic", "acr"}, {"microprofile-jwt"}, {"AuthnContextClassRef", "service_account"}),
        (
            "4.5.0.Final",
            {"basic", "acr", "roles", "web-origins"},
            {"microprofile-jwt"},
            {"AuthnContextClassRef", "service_account"},
        ),
    ],
)
def test_clients_get_the_scopes_that_came_later(
    version: str | None, default: set[str], optional: set[str], neither: set[str]
) -> None:
    realm = made(version, clientScopes=[_SCOPE], clients=[{"clientId": "app", "defaultClientScopes": ["p"]}])
    names = {str(scope.id): str(scope.name) for scope in realm.client_scopes}
    (app,) = (str(client.id) for client in realm.clients if client.client_id == "app")

    def scopes(relation: str) -> set[str]:
        return {names[scope] for client, scope in realm.relations.get(relation, ()) if client == app}

    assert scopes("client_default_scope") == default | {"p"}
    assert scopes("client_optional_scope") - {"offline_access"} == optional
    assert set(names.values()) == default | optional | neither | {"p", "offline_access"}


def test_a_scope_that_is_there_and_clients_that_only_take_tokens_are_left_alone() -> None:
    basic = {"name": "basic", "protocol": "openid-connect"}
    clients = [{"clientId": "app", "defaultClientScopes": ["p"]}, {"clientId": "api", "bearerOnly": True}]
    realm = made("23.0.7", clientScopes=[_SCOPE, basic], clients=clients)
    ids = {str(client.client_id): str(client.id) for client in realm.clients}
    (scope,) = (str(scope.id) for scope in realm.client_scopes if scope.name == "basic")
    assert (ids["app"], scope) not in realm.relations["client_default_scope"]
    realm = made("23.0.7", clientScopes=[_SCOPE], clients=clients)
    ids = {str(client.client_id): str(client.id) for client in realm.clients}
    (scope,) = (str(scope.id) for scope in realm.client_scopes if scope.name == "basic")
    assigned = realm.relations["client_default_scope"]
    assert [(ids[name], scope) in assigned for name in ("app", "account", "api")] == [True, True, False]


@pytest.mark.parametrize(
    ("version", "was_on", "policy"),
    [("23.0.7", None, "ENABLED"), ("23.0.7", "false", "ENABLED"), ("23.0.7", "true", None), ("24.0.0", None, None)],
)
def test_users_keep_attributes_that_their_realm_did_not_declare(
    version: str, was_on: str | None, policy: str | None
) -> None:
    realm = made(version, attributes={} if was_on is None else {"userProfileEnabled": was_on})
    told = [
        json.loads(given(component.config, {})["kc.user.profile.config"][0])["unmanagedAttributePolicy"]
        for component in realm.components
        if component.provider_type == "org.keycloak.userprofile.UserProfileProvider"
    ]
    assert told == ([] if policy is None else [policy])
    assert "userProfileEnabled" not in given(realm.realm.attributes, {})


@pytest.mark.parametrize(("version", "keys"), [("23.0.7", ["HS512"]), ("24.0.0", [])])
def test_a_realm_of_before_24_gets_a_key_for_hs512(version: str, keys: list[str]) -> None:
    realm = made(version, components=_KEYS)
    configs = [given(component.config, {}) for component in realm.components]
    assert [config["algorithm"][0] for config in configs if "algorithm" in config] == keys


def test_administrators_of_before_26_get_lightweight_tokens_of_full_scope() -> None:
    client = {"clientId": "admin-cli", "fullScopeAllowed": False}
    for version, lightweight in (("25.0.6", "true"), ("26.0.0", None)):
        (made_client,) = (c for c in made(version, clients=[client]).clients if c.client_id == "admin-cli")
        told = given(made_client.attributes, {}).get("client.use.lightweight.access.token.enabled")
        assert (told, made_client.full_scope_allowed) == (lightweight, lightweight is not None)
