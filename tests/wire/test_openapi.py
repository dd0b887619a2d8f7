"""The OpenAPI document is served, is valid, and tells the truth: every operation is asked, and held to it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from harness.described import Operation
from harness.described_realm import NOWHERE, REALM, World, key_provider, mapper
from harness.process import Answer, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("openapi"), "--features", "client-secret-rotation") as server:
        made = World(server)
        realm = {"realm": REALM, "enabled": True, "bruteForceProtected": True, "eventsEnabled": True}
        kept = {"adminEventsEnabled": True, "adminEventsDetailsEnabled": True, "organizationsEnabled": True}
        assert made.send("POST", "/admin/realms", {**realm, **kept}).status == 201
        yield made


def function_of(operation: Operation) -> str:
    """The operation's name without what tells its mount."""
    for suffix in ("_of_clients", "_of_client_scopes", "_of_client_templates", "_of_users", "_of_groups"):
        if operation.id.endswith(suffix) and operation.id.removesuffix(suffix) in WRITES | FRESH:
            return operation.id.removesuffix(suffix)
    return operation.id


Values = Mapping[str, str]
Make = Callable[[World, Values], Any]


def roles(world: World, values: Values) -> Any:
    return [world.get(f"/roles/{values['role-name']}")]


def client_roles(world: World, values: Values) -> Any:
    return [world.get(f"/clients/{values['client-uuid']}/roles/{values['role-name']}")]


def put(path: str, name: str, make: Callable[[World], str]) -> Make:
    """Something new that stands at `path` as `name`."""

    def made(world: World, values: Values) -> str:
        found = make(world)
        answer = world.send("PUT", f"/admin/realms/{REALM}" + path.format(**{**values, name: found}))
        assert answer.status == 204, answer
        return found

    return made


def initial_access(world: World, values: Values) -> str:
    answer = world.send("POST", f"/admin/realms/{REALM}/clients-initial-access", {"count": 1})
    return str(answer.json()["id"])


def container_of(world: World, values: Values) -> str:
    name = world.role()
    world.make(f"/clients/{values['client-uuid']}/roles", {"name": name})
    return name


def consenting(world: World, _: Values) -> str:
    return world.session("openid offline_access")[0]


def registered_node(world: World, values: Values) -> str:
    name = world.new("node")
    answer = world.send("POST", f"/admin/realms/{REALM}/clients/{values['client-uuid']}/nodes", {"node": name})
    assert answer.status == 204
    return name


def linked(world: World, values: Values) -> str:
    """A provider that the user is linked to."""
    provider = world.provider()
    path = f"/admin/realms/{REALM}/users/{values['user-id']}/federated-identity/{provider}"
    assert world.send("POST", path, {"userId": "1", "userName": "a"}).status == 204
    return provider


KEY_STORE = {"format": "PKCS12", "keySize": 2048, "keyPassword": "p", "storePassword": "p"}


def key_set(world: World, _: Values) -> bytes:
    """A form with a file."""
    keys = world.server.request("GET", f"/realms/{REALM}/protocol/openid-connect/certs").body
    part = b'--b\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    return part % (b"keystoreFormat", b"JSON Web Key Set") + part % (b"file", keys) + b"--b--\r\n"


def with_key(world: World, _: Values) -> str:
    """A client that has a key."""
    client = world.client()
    path = f"/admin/realms/{REALM}/clients/{client}/certificates/jwt.credential/generate-and-download"
    assert world.send("POST", path, KEY_STORE).status == 200
    return client


