"""Whatever administrators write, the next token and the next introspection say what the documents say.

Random sequences of admin requests; after each one every client asks for a token, and the tokens of now and of before
are introspected. What they must say is worked out by ``plain_model``, which shares nothing with the code under test.
"""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from admin_server import Answer, Server
from harness.connection import Port
from harness.deployment import Deployment
from harness.realm import RealmUnderTest
from harness.tokens import BASE_URL, ask
from keyturn.jose import jwt
from keyturn.oauth2.errors import OAuth2Error
from keyturn.oauth2.http_message import Request
from keyturn.oauth2.introspection import introspect
from keyturn.oauth2.spi import Answer as Decided
from keyturn.oauth2.spi import Facts, Miss
from keyturn.store.collections import REALMS
from property.plain_model import ADDRESS, JSON, KEYS, PlainModel, listed

pytestmark = pytest.mark.slow

WATCHER = "watcher"
ALGORITHM = "ES256"
EVERYWHERE = {"access.token.claim": "true", "introspection.token.claim": "true", "lightweight.claim": "true"}
BUILT_IN_ROLES = frozenset({"offline_access", "uma_authorization"})

some = st.integers(0, 1000)
"""Chooses one of what there is."""
flag = st.booleans()
mostly = st.sampled_from([True, True, True, True, False])
"""For what hides everything else while it is off."""
rarely = mostly.map(lambda value: not value)
name = st.sampled_from(["ant", "bee", "cat", "dog"])


@cache
def template() -> Path:
    """A directory with a database to begin with: making keys takes longer than everything else."""
    directory = Path(tempfile.mkdtemp(prefix="keyturn-property-"))
    atexit.register(shutil.rmtree, directory)
    server = Deployment.new(directory)
    assert server.admin("PUT", "/demo", {"defaultSignatureAlgorithm": ALGORITHM}).status_code == 204
    server.created("/demo/components", key_component(100))
    server.client(WATCHER, WATCHER)
    _populate(server)
    server.close()
    return directory


def _populate(server: Deployment) -> None:
    """Roles that are held in every way there is, so that whatever is changed or taken away shows in some token."""
    for role in ("reader", "writer", "outer", "inner"):
        assert server.admin("POST", "/demo/roles", {"name": role}).status_code == 201
    roles = {role["name"]: role for role in server.admin("GET", "/demo/roles").json()}
    link(server, f"/roles-by-id/{roles['outer']['id']}/composites", roles["inner"])
    for scope, role in (("extra", "writer"), ("more", "inner")):
        document = {"name": scope, "protocol": "openid-connect", "protocolMappers": [new_mapper(0, 1000, EVERYWHERE)]}
        uuid = server.created("/demo/client-scopes", document)
        link(server, f"/client-scopes/{uuid}/scope-mappings/realm", roles[role])
        assert server.admin("PUT", f"/demo/default-optional-client-scopes/{uuid}").status_code == 204
    team = server.created("/demo/groups", {"name": "team"})
    squad = server.created(f"/demo/groups/{team}/children", {"name": "squad"})
    link(server, f"/groups/{team}/role-mappings/realm", roles["writer"])
    for client_id, full in (("one", True), ("two", False)):
        mappers = [audience_mapper(), new_mapper(2, 1001, EVERYWHERE), new_mapper(1, 1002, EVERYWHERE)]
        uuid = server.client(client_id, "secret", protocolMappers=mappers, fullScopeAllowed=full)
        assert server.admin("POST", f"/demo/clients/{uuid}/roles", {"name": "user"}).status_code == 201
        account = server.admin("GET", f"/demo/clients/{uuid}/service-account-user").json()
        changed = account | {"attributes": {"colour": ["green"]}}
        assert server.admin("PUT", f"/demo/users/{account['id']}", changed).status_code == 204
        link(server, f"/users/{account['id']}/role-mappings/realm", roles["reader"])
        link(server, f"/users/{account['id']}/role-mappings/realm", roles["outer"])
        user = server.admin("GET", f"/demo/clients/{uuid}/roles/user").json()
        link(server, f"/users/{account['id']}/role-mappings/clients/{uuid}", user)
        assert server.admin("PUT", f"/demo/users/{account['id']}/groups/{squad}").status_code == 204
        link(server, f"/clients/{uuid}/scope-mappings/realm", roles["reader"])


