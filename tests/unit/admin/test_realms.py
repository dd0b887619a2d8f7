"""Realms made, changed and removed, and who may."""

from typing import Any

import pytest

from admin_server import Server
from keyturn.representations import UNSET
from keyturn.store.collections import CLIENTS, ROLES, USERS
from keyturn.store.spi import Relation


def test_makes_a_realm_with_its_client_in_master(server: Server) -> None:
    answer = server.call("POST", "", {"realm": "new", "enabled": True})
    assert answer.status == 201
    assert answer.headers["location"].endswith("/admin/realms/new")
    assert server.call("GET", "/new").body["accessTokenLifespan"] == 300
    (client,) = server.call("GET", "/master/clients", query="clientId=new-realm").body
    assert client["bearerOnly"] is True
    assert {key["algorithm"] for key in server.call("GET", "/new/keys").body["keys"]} == {
        *("RS256", "RSA-OAEP", "HS512", "AES"),
    }


def test_an_import_brings_clients_roles_and_users(server: Server) -> None:
    realm = {
        "realm": "new",
        "enabled": True,
        "roles": {"realm": [{"name": "made"}]},
        "clients": [{"clientId": "made", "secret": "s", "serviceAccountsEnabled": True}],
        "users": [
            {"username": "ada", "enabled": True, "credentials": [{"type": "password", "value": "a long password"}]}
        ],
    }
    assert server.call("POST", "", realm).status == 201
    assert server.call("GET", "/new/clients", query="clientId=made").body[0]["secret"] == "s"
    with server.store.read() as reader:
        entry = server.registry.load_realm("new")
        assert entry is not None
        ada = reader.find(USERS, entry.realm.id, username="ada")
    assert ada is not None
    assert isinstance(ada.credentials, list)
    assert ada.credentials[0].secret_data
    assert ada.credentials[0].value is UNSET
    assert "a long password" not in str(ada.credentials[0].secret_data)


@pytest.mark.parametrize(
    ("realm", "status", "body"),
    [
        ({"enabled": True}, 400, {"errorMessage": "Realm name cannot be empty"}),
        ({"realm": "a/b"}, 400, {"error": "Character '/' not allowed."}),
        ({"realm": "demo"}, 409, {"errorMessage": "Realm demo already exists"}),
        ({"realm": "x", "color": "red"}, 400, {"errorMessage": "unable to read contents from stream"}),
        ({"realm": "x" * 256}, 400, {"errorMessage": "Database operation failed"}),
    ],
)
def test_refuses_realms_in_keycloaks_words(server: Server, realm: Any, status: int, body: Any) -> None:
    answer = server.call("POST", "", realm)
    assert (answer.status, answer.body) == (status, body)


def test_put_changes_what_it_gives_and_keeps_the_rest(server: Server) -> None:
    change = {
        "displayName": "Demo",
        "accessTokenLifespan": 45,
        "attributes": {"a": "b"},
        "clients": [{"clientId": "no"}],
    }
    before = server.call("GET", "/demo").body
    assert server.call("PUT", "/demo", change).status == 204
    realm = server.call("GET", "/demo").body
    assert (realm["displayName"], realm["accessTokenLifespan"], realm["attributes"]["a"]) == ("Demo", 45, "b")
    assert realm["attributes"]["cibaInterval"] == before["attributes"]["cibaInterval"]
    assert realm["ssoSessionIdleTimeout"] == before["ssoSessionIdleTimeout"]
    assert server.call("GET", "/demo/clients", query="clientId=no").body == []


def test_putting_a_realm_back_keeps_every_field(server: Server) -> None:
    before = server.call("GET", "/demo").body
    assert server.call("PUT", "/demo", before).status == 204
    after = server.call("GET", "/demo").body
    assert {name: value for name, value in after.items() if name != "attributes"} == {
        name: value for name, value in before.items() if name != "attributes"
    }


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"realm": "a b?"}, 400, "Character '?' not allowed."),
        ({"passwordPolicy": "nope(3)"}, 400, "Password policy not found"),
        (
            {"clientSessionIdleTimeout": 9999},
            400,
            "Client Session Idle Timeout cannot be greater than Realm SSO Idle Timeout.",
        ),
        ({"realm": "master"}, 409, "Realm with same name exists"),
    ],
)
def test_refuses_changes_in_keycloaks_words(server: Server, change: Any, status: int, message: str) -> None:
    answer = server.call("PUT", "/demo", change)
    assert (answer.status, answer.body) == (status, {"errorMessage": message})


