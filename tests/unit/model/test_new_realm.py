"""A computed realm equals the one that Keycloak 26.7.3 makes (tests/vectors/new_realm), ids aside."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from keyturn.model.administration import master_side
from keyturn.model.new_realm import NewRealm, UnknownName, new_realm
from keyturn.representations import RealmRepresentation, RoleRepresentation, decode, encode

VECTORS = Path(__file__).parents[2] / "vectors" / "new_realm"
NOW_MS = 1_795_505_724_123


def vector(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_bytes())


def make(**fields: Any) -> NewRealm:
    ids = (f"id-{number}" for number in itertools.count())
    source = decode(json.dumps({"realm": "fresh", "enabled": True, **fields}), RealmRepresentation)
    return new_realm(source, new_id=lambda: next(ids), new_secret=lambda: "made", now_ms=NOW_MS)


@pytest.fixture(scope="module")
def fresh() -> NewRealm:
    return make()


@pytest.fixture(scope="module")
def master() -> NewRealm:
    return make(realm="master")


def plain(document: Any, *without: str) -> Any:
    """As JSON, without ids and the fields `without`, whose values are ids or relations; sets of things sorted."""
    value = json.loads(encode(document)) if not isinstance(document, dict | list) else document
    if isinstance(value, dict):
        return {k: plain(v, *without) for k, v in value.items() if k not in {"id", "containerId", "parentId", *without}}
    if isinstance(value, list):
        return sorted((plain(item, *without) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def documents(found: Iterable[Any], *without: str) -> Any:
    return plain(json.loads(encode(list(found))), *without)


def linked(new: NewRealm, relation: str, source: str | None) -> set[str]:
    names = {str(scope.id): str(scope.name) for scope in new.client_scopes}
    names |= {str(role.id): key_of(new, role) for role in new.roles}
    return {names[target] for each, target in new.relations.get(relation, []) if each == source}


def key_of(new: NewRealm, role: RoleRepresentation) -> str:
    client = next((client.client_id for client in new.clients if client.id == role.container_id), "")
    return f"{client}/{role.name}"


def test_the_realm_is_keycloaks(fresh: NewRealm) -> None:
    expected = vector("realm")
    found = json.loads(encode(fresh.realm))
    assert list(found) == list(expected)
    assert plain(found) == plain(expected)


def test_the_clients_are_keycloaks_with_its_scopes(fresh: NewRealm) -> None:
    relations = ("access", "defaultClientScopes", "optionalClientScopes")
    expected = vector("clients")
    assert documents(fresh.clients) == plain(expected, *relations)
    scopes = {each["clientId"]: each for each in expected}
    for client in fresh.clients:
        assert isinstance(client.id, str)
        assert linked(fresh, "client_default_scope", client.id) == set(scopes[client.client_id]["defaultClientScopes"])
        assert linked(fresh, "client_optional_scope", client.id) == set(
            scopes[client.client_id]["optionalClientScopes"]
        )


def test_the_client_scopes_are_keycloaks(fresh: NewRealm) -> None:
    assert documents(fresh.client_scopes) == plain(vector("client-scopes"))
    for relation, name in (("realm_default_scope", "default-default"), ("realm_optional_scope", "default-optional")):
        expected = {scope["name"] for scope in vector(f"{name}-client-scopes")}
        assert linked(fresh, relation, fresh.realm_id) == expected


def roles_of(expected: Any, client: str = "") -> dict[str, Any]:
    return {f"{client}/{each['role']['name']}": plain(each["role"]) for each in expected}


def test_the_roles_and_their_composites_are_keycloaks(fresh: NewRealm) -> None:
    by_client = vector("client-roles")
    groups = {"": vector("roles"), **by_client}
    expected = {name: role for client, roles in groups.items() for name, role in roles_of(roles, client).items()}
    assert {key_of(fresh, role): plain(role) for role in fresh.roles} == expected
    client_of = {each["role"]["id"]: client for client, roles in groups.items() for each in roles}
    for client, roles in groups.items():
        for each in roles:
            key = f"{client}/{each['role']['name']}"
            role = next(role for role in fresh.roles if key_of(fresh, role) == key)
            composites = {f"{client_of[inner['id']]}/{inner['name']}" for inner in each["composites"]}
            assert linked(fresh, "composite", str(role.id)) == composites, key


def test_the_components_are_keycloaks_without_key_material(fresh: NewRealm) -> None:
    assert documents(fresh.components) == plain(vector("components"))
    assert {component.parent_id for component in fresh.components} == {fresh.realm_id}


def test_the_scope_mappings_are_keycloaks(fresh: NewRealm) -> None:
    console = next(client for client in fresh.clients if client.client_id == "account-console")
    assert linked(fresh, "client_role_scope", str(console.id)) == {"account/manage-account", "account/view-groups"}
    offline = next(scope for scope in fresh.client_scopes if scope.name == "offline_access")
    assert linked(fresh, "client_scope_role_scope", str(offline.id)) == {"/offline_access"}


def test_no_two_documents_share_an_id(fresh: NewRealm) -> None:
    found = [fresh.clients, fresh.client_scopes, fresh.roles, fresh.components, [fresh.realm]]
    ids = [document.id for group in found for document in group]  # type: ignore[attr-defined]
    assert len(ids) == len(set(ids))


def test_master_gets_a_client_and_its_roles_for_the_realm() -> None:
    ids = map(str, itertools.count())
    side = master_side("fresh", master_id="master-id", admin_role_id="admin", new_id=lambda: next(ids))
    expected = vector("master-fresh-realm-roles")
    assert plain(side.client) == plain(
        vector("master-fresh-realm-client"), "access", "defaultClientScopes", "optionalClientScopes"
    )
    assert documents(side.roles) == plain([each["role"] for each in expected])
    names = {"admin": "admin", **{str(role.id): str(role.name) for role in side.roles}}
    pairs = {(each["role"]["name"], inner["name"]) for each in expected for inner in each["composites"]}
    pairs |= {("admin", each["role"]["name"]) for each in expected}
    assert {(names[parent], names[child]) for parent, child in side.composites} == pairs


def test_master_is_keycloaks(master: NewRealm) -> None:
    expected = vector("master")
    assert plain(master.realm) == plain(expected["realm"])
    relations = ("access", "defaultClientScopes", "optionalClientScopes")
    clients = plain(expected["clients"], *relations)
    for client in clients:
        client.setdefault("protocol", "openid-connect")
    assert documents(master.clients) == clients
    names = {(role["role"]["name"]) for role in expected["roles"]}
    assert {str(role.name) for role in master.roles if not role.client_role} == names
    admin = next(role for role in master.roles if role.name == "admin")
    client_of = {each["id"]: each["clientId"] for each in expected["clients"]}
    composites = next(each["composites"] for each in expected["roles"] if each["role"]["name"] == "admin")
    keys = {f"{client_of.get(inner['containerId'], '')}/{inner['name']}" for inner in composites}
    assert linked(master, "composite", str(admin.id)) == keys


def test_the_default_role_is_named_in_lower_case() -> None:
    new = make(realm="My-Realm")
    assert isinstance(new.realm.default_role, RoleRepresentation)
    assert new.realm.default_role.name == "default-roles-my-realm"
    assert isinstance(new.clients[0].base_url, str)
    assert new.clients[0].base_url.startswith("/realms/My-Realm/")


def test_a_name_cannot_break_out_of_the_defaults() -> None:
    name = '"}], "x": [{"\\{realm}'
    new = make(realm=name)
    assert new.clients[0].base_url == f"/realms/{quote(name)}/account/"
    assert isinstance(new.realm.default_role, RoleRepresentation)
    assert new.realm.default_role.name == f"default-roles-{name}"


def test_attributes_and_headers_are_merged_one_by_one() -> None:
    new = make(
        attributes={"a": "b", "e": "", "oauth2DeviceCodeLifespan": "700", "displayName": "X"},
        oauth2DevicePollingInterval=9,
        browserSecurityHeaders={"xFrameOptions": "DENY"},
        sslRequired="NONE",
    )
    assert isinstance(new.realm.attributes, dict)
    assert new.realm.attributes == vector("realm")["attributes"] | {
        "a": "b",
        "e": "",
        "oauth2DeviceCodeLifespan": "700",
        "oauth2DevicePollingInterval": "9",
    }
    assert (new.realm.oauth2_device_code_lifespan, new.realm.oauth2_device_polling_interval) == (700, 9)
    assert isinstance(new.realm.browser_security_headers, dict)
    assert new.realm.browser_security_headers["xFrameOptions"] == "DENY"
    assert new.realm.browser_security_headers["xRobotsTag"] == "none"
    assert new.realm.ssl_required == "none"


IMPORT: dict[str, Any] = {
    "roles": {
        "realm": [
            {"name": "r1", "composites": {"realm": ["r2"], "client": {"account": ["view-profile"], "c1": ["cr"]}}},
            {"name": "r2"},
        ],
        "client": {"c1": [{"name": "cr"}]},
    },
    "clients": [{"clientId": "c1", "secret": "s", "serviceAccountsEnabled": True}],
    "defaultRoles": ["r1"],
    "groups": [{"name": "g", "realmRoles": ["r1"], "clientRoles": {"c1": ["cr"]}, "subGroups": [{"name": "h"}]}],
    "defaultGroups": ["/g/h"],
    "users": [
        {
            "username": "UUU",
            "enabled": True,
            "realmRoles": ["r1"],
            "groups": ["/g/h"],
            "clientRoles": {"c1": ["cr"], "realm-management": ["realm-admin"]},
        }
    ],
    "scopeMappings": [{"client": "c1", "roles": ["r1"]}],
    "clientScopeMappings": {"c1": [{"client": "admin-cli", "roles": ["cr"]}]},
}


def test_an_import_brings_roles_clients_groups_and_users() -> None:
    new = make(**IMPORT)
    roles = {key_of(new, role): role for role in new.roles}
    assert linked(new, "composite", str(roles["/r1"].id)) == {"/r2", "account/view-profile", "c1/cr"}
    assert roles["/r1"].composite is True
    default = roles["/default-roles-fresh"]
    assert "/r1" in linked(new, "composite", str(default.id))
    (client,) = [client for client in new.clients if client.client_id == "c1"]
    assert client.attributes == {"realm_client": "false", "post.logout.redirect.uris": "+"}
    assert "service_account" in linked(new, "client_default_scope", str(client.id))
    parent, child = new.groups
    assert (child.path, child.parent_id) == ("/g/h", parent.id)
    assert new.relations["default_group"] == [(new.realm_id, child.id)]
    person, service = new.users
    assert linked(new, "user_role", str(person.id)) == {"/r1", "c1/cr", "realm-management/realm-admin"}
    assert new.relations["membership"] == [(person.id, child.id), (service.id, child.id)]
    assert (service.username, service.service_account_client_id) == ("service-account-c1", client.id)
    assert linked(new, "user_role", str(service.id)) == {"/default-roles-fresh"}
    assert linked(new, "client_role_scope", str(client.id)) == {"/r1"}


def test_an_imported_service_account_is_not_made_twice() -> None:
    users = [{"username": "service-account-c1", "serviceAccountClientId": "c1", "realmRoles": ["r1"]}]
    new = make(**{**IMPORT, "users": users, "defaultGroups": []})
    (service,) = new.users
    assert service.enabled is False
    assert linked(new, "user_role", str(service.id)) == {"/r1"}


def test_imported_client_scopes_replace_the_built_in_ones() -> None:
    new = make(
        clientScopes=[{"name": "s1", "protocol": "openid-connect"}],
        defaultOptionalClientScopes=["s1"],
        clients=[{"clientId": "zz"}],
    )
    assert [scope.name for scope in new.client_scopes] == ["s1", "offline_access"]
    assert linked(new, "realm_default_scope", new.realm_id) == set()
    assert linked(new, "realm_optional_scope", new.realm_id) == {"s1", "offline_access"}
    by_name = {client.client_id: str(client.id) for client in new.clients}
    assert linked(new, "client_optional_scope", by_name["zz"]) == {"s1", "offline_access"}
    assert linked(new, "client_optional_scope", by_name["account"]) == set()


def test_an_imported_client_scope_has_no_blanks_in_its_name() -> None:
    assert make(clientScopes=[{"name": "a b", "protocol": "openid-connect"}]).client_scopes[0].name == "a_b"


def test_default_scopes_count_only_beside_client_scopes() -> None:
    usual, told = make(), make(defaultDefaultClientScopes=["address"], defaultOptionalClientScopes=["profile"])
    for relation in ("realm_default_scope", "realm_optional_scope"):
        assert linked(told, relation, told.realm_id) == linked(usual, relation, usual.realm_id)


def test_imported_key_providers_replace_the_built_in_ones() -> None:
    keys = {"org.keycloak.keys.KeyProvider": [{"name": "k", "providerId": "hmac-generated", "config": {}}]}
    new = make(components=keys)
    assert [c.name for c in new.components if c.provider_type == "org.keycloak.keys.KeyProvider"] == ["k"]
    assert any(c.name == "Trusted Hosts" for c in new.components)


def test_a_named_default_role_takes_the_usual_composites() -> None:
    new = make(
        defaultRole={"name": "dr", "description": "x"},
        roles={"realm": [{"name": "dr"}, {"name": "offline_access", "description": "mine"}]},
    )
    roles = {key_of(new, role): role for role in new.roles}
    assert set(roles) >= {"/dr", "/offline_access", "/uma_authorization"}
    assert "/default-roles-fresh" not in roles
    assert roles["/offline_access"].description == "mine"
    assert linked(new, "composite", str(roles["/dr"].id)) == {
        "/uma_authorization",
        "account/manage-account",
        "account/view-profile",
    }


def test_a_whole_export_makes_the_same_realm_again(fresh: NewRealm) -> None:
    new = make(**vector("partial-export"))
    assert {key_of(new, role) for role in new.roles} == {key_of(fresh, role) for role in fresh.roles}
    composites = {
        (key_of(each, parent), name)
        for each in (new,)
        for parent in each.roles
        for name in linked(each, "composite", str(parent.id))
    }
    assert composites >= {
        (key_of(fresh, parent), name)
        for parent in fresh.roles
        if parent.client_role is False
        for name in linked(fresh, "composite", str(parent.id))
    }
    assert {client.client_id for client in new.clients} == {client.client_id for client in fresh.clients}
    # An import says of each mapper whether it is for userinfo; the built-in ones leave that to the ID token's setting.
    assert _without_userinfo(documents(new.client_scopes)) == _without_userinfo(documents(fresh.client_scopes))


def _without_userinfo(scopes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for scope in scopes:
        for mapper in scope.get("protocolMappers", []):
            mapper["config"].pop("userinfo.token.claim", None)
    return scopes


@pytest.mark.parametrize(
    "fields",
    [
        {"roles": {"client": {"nobody": [{"name": "r"}]}}},
        {"roles": {"realm": [{"name": "r", "composites": {"realm": ["nothing"]}}]}},
        {"users": [{"username": "u", "clientRoles": {"nobody": ["r"]}}]},
        {"users": [{"username": "u", "groups": ["/nowhere"]}]},
        {"groups": [], "defaultGroups": ["/nowhere"]},
        {"users": [{"username": "u", "serviceAccountClientId": "nobody"}]},
        {"scopeMappings": [{"client": "nobody", "roles": ["offline_access"]}]},
        {"clientScopeMappings": {"nobody": [{"client": "account", "roles": ["r"]}]}},
    ],
)
def test_an_import_that_names_what_is_not_there_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UnknownName):
        make(**fields)


@pytest.mark.parametrize(
    ("fields", "relation"),
    [
        ({"users": [{"username": "u", "realmRoles": [" new "]}]}, "user_role"),
        ({"users": [{"username": "u", "clientRoles": {"account": ["new"]}}]}, "user_role"),
        ({"groups": [{"name": "g", "realmRoles": ["new"]}]}, "group_role"),
        ({"groups": [{"name": "g", "clientRoles": {"account": ["new "]}}]}, "group_role"),
        ({"scopeMappings": [{"client": "account", "roles": ["new"]}]}, "client_role_scope"),
        ({"clientScopeMappings": {"account": [{"client": "broker", "roles": ["new"]}]}}, "client_role_scope"),
        ({"defaultRoles": ["new"]}, "composite"),
    ],
)
def test_a_role_that_somebody_is_to_hold_is_made(fields: dict[str, Any], relation: str) -> None:
    made = make(**fields)
    (role,) = (role for role in made.roles if role.name == "new")
    assert [target for _, target in made.relations[relation]].count(str(role.id)) == 1


def test_default_groups_count_only_beside_groups() -> None:
    assert "default_group" not in make(defaultGroups=["/nowhere"]).relations