def link(server: Deployment, path: str, role: JSON) -> None:
    response = server.admin("POST", f"/demo{path}", [role])
    assert response.status_code == 204, response.text


def key_component(priority: int) -> JSON:
    return {
        "name": f"key {priority}",
        "providerId": "ecdsa-generated",
        "providerType": KEYS,
        "config": {"priority": [str(priority)], "ecdsaEllipticCurveKey": ["P-256"]},
    }


def audience_mapper() -> JSON:
    config = {"included.custom.audience": WATCHER, "access.token.claim": "true", "lightweight.claim": "true"}
    return mapper("for the watcher", "oidc-audience-mapper", config)


def mapper(title: str, kind: str, config: dict[str, str]) -> JSON:
    return {"name": title, "protocol": "openid-connect", "protocolMapper": kind, "config": config}


class Writes(RuleBasedStateMachine):
    """A server, what administrators do to it, and what must follow."""

    @initialize()
    def start(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="keyturn-property-"))
        shutil.copytree(template(), self._directory, dirs_exist_ok=True)
        self.deployment = Deployment.on(self._directory)
        self.server = Server(self.deployment.store, self.deployment.registry)
        self._model: tuple[int, PlainModel] | None = None
        with self.deployment.store.read() as reader:
            self.realm = next(str(realm.id) for realm in reader.select(REALMS, None) if realm.realm == "demo")
        self.name = "demo"
        self.tokens: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.numbers = count(1)
        self.port = Port(self.under_test())
        self.connection = self.port.connect(ADDRESS)

    def teardown(self) -> None:
        if hasattr(self, "deployment"):
            self.connection.close()
            self.port.close()
            self.deployment.close()
            shutil.rmtree(self._directory)

    # What there is.

    def model(self) -> PlainModel:
        with self.deployment.store.read() as reader:
            if self._model is None or self._model[0] != reader.revision:
                self._model = reader.revision, PlainModel.of(reader, self.realm)
        return self._model[1]

    def mine(self, model: PlainModel) -> list[JSON]:
        """The clients that this test plays with."""
        built_in = {WATCHER, "account", "account-console", "admin-cli", "broker", "realm-management"}
        built_in.add("security-admin-console")
        return [client for client in model.clients.values() if client["clientId"] not in built_in]

    def scopes(self, model: PlainModel) -> list[JSON]:
        built_in = ("basic", "roles", "service_account", "acr", "web-origins", "role_list", "saml_organization")
        return [scope for scope in model.scopes.values() if scope["name"] not in built_in]

    def roles(self, model: PlainModel) -> list[JSON]:
        owners = {client["id"] for client in self.mine(model)} | {self.realm}
        return [
            role
            for role in model.roles.values()
            if role["containerId"] in owners
            and role["name"] not in BUILT_IN_ROLES
            and not role["name"].startswith("default-roles-")
        ]

    def call(self, method: str, path: str, document: Any = None) -> Answer:
        """An admin request below the realm; refused it may be, but not broken."""
        answer = self.server.call(method, f"/{quote(self.name)}{path}", document)
        assert answer.status < 500, (method, path, document, answer)
        return answer

    # What administrators do.

    @rule(which=some, field=st.sampled_from(["enabled", "fullScopeAllowed", "serviceAccountsEnabled"]), value=mostly)
    def set_a_flag_of_a_client(self, which: int, field: str, value: bool) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("PUT", f"/clients/{client['id']}", {field: value})

    @rule(which=some, value=rarely)
    def make_a_client_public_or_not(self, which: int, value: bool) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("PUT", f"/clients/{client['id']}", {"publicClient": value})

    @rule(which=some, made=flag)
    def change_a_secret(self, which: int, made: bool) -> None:
        if client := chosen(self.mine(self.model()), which):
            if made:
                self.call("POST", f"/clients/{client['id']}/client-secret")
            else:
                self.call("PUT", f"/clients/{client['id']}", {"secret": f"secret {next(self.numbers)}"})

    @rule(which=some, to=name)
    def rename_a_client(self, which: int, to: str) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("PUT", f"/clients/{client['id']}", {"clientId": to})

    @rule(which=some, lifespan=st.sampled_from(["", "60", "-1", "7200000"]), lightweight=rarely)
    def set_attributes_of_a_client(self, which: int, lifespan: str, lightweight: bool) -> None:
        if client := chosen(self.mine(self.model()), which):
            attributes = {
                "access.token.lifespan": lifespan,
                "client.use.lightweight.access.token.enabled": "true" if lightweight else "",
            }
            self.call("PUT", f"/clients/{client['id']}", {"attributes": attributes})

    @rule(which=some, origins=st.lists(st.sampled_from(["https://a.example", "https://b.example"]), unique=True))
    def set_web_origins(self, which: int, origins: list[str]) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("PUT", f"/clients/{client['id']}", {"webOrigins": origins})

    @rule(which=some, later=st.sampled_from([-1, 0, 0, 1]), whose=st.sampled_from(["client", "realm"]))
    def set_not_before(self, which: int, later: int, whose: str) -> None:
        moment = {"notBefore": int(self.server.now) + later}
        client = chosen(self.mine(self.model()), which)
        if whose == "realm" or client is None:
            self.call("PUT", "", moment)
        else:
            self.call("PUT", f"/clients/{client['id']}", moment)

    @rule(client_id=name, full=flag)
    def create_a_client(self, client_id: str, full: bool) -> None:
        if len(self.mine(self.model())) < 3:
            document = {
                "clientId": client_id,
                "secret": "secret",
                "serviceAccountsEnabled": True,
                "fullScopeAllowed": full,
                "protocolMappers": [audience_mapper()],
            }
            self.call("POST", "/clients", document)

    @rule(which=some)
    def delete_a_client(self, which: int) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("DELETE", f"/clients/{client['id']}")

    @rule(which=some, of=some, to=name)
    def create_a_role(self, which: int, of: int, to: str) -> None:
        client = chosen(self.mine(self.model()), of)
        self.call("POST", f"/clients/{client['id']}/roles" if client and which % 2 else "/roles", {"name": to})

    @rule(which=some, to=name)
    def rename_a_role(self, which: int, to: str) -> None:
        if role := chosen(self.roles(self.model()), which):
            self.call("PUT", f"/roles-by-id/{role['id']}", {"name": to})

    @rule(which=some)
    def delete_a_role(self, which: int) -> None:
        if role := chosen(self.roles(self.model()), which):
            self.call("DELETE", f"/roles-by-id/{role['id']}")

    @rule(outer=some, inner=some, add=flag)
    def change_a_composite(self, outer: int, inner: int, add: bool) -> None:
        roles = self.roles(self.model())
        one, other = chosen(roles, outer), chosen(roles, inner)
        if one and other:
            self.call("POST" if add else "DELETE", f"/roles-by-id/{one['id']}/composites", [other])

    @rule(which=some, role=some, add=flag)
    def map_a_role_to_a_service_account(self, which: int, role: int, add: bool) -> None:
        model = self.model()
        user = self._account(model, which)
        if user and (mapped := chosen(self.roles(model), role)):
            self.call("POST" if add else "DELETE", f"/users/{user['id']}/role-mappings/{owner(mapped)}", [mapped])

    @rule(which=some, role=some, add=flag)
    def map_a_role_to_a_group(self, which: int, role: int, add: bool) -> None:
        model = self.model()
        group, mapped = chosen([*model.groups.values()], which), chosen(self.roles(model), role)
        if group and mapped:
            self.call("POST" if add else "DELETE", f"/groups/{group['id']}/role-mappings/{owner(mapped)}", [mapped])

    @rule(which=some, role=some, add=flag, of_client=flag)
    def change_a_scope_mapping(self, which: int, role: int, add: bool, of_client: bool) -> None:
        model = self.model()
        scoped = chosen(self.mine(model) if of_client else self.scopes(model), which)
        mapped = chosen(self.roles(model), role)
        if scoped and mapped:
            path = f"/{'clients' if of_client else 'client-scopes'}/{scoped['id']}/scope-mappings/{owner(mapped)}"
            self.call("POST" if add else "DELETE", path, [mapped])

    @rule(which=some, enabled=mostly, value=st.sampled_from(["", "red", "blue"]))
    def change_a_service_account(self, which: int, enabled: bool, value: str) -> None:
        if user := self._account(self.model(), which):
            document = self.call("GET", f"/users/{user['id']}").body
            attributes = {"colour": [value]} if value else {}
            self.call("PUT", f"/users/{user['id']}", document | {"enabled": enabled, "attributes": attributes})

    @rule(which=some, anew=mostly)
    def delete_a_service_account(self, which: int, anew: bool) -> None:
        """Whoever asks for it afterwards makes it anew."""
        client = chosen(self.mine(self.model()), which)
        if client and (user := self.model().account(client)):
            self.call("DELETE", f"/users/{user['id']}")
            self.every_token_says_what_the_documents_say()
            if anew:
                self.call("GET", f"/clients/{client['id']}/service-account-user")

    @rule(which=some, to=name, inside=flag)
    def create_a_group(self, which: int, to: str, inside: bool) -> None:
        group = chosen([*self.model().groups.values()], which)
        self.call("POST", f"/groups/{group['id']}/children" if inside and group else "/groups", {"name": to})

    @rule(which=some, to=name)
    def rename_a_group(self, which: int, to: str) -> None:
        if group := chosen([*self.model().groups.values()], which):
            self.call("PUT", f"/groups/{group['id']}", {"name": to})

    @rule(which=some)
    def delete_a_group(self, which: int) -> None:
        if group := chosen([*self.model().groups.values()], which):
            self.call("DELETE", f"/groups/{group['id']}")

    @rule(which=some, group=some, join=flag)
    def join_or_leave_a_group(self, which: int, group: int, join: bool) -> None:
        model = self.model()
        user, joined = self._account(model, which), chosen([*model.groups.values()], group)
        if user and joined:
            self.call("PUT" if join else "DELETE", f"/users/{user['id']}/groups/{joined['id']}")

    @rule(to=name, shown=flag)
    def create_a_client_scope(self, to: str, shown: bool) -> None:
        attributes = {"include.in.token.scope": str(shown).lower()}
        self.call("POST", "/client-scopes", {"name": to, "protocol": "openid-connect", "attributes": attributes})

    @rule(which=some, to=name, shown=flag)
    def change_a_client_scope(self, which: int, to: str, shown: bool) -> None:
        if scope := chosen(self.scopes(self.model()), which):
            attributes = {"include.in.token.scope": str(shown).lower()}
            document = {"name": to, "protocol": "openid-connect", "attributes": attributes}
            self.call("PUT", f"/client-scopes/{scope['id']}", document)

    @rule(which=some)
    def delete_a_client_scope(self, which: int) -> None:
        if scope := chosen(self.scopes(self.model()), which):
            self.call("DELETE", f"/client-scopes/{scope['id']}")

    @rule(which=some, scope=some, kind=st.sampled_from(["default", "optional"]), add=flag)
    def assign_a_client_scope(self, which: int, scope: int, kind: str, add: bool) -> None:
        model = self.model()
        client, assigned = chosen(self.mine(model), which), chosen([*model.scopes.values()], scope)
        if client and assigned:
            path = f"/clients/{client['id']}/{kind}-client-scopes/{assigned['id']}"
            self.call("PUT" if add else "DELETE", path)

    @rule(which=some, of_client=flag, kind=some, access=flag, introspected=flag, light=flag)
    def add_a_mapper(
        self, which: int, of_client: bool, kind: int, access: bool, introspected: bool, light: bool
    ) -> None:
        model = self.model()
        mapped = chosen(self.mine(model) if of_client else self.scopes(model), which)
        if mapped:
            number = next(self.numbers)
            where = {
                "access.token.claim": str(access).lower(),
                "introspection.token.claim": str(introspected).lower(),
                "lightweight.claim": str(light).lower(),
            }
            path = f"/{'clients' if of_client else 'client-scopes'}/{mapped['id']}/protocol-mappers/models"
            self.call("POST", path, new_mapper(kind, number, where))

    @rule(which=some, mapper=some, remove=flag, access=flag)
    def change_a_mapper(self, which: int, mapper: int, remove: bool, access: bool) -> None:
        model = self.model()
        owners = [("clients", each) for each in self.mine(model)]
        owners += [("client-scopes", each) for each in model.scopes.values()]
        found = [(kind, each, m) for kind, each in owners for m in each.get("protocolMappers", [])]
        found = [each for each in found if each[2]["protocol"] == "openid-connect"]
        if found:
            kind, each, changed = found[(which * 31 + mapper) % len(found)]
            path = f"/{kind}/{each['id']}/protocol-mappers/models/{changed['id']}"
            if remove:
                self.call("DELETE", path)
            else:
                config = changed["config"] | {"access.token.claim": str(access).lower()}
                self.call("PUT", path, changed | {"config": config})

    @rule()
    def add_a_key(self) -> None:
        self.call("POST", "/components", key_component(100 + next(self.numbers)))

    @rule(which=some, change=st.sampled_from(["delete", "active", "enabled"]), value=flag)
    def change_a_key(self, which: int, change: str, value: bool) -> None:
        keys = [each for each in self.model().components if each["providerId"] == "ecdsa-generated"]
        if key := chosen(keys, which):
            if change == "delete":
                self.call("DELETE", f"/components/{key['id']}")
            else:
                document = self.call("GET", f"/components/{key['id']}").body
                document["config"][change] = [str(value).lower()]
                self.call("PUT", f"/components/{key['id']}", document)

    @rule(lifespan=st.sampled_from([60, 300, 90000]), longest=st.sampled_from([600, 36000]))
    def change_lifespans_of_the_realm(self, lifespan: int, longest: int) -> None:
        self.call("PUT", "", {"accessTokenLifespan": lifespan, "ssoSessionMaxLifespan": longest})

    @rule(enabled=mostly)
    def enable_or_disable_the_realm(self, enabled: bool) -> None:
        self.call("PUT", "", {"enabled": enabled})

    @rule(to=st.sampled_from(["demo", "other", "my realm"]))
    def rename_the_realm(self, to: str) -> None:
        if self.call("PUT", "", {"realm": to}).status == 204:
            self.name = to

    @rule(seconds=st.integers(1, 90))
    def let_time_pass(self, seconds: int) -> None:
        self.server.now += seconds
        self.deployment.clock.now += seconds

    def _account(self, model: PlainModel, which: int) -> JSON | None:
        client = chosen(self.mine(model), which)
        return None if client is None else model.account(client)

    # What must follow.

    @invariant()
    def every_token_says_what_the_documents_say(self) -> None:
        if not hasattr(self, "deployment"):
            return
        realm = self.under_test()
        issuer = f"{BASE_URL}/realms/{quote(self.name)}"
        for client_id in ("one", "two", "ant"):
            if self.model().client(client_id) is None:  # so that it is known not to be there, and must be noticed later
                nobody = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "secret"}
                assert ask(realm, nobody).error[:2] == self.model().refusal(client_id, "secret", set())
        for client in self.mine(self.model()):
            before = self.tokens.get(client["id"])
            if before is not None:
                self.introspect(realm, before, issuer)
            optional = {scope["name"] for scope in self.model().optional_scopes(client)}
            asked: list[set[str]] = [set(), optional] if optional else [set()]
            for requested in asked:
                token = self.ask(realm, client, requested, issuer)
                if token is not None:
                    self.tokens[client["id"]] = token
                    self.introspect(realm, token, issuer)
            self.try_the_secret_of_before(realm, client)

    def under_test(self) -> RealmUnderTest:
        served = self.deployment
        return RealmUnderTest(served.store, served.registry, served.facts, served.clock, self.name, self.realm)

    def ask(self, realm: RealmUnderTest, client: JSON, requested: set[str], issuer: str) -> str | None:
        """A token, held against the model; None where it must be refused, and is."""
        secret = client.get("secret", "")
        form = {"grant_type": "client_credentials", "client_id": client["clientId"], "client_secret": secret}
        if requested:
            form["scope"] = " ".join(sorted(requested))
        answer = self.connection.token(realm.name, form)
        model = self.model()  # after the request: a realm without a key gets one by it
        refusal = model.refusal(client["clientId"], secret, requested)
        if refusal is not None:
            assert answer.error[:2] == refusal
            return None
        assert answer.status == 200, answer
        token = str(answer.body["access_token"])
        unverified = jwt.parse(token)
        expected = model.token(client["clientId"], requested, issuer=issuer, now=int(self.server.now))
        found = {claim: value for claim, value in unverified.claims.items() if claim != "jti"}
        assert listed(found | {"scope": words(found["scope"])}) == expected
        assert unverified.header["kid"] == model.kid(ALGORITHM)
        assert answer.body["expires_in"] == model.lifespan(client)
        return token

    def introspect(self, realm: RealmUnderTest, token: str, issuer: str) -> None:
        """What the watcher is told of a token, held against the model."""
        claims = dict(jwt.parse(token).claims)
        answer = introspected(realm, token)
        model = self.model()
        if not model.realm.get("enabled"):
            assert answer == {"error": "access_denied"}
        elif not model.active(jwt.parse(token).header, claims, WATCHER, issuer=issuer, now=int(self.server.now)):
            assert answer == {"active": False}
        else:
            assert listed(answer | {"scope": words(answer["scope"])}) == model.introspection(claims)

    def try_the_secret_of_before(self, realm: RealmUnderTest, client: JSON) -> None:
        now, before = client.get("secret", ""), self.secrets.get(client["id"])
        self.secrets[client["id"]] = now
        if before and now and before != now:
            form = {"grant_type": "client_credentials", "client_id": client["clientId"], "client_secret": before}
            refusal = self.model().refusal(client["clientId"], before, set())
            assert ask(realm, form).error[:2] == refusal