WRITES: dict[str, Make] = {
    "generate_certificate": lambda w, v: {},
    "download_certificate": lambda w, v: KEY_STORE,
    "generate_keystore": lambda w, v: KEY_STORE,
    "upload_key": key_set,
    "upload_certificate": key_set,
    "post_realm": lambda w, v: {"realm": w.new("realm")},
    "put_realm": lambda w, v: {"displayName": "Described", "attributes": {"a": "b"}},
    "convert_client_description": lambda w, v: {"clientId": "c"},
    "put_events_config": lambda w, v: {"eventsEnabled": True, "adminEventsEnabled": True},
    "post_partial_import": lambda w, v: {"ifResourceExists": "SKIP", "roles": {"realm": [{"name": w.new("role")}]}},
    "put_client_profiles": lambda w, v: {"profiles": [{"name": "described", "executors": []}]},
    "put_client_policies": lambda w, v: {"policies": [{"name": "described", "enabled": False, "conditions": []}]},
    "create_initial_access": lambda w, v: {"count": 1, "expiration": 60},
    "post_identity_provider": lambda w, v: {"alias": w.new("provider"), "providerId": "oidc"},
    "put_identity_provider": lambda w, v: {"alias": v["alias"], "providerId": "oidc", "displayName": "described"},
    "post_provider_mapper": lambda w, v: {"name": w.new("mapper"), "identityProviderAlias": v["alias"]},
    "put_provider_mapper": lambda w, v: {
        "id": v["provider-mapper-id"],
        "name": w.new("mapper"),
        "identityProviderAlias": v["alias"],
    },
    "post_flow": lambda w, v: {"alias": w.new("flow"), "providerId": "basic-flow", "topLevel": True},
    "put_flow": lambda w, v: {"alias": w.new("flow"), "providerId": "basic-flow", "topLevel": True},
    "copy_flow": lambda w, v: {"newName": w.new("flow")},
    "put_execution": lambda w, v: {"id": v["execution-id"], "requirement": "REQUIRED"},
    "post_execution": lambda w, v: {"provider": "auth-cookie"},
    "post_sub_flow": lambda w, v: {"alias": w.new("flow"), "type": "basic-flow"},
    "post_any_execution": lambda w, v: {
        "authenticator": "auth-cookie",
        "requirement": "REQUIRED",
        "parentFlow": w.flow()[0],
    },
    "post_execution_config": lambda w, v: {"alias": w.new("config"), "config": {"a": "b"}},
    "post_config": lambda w, v: {"alias": w.new("config"), "config": {"a": "b"}},
    "put_config": lambda w, v: {"alias": w.new("config"), "config": {"a": "c"}},
    "register_required_action": lambda w, v: removed_action(w),
    "put_required_action": lambda w, v: {"alias": v["action-alias"], "enabled": True},
    "put_required_action_config": lambda w, v: {"config": {"max_auth_age": "5"}},
    "post_texts": lambda w, v: {"farewell": "bye"},
    "put_text": lambda w, v: b"good day",
    "post_federated_identity": lambda w, v: {"userId": "1", "userName": "a"},
    "execute_actions_email": lambda w, v: ["UPDATE_PASSWORD"],
    "add_credential": lambda w, v: {"name": w.new("credential"), "type": "secret"},
    "put_credential": lambda w, v: {"expires": 4_000_000_000},
    "post_component": lambda w, v: key_provider(w),
    "put_component": lambda w, v: {**w.get(f"/components/{v['component-id']}"), "name": "keys"},
    "post_client": lambda w, v: {"clientId": w.new("client")},
    "put_client": lambda w, v: {"description": "described"},
    "register_node": lambda w, v: {"node": "node.example.com"},
    "post_mapper": lambda w, v: mapper(w),
    "post_mappers": lambda w, v: [mapper(w), mapper(w)],
    "put_mapper": lambda w, v: {**mapper(w), "id": v["mapper-id"]},
    "post_role": lambda w, v: {"name": w.new("role")},
    "put_role": lambda w, v: {"name": v["role-name"], "description": "described"},
    "put_role_by_id": lambda w, v: {"name": v["role-name"], "description": "described"},
    "post_composites": lambda w, v: [w.get(f"/roles/{w.role()}")],
    "delete_composites": roles,
    "post_composites_by_id": lambda w, v: [w.get(f"/roles/{w.role()}")],
    "delete_composites_by_id": roles,
    "post_client_scope": lambda w, v: {"name": w.new("scope"), "protocol": "openid-connect"},
    "put_client_scope": lambda w, v: {"name": w.new("scope"), "description": "described"},
    "add_realm_scope_mappings": roles,
    "delete_realm_scope_mappings": roles,
    "add_client_scope_mappings": client_roles,
    "delete_client_scope_mappings": client_roles,
    "add_realm_mappings": roles,
    "delete_realm_mappings": roles,
    "add_client_mappings": client_roles,
    "delete_client_mappings": client_roles,
    "post_user": lambda w, v: {"username": w.new("user")},
    "put_user": lambda w, v: {"firstName": "Ada"},
    "put_profile": lambda w, v: {**w.get("/users/profile"), "unmanagedAttributePolicy": "ENABLED"},
    "reset_password": lambda w, v: {"type": "password", "value": "another password"},
    "label_credential": lambda w, v: "a label",
    "disable_credential_types": lambda w, v: ["password"],
    "post_group": lambda w, v: {"name": w.new("group")},
    "put_group": lambda w, v: {"name": v["path"], "description": "described"},
    "post_child": lambda w, v: {"name": w.new("group")},
}
"""A body that each operation takes which takes one."""

