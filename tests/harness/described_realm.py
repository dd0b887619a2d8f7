"""A realm with one of everything, on a running server."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

from harness.described import Description
from harness.process import Answer, ServerProcess

REALM = "described"
NOWHERE = "00000000-0000-0000-0000-000000000000"
RENEWED_AFTER = 200
"""Calls with one token; it is worth something for a minute."""


@dataclass
class World:
    """A realm with one of everything, and an administrator."""

    server: ServerProcess
    numbers: Iterator[int] = field(default_factory=count)
    calls: int = 0
    _token: str = ""

    @cached_property
    def description(self) -> Description:
        answer = self.server.request("GET", "/admin/openapi.json")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json;charset=UTF-8")
        return Description(answer.json())

    def token(self) -> str:
        if self.calls % RENEWED_AFTER == 0:
            self._token = self.server.admin_token()
        self.calls += 1
        return self._token

    def send(self, method: str, path: str, document: Any = None, **headers: str) -> Answer:
        sent = {"authorization": f"Bearer {self.token()}"} | {n.replace("_", "-"): v for n, v in headers.items()}
        return self.server.request(method, path, document=document, headers=sent)

    def make(self, path: str, document: Any = None) -> str:
        """The last segment of where it is."""
        answer = self.send("POST", f"/admin/realms/{REALM}{path}", document)
        assert answer.status == 201, (path, answer)
        return answer.headers["location"].rpartition("/")[2]

    def get(self, path: str) -> Any:
        answer = self.send("GET", f"/admin/realms/{REALM}{path}")
        assert answer.status == 200, (path, answer)
        return answer.json()

    def new(self, noun: str) -> str:
        return f"{noun}-{next(self.numbers)}"

    def client(self) -> str:
        return self.make("/clients", {"clientId": self.new("client"), "serviceAccountsEnabled": True})

    def scope(self) -> str:
        return self.make("/client-scopes", {"name": self.new("scope"), "protocol": "openid-connect"})

    def user(self) -> str:
        credentials = [{"type": "password", "value": "a long password"}]
        name = self.new("user")
        person = {"username": name, "firstName": "A", "lastName": "B", "email": f"{name}@example.com", "enabled": True}
        return self.make("/users", {**person, "credentials": credentials})

    def group(self) -> str:
        return self.make("/groups", {"name": self.new("group"), "attributes": {"a": ["b"]}})

    def provider(self) -> str:
        return self.make("/identity-provider/instances", {"alias": self.new("provider"), "providerId": "oidc"})

    def provider_mapper(self, provider: str) -> str:
        mapper = {"name": self.new("mapper"), "identityProviderAlias": provider}
        return self.make(f"/identity-provider/instances/{provider}/mappers", mapper)

    def flow(self) -> tuple[str, str]:
        """The id and the alias of a new flow."""
        alias = self.new("flow")
        flow = {"alias": alias, "providerId": "basic-flow", "topLevel": True}
        return self.make("/authentication/flows", flow), alias

    def execution(self, flow: str) -> str:
        step = {"provider": "identity-provider-redirector"}
        return self.make(f"/authentication/flows/{flow}/executions/execution", step)

    def authenticator_config(self) -> str:
        return self.make("/authentication/config", {"alias": self.new("config"), "config": {"a": "b"}})

    def locale(self) -> str:
        """A locale with the text ``greeting``."""
        locale = self.new("locale")
        path = f"/admin/realms/{REALM}/localization/{locale}"
        assert self.send("POST", path, {"greeting": "hello"}).status == 204
        return locale

    def client_credential(self, client: str) -> str:
        """The name of a new secret of a client."""
        return self.make(f"/clients/{client}/credentials", {"name": self.new("credential"), "type": "secret"})

    def component(self) -> str:
        return self.make("/components", key_provider(self))

    def role(self, container: str = "") -> str:
        name = self.new("role")
        self.make(f"{container}/roles", {"name": name, "description": "d", "attributes": {"a": ["b"]}})
        return name

    def credential(self, user: str) -> str:
        return str(self.get(f"/users/{user}/credentials")[0]["id"])

    def session(self, scope: str = "openid") -> tuple[str, str]:
        """A user who has logged in at admin-cli, and the id of the session."""
        user = self.user()
        name = self.get(f"/users/{user}")["username"]
        form = {"grant_type": "password", "client_id": "admin-cli", "username": name, "password": "a long password"}
        answer = self.server.token(REALM, **form, scope=scope)
        assert answer.status == 200, answer
        return user, str(answer.json()["session_state"])

    def rotate_secrets(self) -> None:
        """Has the secret of every client count for a while after there is a new one."""
        periods = {"expiration-period": 3000, "rotated-expiration-period": 1500, "remaining-rotation-period": 200}
        executors = [{"executor": "secret-rotation", "configuration": periods}]
        policy = {"name": "all", "enabled": True, "profiles": ["rotation"]}
        policy["conditions"] = [{"condition": "any-client", "configuration": {}}]
        for kind, documents in (("profiles", [{"name": "rotation", "executors": executors}]), ("policies", [policy])):
            answer = self.send("PUT", f"/admin/realms/{REALM}/client-policies/{kind}", {kind: documents})
            assert answer.status == 204, answer

    @cached_property
    def values(self) -> dict[str, str]:
        """What stands for each segment."""
        user, session = self.session()
        client, scope, group = self.client(), self.scope(), self.group()
        self.make(f"/clients/{client}/protocol-mappers/models", mapper(self))
        self.make(f"/client-scopes/{scope}/protocol-mappers/models", mapper(self))
        self.rotate_secrets()
        assert self.send("POST", f"/admin/realms/{REALM}/clients/{client}/client-secret").status == 200
        role = self.role()
        self.make(f"/clients/{client}/roles", {"name": role})
        provider, flow = self.provider(), self.flow()[1]
        return {
            "realm": REALM,
            "client-uuid": client,
            "of-client-uuid": client,
            "mapped-client-uuid": client,
            "role-container-id": REALM,
            "client-scope-id": scope,
            "user-id": user,
            "role-name": role,
            "role-id": self.get(f"/roles/{role}")["id"],
            "group-id": group,
            "credential-name": self.client_credential(client),
            "credential-id": self.credential(user),
            "other-credential-id": NOWHERE,
            "component-id": self.component(),
            "id": NOWHERE,
            "protocol": "openid-connect",
            "alias": provider,
            "provider": provider,
            "provider-type": "oidc",
            "provider-mapper-id": self.provider_mapper(provider),
            "flow": flow,
            "execution-id": self.execution(flow),
            "config-id": self.authenticator_config(),
            "authenticator-id": "auth-cookie",
            "action-alias": "UPDATE_PASSWORD",
            "locale": self.locale(),
            "key": "greeting",
            "member-id": user,
            "org-id": NOWHERE,
            "below": "resource-server",
            "attr": "jwt.credential",
            "node": "node.example.com",
            "provider-id": "keycloak-oidc-keycloak-json",
            "path": self.get(f"/groups/{group}")["name"],
            "session-id": session,
            "client-id": "admin-cli",
        }


def mapper(world: World) -> dict[str, Any]:
    config = {"claim.name": "c", "claim.value": "v", "access.token.claim": "true"}
    return {
        "name": world.new("mapper"),
        "protocol": "openid-connect",
        "protocolMapper": "oidc-hardcoded-claim-mapper",
        "config": config,
    }


def key_provider(world: World) -> dict[str, Any]:
    provider = {"providerId": "hmac-generated", "providerType": "org.keycloak.keys.KeyProvider"}
    return {**provider, "name": world.new("keys"), "config": {"priority": ["1"]}}