def chosen(things: list[JSON], which: int) -> JSON | None:
    return things[which % len(things)] if things else None


def owner(role: JSON) -> str:
    """Where the mappings of a role are."""
    return f"clients/{role['containerId']}" if role.get("clientRole") else "realm"


def words(text: str) -> set[str]:
    return set(text.split(" ")) - {""}


def new_mapper(kind: int, number: int, where: dict[str, str]) -> JSON:
    """A mapper of one of several kinds, with a claim of its own."""
    claim = {"claim.name": f"claim{number}", "jsonType.label": "String"} | where
    kinds: list[tuple[str, dict[str, str]]] = [
        ("oidc-hardcoded-claim-mapper", {"claim.value": f"value {number}"}),
        ("oidc-usermodel-attribute-mapper", {"user.attribute": "colour"}),
        ("oidc-group-membership-mapper", {"full.path": "true"}),
        ("oidc-audience-mapper", {"included.custom.audience": f"service{number}"}),
        ("oidc-usermodel-realm-role-mapper", {"multivalued": "true"}),
        ("oidc-usersessionmodel-note-mapper", {"user.session.note": "clientAddress"}),
    ]
    provider, config = kinds[kind % len(kinds)]
    return mapper(f"mapper {number}", provider, claim | config)


def introspected(realm: RealmUnderTest, token: str) -> JSON:
    """The introspection answer, with whatever must be looked up on the way."""
    form = urlencode({"token": token, "client_id": WATCHER, "client_secret": WATCHER}).encode()
    http = Request(BASE_URL, ADDRESS, "application/x-www-form-urlencoded", body=form)
    facts: Facts | None = None
    while True:
        entry = realm.entry
        try:
            decided = introspect(http, entry.realm, entry, int(realm.clock.now), facts)
        except Miss as miss:
            realm.registry.load_client(realm.name, miss.client_id)
            continue
        except OAuth2Error as error:
            return {"error": error.error}
        if isinstance(decided, Decided):
            answer: JSON = json.loads(decided.response.body)
            return answer
        facts = realm.facts.resolve(entry.realm, decided.question)