def test_a_renamed_realm_keeps_its_administrators(server: Server) -> None:
    assert server.call("PUT", "/demo", {"realm": "renamed"}).status == 204
    assert server.call("GET", "/demo").status == 404
    assert server.call("GET", "/renamed").status == 200
    assert len(server.call("GET", "/master/clients", query="clientId=renamed-realm").body) == 1
    (account,) = server.call("GET", "/renamed/clients", query="clientId=account").body
    assert account["baseUrl"] == "/realms/renamed/account/"


def test_master_is_neither_renamed_nor_removed(server: Server) -> None:
    assert server.call("PUT", "/master", {"realm": "other"}).body == {"errorMessage": "Can't rename master realm"}
    assert server.call("DELETE", "/master").status == 400


def test_nothing_is_left_of_a_removed_realm(server: Server) -> None:
    assert server.call("DELETE", "/demo").status == 204
    assert server.call("GET", "/demo").body == {"error": "Realm not found."}
    assert server.call("GET", "/master/clients", query="clientId=demo-realm").body == []
    assert server.call("POST", "", {"realm": "demo"}).status == 201


def test_who_may_create_realms_may_do_everything_in_those_and_nothing_elsewhere(server: Server) -> None:
    with server.store.write() as tx:
        entry = server.registry.load_realm("master")
        assert entry is not None
        master_id = entry.realm.id
        admin = tx.find(USERS, master_id, username="admin")
        create_realm = tx.find(ROLES, master_id, container_id=master_id, name="create-realm")
        assert admin is not None
        assert create_realm is not None
        for role in tx.targets(Relation.USER_ROLE, master_id, str(admin.id)):
            tx.unlink(Relation.USER_ROLE, master_id, str(admin.id), role)
        tx.link(Relation.USER_ROLE, master_id, str(admin.id), str(create_realm.id))
    assert server.call("GET", "").status == 403
    assert server.call("GET", "/demo").body == {
        "realm": "demo",
        "bruteForceProtected": False,
        "supportedLocales": [],
        "organizationsEnabled": False,
    }
    assert server.call("GET", "/demo/clients").status == 403
    assert server.call("POST", "", {"realm": "own"}).status == 201
    assert server.call("POST", "/own/clients", {"clientId": "x"}).status == 201
    assert [realm["realm"] for realm in server.call("GET", "").body] == ["own"]


def test_a_realms_administrator_sees_no_other_realm(server: Server) -> None:
    token = server.holder_of("realm-admin")
    assert [realm["realm"] for realm in server.call("GET", "", token=token).body] == ["demo"]
    assert server.call("GET", "/master", token=token).status == 403
    assert server.call("POST", "", {"realm": "x"}, token=token).status == 403


def test_rights_end_where_the_clients_scope_ends(server: Server) -> None:
    token = server.holder_of("realm-admin")
    assert server.call("GET", "/demo/clients", token=token).status == 200
    with server.store.write() as tx:
        entry = server.registry.load_realm("demo")
        assert entry is not None
        client = tx.find(CLIENTS, entry.realm.id, client_id="admin-cli")
        assert client is not None
        client.full_scope_allowed = False
        tx.update(CLIENTS, entry.realm.id, client)
    assert server.call("GET", "/demo/clients", token=token).status == 403


def test_a_role_counts_from_the_moment_it_is_given_until_it_is_taken(server: Server) -> None:
    token = server.holder_of()
    assert server.call("GET", "/demo/clients", token=token).status == 403
    with server.store.write() as tx:
        entry = server.registry.load_realm("demo")
        assert entry is not None
        management = tx.find(CLIENTS, entry.realm.id, client_id="realm-management")
        assert management is not None
        role = tx.find(ROLES, entry.realm.id, container_id=str(management.id), name="view-clients")
        assert role is not None
        (user,) = tx.select(USERS, entry.realm.id)
        tx.link(Relation.USER_ROLE, entry.realm.id, str(user.id), str(role.id))
    assert server.call("GET", "/demo/clients", token=token).status == 200
    with server.store.write() as tx:
        tx.unlink(Relation.USER_ROLE, entry.realm.id, str(user.id), str(role.id))
    assert server.call("GET", "/demo/clients", token=token).status == 403