FRESH: dict[str, dict[str, Make]] = {
    "get_flow": {"flow": lambda w, v: w.flow()[0]},
    "put_flow": {"flow": lambda w, v: w.flow()[0]},
    "delete_flow": {"flow": lambda w, v: w.flow()[0]},
    "delete_execution": {"execution-id": lambda w, v: w.execution(v["flow"])},
    "delete_config": {"config-id": lambda w, v: w.authenticator_config()},
    "delete_required_action": {"action-alias": lambda w, v: "idp_link"},
    "delete_provider_mapper": {"provider-mapper-id": lambda w, v: w.provider_mapper(v["alias"])},
    "delete_texts": {"locale": lambda w, v: w.locale()},
    "delete_text": {"locale": lambda w, v: w.locale()},
    "post_federated_identity": {"provider": lambda w, v: w.provider()},
    "delete_federated_identity": {"provider": linked},
    "delete_realm": {"realm": lambda w, v: spare_realm(w)},
    "delete_initial_access": {"id": initial_access},
    "delete_identity_provider": {"alias": lambda w, v: w.provider()},
    "delete_component": {"component-id": lambda w, v: w.component()},
    "download_certificate": {"client-uuid": with_key},
    "remove_client": {"client-uuid": lambda w, v: w.client()},
    "delete_client_scope": {"client-scope-id": lambda w, v: w.scope()},
    "delete_user": {"user-id": lambda w, v: w.user()},
    "delete_group": {"group-id": lambda w, v: w.group()},
    "delete_role": {"role-name": container_of},
    "delete_role_by_id": {"role-id": lambda w, v: str(w.get(f"/roles/{w.role()}")["id"])},
    "client_credentials_delete_credential": {"credential-name": lambda w, v: w.client_credential(v["client-uuid"])},
    "user_credentials_delete_credential": {
        "user-id": lambda w, v: w.user(),
        "credential-id": lambda w, v: w.credential(v["user-id"]),
    },
    "delete_session": {"session-id": lambda w, v: w.session()[1]},
    "revoke_consent": {"user-id": consenting},
    "unregister_node": {"node": registered_node},
    "remove_default_client_scope": {
        "client-scope-id": put(
            "/clients/{client-uuid}/default-client-scopes/{client-scope-id}", "client-scope-id", World.scope
        )
    },
    "add_default_optional_client_scope": {"client-scope-id": lambda w, v: w.scope()},
    "delete_default_group": {"group-id": put("/default-groups/{group-id}", "group-id", World.group)},
    "leave_group": {"group-id": put("/users/{user-id}/groups/{group-id}", "group-id", World.group)},
}
"""What is made for an operation that can be done only once with it."""


def removed_action(world: World) -> Any:
    """A required action that the realm does not have."""
    path = f"/admin/realms/{REALM}/authentication/required-actions/delete_credential"
    assert world.send("DELETE", path).status == 204
    return {"providerId": "delete_credential", "name": "Delete credential"}


def spare_realm(world: World) -> str:
    name = world.new("realm")
    assert world.send("POST", "/admin/realms", {"realm": name}).status == 201
    return name


def values_for(world: World, operation: Operation) -> dict[str, str]:
    """The world's values, with something of its own for what will be gone after `operation`."""
    values = dict(world.values)
    if "mapper-id" in operation.segments:
        owner = operation.path.partition("/models")[0].removeprefix("/admin/realms/{realm}")
        owner = owner.format(**values)
        values["mapper-id"] = world.make(f"{owner}/models", mapper(world))
    for name, make in FRESH.get(function_of(operation), {}).items():
        values[name] = make(world, values)
    return values


def admin_operations(world: World) -> list[Operation]:
    """What reads, then what writes, then what removes."""
    order = ("GET", "PUT", "POST", "DELETE")
    found = [each for each in world.description.operations.values() if each.path.startswith("/admin/")]
    return sorted(found, key=lambda operation: order.index(operation.method))


def checked(world: World, operation: Operation, answer: Answer) -> Answer:
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    read = answer.json() if is_json and answer.body else None
    world.description.check(operation, answer.status, answer.headers, answer.body, read)
    assert answer.status != 500 or operation.id.endswith("_email"), (operation.id, answer.body)
    return answer


def test_the_document_is_valid(world: World) -> None:
    faults = [fault.message for fault in OpenAPIV31SpecValidator(dict(world.description.document)).iter_errors()]
    assert faults == []


def test_the_document_is_on_the_management_port_too(world: World) -> None:
    answer = world.server.request("GET", "/openapi", management=True)
    assert answer.status == 200
    assert answer.json() == world.description.document
    assert world.server.request("GET", "/openapi").status == 404


def test_the_path_takes_nothing_but_reading(world: World) -> None:
    assert world.server.request("HEAD", "/admin/openapi.json").body == b""
    assert world.server.request("POST", "/admin/openapi.json").status == 405