ALWAYS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True)


def test_each_kind_of_write_is_seen_in_the_next_token() -> None:
    """One after the other, where chance would take long to come by."""
    writes = Writes()
    writes.start()
    try:
        writes.every_token_says_what_the_documents_say()
        for method, arguments in each_kind_of_write():
            getattr(writes, method)(**arguments)
            writes.every_token_says_what_the_documents_say()
    finally:
        writes.teardown()


def each_kind_of_write() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every write twice, there and back, on each of the first few things that there are; what destroys comes last."""
    for add in (False, True):
        yield "change_a_composite", {"outer": 2, "inner": 3, "add": add}
        for role in range(4):
            yield "change_a_scope_mapping", {"which": 1, "role": role, "add": add, "of_client": True}
    for add in (False, True):
        for role in range(6):
            for which in range(2):
                yield "map_a_role_to_a_service_account", {"which": which, "role": role, "add": add}
                yield "map_a_role_to_a_group", {"which": which, "role": role, "add": add}
        for scope in range(14):
            yield "assign_a_client_scope", {"which": scope, "scope": scope, "kind": "default", "add": add}
        for which in range(2):
            yield "join_or_leave_a_group", {"which": which, "group": 1, "join": add}
            for field in ("enabled", "fullScopeAllowed"):
                yield "set_a_flag_of_a_client", {"which": which, "field": field, "value": add}
        yield "change_a_service_account", {"which": 0, "enabled": add, "value": "blue"}
        yield "make_a_client_public_or_not", {"which": 0, "value": not add}
        yield "enable_or_disable_the_realm", {"enabled": add}
    for scope in range(14):
        for add in (True, False):
            yield "change_a_scope_mapping", {"which": scope, "role": scope, "add": add, "of_client": False}
    for kind in range(6):
        yield "add_a_mapper", {"which": 0, "of_client": True, "kind": kind} | dict.fromkeys(ON, True)
        yield "add_a_mapper", {"which": 9, "of_client": False, "kind": kind} | dict.fromkeys(ON, True)
    for which in range(0, 60, 3):
        yield "change_a_mapper", {"which": which, "mapper": which, "remove": which % 2 == 0, "access": False}
    yield "change_a_secret", {"which": 0, "made": True}
    yield "change_a_secret", {"which": 1, "made": False}
    yield "set_web_origins", {"which": 1, "origins": ["https://a.example"]}
    yield "change_lifespans_of_the_realm", {"lifespan": 90000, "longest": 600}
    yield "rename_a_role", {"which": 0, "to": "bee"}
    yield "rename_a_group", {"which": 0, "to": "cat"}
    yield "rename_a_client", {"which": 0, "to": "ant"}
    yield "create_a_client", {"client_id": "one", "full": True}  # asked for in vain before it is made
    for value in (False, True):
        yield "set_a_flag_of_a_client", {"which": 0, "field": "serviceAccountsEnabled", "value": value}
    yield "delete_a_service_account", {"which": 1, "anew": True}
    yield "set_attributes_of_a_client", {"which": 0, "lifespan": "60", "lightweight": True}
    yield "rename_the_realm", {"to": "my realm"}
    yield "change_a_client_scope", {"which": 9, "to": "dog", "shown": False}
    yield "add_a_key", {}
    for change in ("active", "enabled", "delete"):
        yield "change_a_key", {"which": 1, "change": change, "value": False}
        yield "change_a_key", {"which": 0, "change": change, "value": False}
    for later in (1, 0):
        for whose in ("client", "realm"):
            yield "set_not_before", {"which": 0, "later": later, "whose": whose}
    yield "let_time_pass", {"seconds": 61}
    for which in range(2):
        yield "delete_a_role", {"which": which}
        yield "delete_a_group", {"which": which}
        yield "delete_a_client_scope", {"which": 9}
        yield "delete_a_client", {"which": 0}


ON = ("access", "introspected", "light")


def test_every_write_is_seen_in_the_next_token() -> None:
    run_state_machine_as_test(
        Writes, settings=settings(ALWAYS, max_examples=8, stateful_step_count=30, derandomize=True)
    )


@pytest.mark.full
@pytest.mark.timeout(900)
def test_every_write_is_seen_in_the_next_token_of_many_more() -> None:
    run_state_machine_as_test(Writes, settings=settings(ALWAYS, max_examples=150, stateful_step_count=50))