@pytest.mark.parametrize("lifespan", ["9" * 30, "9" * 5000, "²", "-1", "soon"])
def test_an_attribute_that_is_no_lifespan_leaves_a_realm_that_can_be_read(server: Server, lifespan: str) -> None:
    realm = {"realm": "odd", "attributes": {"oauth2DeviceCodeLifespan": lifespan}}
    assert server.call("POST", "", realm).status == 201
    assert server.call("GET", "/odd").body["oauth2DeviceCodeLifespan"] == 600
    assert server.call("GET", "").status == 200


@pytest.mark.parametrize("provider", ["rsa-generated", "ecdsa-generated", "hmac-generated"])
def test_an_import_with_a_key_that_cannot_be_made_is_refused(server: Server, provider: str) -> None:
    settings = {"keySize": ["7"], "ecdsaEllipticCurveKey": ["P-9"], "secretSize": ["x"]}
    keys = {"org.keycloak.keys.KeyProvider": [{"name": "odd", "providerId": provider, "config": settings}]}
    assert server.call("POST", "", {"realm": "odd", "components": keys}).status == 400
    assert server.call("GET", "/odd").status == 404


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"components": {"org.keycloak.keys.KeyProvider": [{"name": "k"}]}}, 400),
        ({"clientScopes": [{"protocol": "openid-connect"}]}, 400),
        ({"users": [{"enabled": True}]}, 400),
        (
            {
                "clientScopes": [{"name": "s", "protocol": "openid-connect"}],
                "defaultDefaultClientScopes": ["s"],
                "defaultOptionalClientScopes": ["s"],
            },
            409,
        ),
    ],
)
def test_nothing_is_left_of_an_import_that_makes_no_sense(server: Server, fields: dict[str, Any], status: int) -> None:
    assert server.call("POST", "/admin/realms", {"realm": "other", **fields}).status == status
    assert server.call("GET", "/other").status == 404


def test_an_import_takes_what_the_default_role_is_from_its_own_field(server: Server) -> None:
    outer = {"name": "usual", "description": "Not told", "composites": {"realm": ["part"]}}
    realm = {
        "realm": "new",
        "defaultRole": {"id": "the-default", "name": "usual", "description": "Told"},
        "roles": {"realm": [outer, {"id": "the-part", "name": "part"}]},
    }
    assert server.call("POST", "", realm).status == 201
    role = server.call("GET", "/new/roles-by-id/the-default").body
    assert (role["name"], role["description"]) == ("usual", "Told")
    contained = server.call("GET", "/new/roles-by-id/the-default/composites").body
    assert "the-part" in [each["id"] for each in contained]


def test_a_private_key_that_cannot_be_read_is_refused(server: Server) -> None:
    keys = {"org.keycloak.keys.KeyProvider": [{"providerId": "rsa", "config": {"privateKey": ["nonsense"]}}]}
    for realm in ({"components": keys}, {"privateKey": "nonsense"}):
        answer = server.call("POST", "", {"realm": "new", **realm})
        assert (answer.status, answer.body["error_description"]) == (400, "Failed to decode private key")


def test_the_service_account_of_an_imported_client_comes_with_its_scope_when_it_is_asked_for(server: Server) -> None:
    server.call("POST", "/demo/partialImport", {"clients": [{"clientId": "svc", "serviceAccountsEnabled": True}]})
    (client,) = server.call("GET", "/demo/clients", query="clientId=svc").body
    assert "service_account" not in client["defaultClientScopes"]
    assert server.call("GET", f"/demo/clients/{client['id']}/service-account-user").status == 200
    (client,) = server.call("GET", "/demo/clients", query="clientId=svc").body
    assert "service_account" in client["defaultClientScopes"]