def test_every_operation_answers_as_it_is_described(world: World) -> None:
    unproved = []
    for operation in admin_operations(world):
        values = values_for(world, operation)
        path = operation.at(values)
        if operation.id.startswith("get_example_"):
            path += f"?userId={values['user-id']}&scope=openid"
        headers, document = {}, None
        if operation.body is not None:
            document = WRITES[function_of(operation)](world, values)
            headers["content_type"] = operation.body[0].replace("*/*", "application/json")
            headers["content_type"] += "; boundary=b" if operation.body[0] == "multipart/form-data" else ""
            assert operation.body[0] != "application/json" or world.description.accepts(operation, document)
        if operation.id == "who_am_i":
            path, headers = operation.at({"realm": "master"}), {"authorization": f"Bearer {consoles_token(world)}"}
        answer = checked(world, operation, world.send(operation.method, path, document, **headers))
        if operation.successes and answer.status not in operation.successes:
            unproved.append((operation.id, answer.status, answer.body[:200]))
    assert unproved == []


def consoles_token(world: World) -> str:
    """A token that the admin console would have, if it could be asked for without a page."""
    console = "/admin/realms/master/clients"
    (found,) = world.send("GET", f"{console}?clientId=security-admin-console").json()
    assert world.send("PUT", f"{console}/{found['id']}", {"directAccessGrantsEnabled": True}).status == 204
    form = {"grant_type": "password", "client_id": "security-admin-console", "username": "admin", "password": "admin"}
    return str(world.server.token(**form).json()["access_token"])


def test_refusals_are_described(world: World) -> None:
    nobody = nobodys_token(world)
    for operation in admin_operations(world):
        path = operation.at(world.values | {"mapper-id": NOWHERE})
        asked = world.server.request
        assert checked(world, operation, asked(operation.method, path)).status == 401
        unaccepted = {"authorization": f"Bearer {nobody}", "accept": "text/html"}
        assert checked(world, operation, asked(operation.method, path, headers=unaccepted)).status >= 400
        if operation.body is not None and operation.body[0] == "application/json":
            unknown = checked(world, operation, world.send(operation.method, path, {"x": [1]}))
            assert unknown.status >= 400 or operation.id == "post_partial_import"  # it skips what it does not know
            assert checked(world, operation, world.send(operation.method, path, 1, content_type="a/b")).status == 415
        missing = operation.at(dict.fromkeys(operation.segments, NOWHERE) | {"realm": REALM})
        if operation.segments[1:]:
            checked(world, operation, world.send(operation.method, missing, [] if operation.body else None))


def nobodys_token(world: World) -> str:
    """A token of a user who may do nothing."""
    world.session()
    user = world.get(f"/users/{world.user()}")
    form = {"grant_type": "password", "client_id": "admin-cli", "password": "a long password"}
    return str(world.server.token(REALM, username=user["username"], **form).json()["access_token"])


def test_a_realms_endpoints_answer_as_they_are_described(world: World) -> None:
    user, _ = world.session()
    name = world.get(f"/users/{user}")["username"]
    secret = {"clientId": "described", "secret": "s", "directAccessGrantsEnabled": True, "serviceAccountsEnabled": True}
    world.make("/clients", secret)
    client = {"client_id": "described", "client_secret": "s"}
    login = {**client, "grant_type": "password", "username": name, "password": "a long password", "scope": "openid"}
    tokens = world.server.token(REALM, **login).json()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    refresh = {**client, "refresh_token": tokens["refresh_token"]}
    token = {**client, "token": tokens["access_token"]}
    forms: dict[str, list[dict[str, str]]] = {
        "post_token_endpoint": [
            {**client, "grant_type": "client_credentials"},
            {**refresh, "grant_type": "refresh_token"},
            login,
            {**client, "grant_type": "nothing"},
            {"grant_type": "client_credentials", "client_id": "described", "client_secret": "wrong"},
        ],
        "post_introspect_endpoint": [token, {**token, "token": "none"}, {"token": "none"}],
        "post_revoke_endpoint": [{**token, "token": "none"}, {}, client],
        "post_userinfo_endpoint": [{"access_token": tokens["access_token"]}, {}],
        "post_logout_endpoint": [{}, {**refresh, "refresh_token": "none"}, refresh],
    }
    found = [each for each in world.description.operations.values() if each.path.startswith("/realms/")]
    for operation in sorted(found, key=lambda operation: operation.method):
        path = operation.at({"realm": REALM})
        statuses = set()
        for form in forms.get(operation.id, [{}]) if operation.method == "POST" else [None]:
            headers = bearer if operation.method == "GET" else {}
            answer = world.server.request(operation.method, path, form=form, headers=headers)
            statuses.add(checked(world, operation, answer).status)
        assert statuses >= {*operation.successes}, (operation.id, statuses)
        missing = world.server.request(operation.method, operation.at({"realm": "nowhere"}), form={})
        assert checked(world, operation, missing).status == 404
