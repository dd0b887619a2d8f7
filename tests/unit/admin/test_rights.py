"""Who may call what: the matrix of Keycloak's answers, role by role."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from admin_server import Server

_VECTORS = Path(__file__).parents[2] / "vectors" / "admin_rights.json"
_MATRIX = json.loads(_VECTORS.read_text())
_ROWS = _MATRIX["rows"]
_MISSING = "00000000-0000-0000-0000-000000000000"
_KEY_PROVIDER = {"providerId": "hmac-generated", "providerType": "org.keycloak.keys.KeyProvider"}
_MAPPER = {"protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper", "config": {}}


class Objects:
    """What the matrix names in its paths: fixed objects made once, and a new one for each call."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._count = 0
        self._fixed: dict[str, str] = {}

    def fixed(self, name: str) -> str:
        """The text that stands for ``{name}``."""
        if name not in self._fixed:
            self._fixed[name] = self._made(name)
        return self._fixed[name]

    def _made(self, name: str) -> str:
        made: dict[str, Callable[[], str]] = {
            "realm": lambda: "demo",
            "missing": lambda: _MISSING,
            "client": lambda: self.new("clients", {"clientId": "fixed-client", "serviceAccountsEnabled": True}),
            "user": lambda: self.new("users", {"username": "fixed-user", "enabled": True}),
            "group": lambda: self.new("groups", {"name": "fixed-group"}),
            "scope": lambda: self.new("client-scopes", {"name": "fixed-scope", "protocol": "openid-connect"}),
            "role": lambda: self.new("roles", {"name": "fixed-role"}),
            "crole": lambda: self.new(f"clients/{self.fixed('client')}/roles", {"name": "fixed-role"}),
            "role-id": lambda: str(self.read(f"roles/{self.fixed('role')}")["id"]),
            "default role": lambda: "default-roles-demo",
            "mapper": lambda: self.new(f"clients/{self.fixed('client')}/protocol-mappers/models", self.mapper()),
            "realm-management": lambda: str(self.read("clients", "clientId=realm-management")[0]["id"]),
            "profile-scope": lambda: next(s["id"] for s in self.read("client-scopes") if s["name"] == "profile"),
            "key-component": lambda: str(self.read("components")[0]["id"]),
            "new scope": lambda: self.new("client-scopes", {"name": self.name(), "protocol": "openid-connect"}),
        }
        return made[name]()

    def new(self, path: str, document: Any) -> str:
        """The id of something made by master's administrator."""
        answer = self._server.call("POST", f"/demo/{path}", document)
        assert answer.status == 201, (path, answer)
        return answer.id

    def read(self, path: str, query: str = "") -> Any:
        """What master's administrator reads there."""
        return self._server.call("GET", f"/demo/{path}", query=query).body

    def name(self) -> str:
        """A name that nothing has yet."""
        self._count += 1
        return f"new-{self._count}"

    def mapper(self) -> dict[str, Any]:
        """A protocol mapper of its own name."""
        return {**_MAPPER, "name": self.name()}

    def fresh(self, path: str) -> str:
        """What stands for ``{new}`` in this path: made for this call."""
        above = path.partition("/{new}")[0]
        noun = above.rpartition("/")[2]
        documents: dict[str, Callable[[], Any]] = {
            "clients": lambda: {"clientId": self.name()},
            "users": lambda: {"username": self.name()},
            "groups": lambda: {"name": self.name()},
            "roles": lambda: {"name": self.name()},
            "client-scopes": lambda: {"name": self.name(), "protocol": "openid-connect"},
            "components": lambda: {"name": self.name(), **_KEY_PROVIDER},
            "models": self.mapper,
        }
        if noun == "roles-by-id":
            return str(self.read(f"roles/{self.new('roles', {'name': self.name()})}")["id"])
        return self.new(self.filled(above).removeprefix("/admin/realms/demo/"), documents[noun]())

    def filled(self, path: str) -> str:
        """`path` with each placeholder replaced."""
        if "fixed-group" in path:
            self.fixed("group")
        before, brace, rest = path.partition("{")
        if not brace:
            return path
        name, _, after = rest.partition("}")
        value = self.fresh(path) if name == "new" else self._made(name) if name == "new scope" else self.fixed(name)
        return self.filled(before + value + after)

    def role(self, variant: str, path: str) -> list[Any]:
        """The role that the call is about, as a body."""
        for word in variant.split():
            if word in {"realm-admin", "view-users", "manage-users", "query-users", "create-client"}:
                return [self.read(f"clients/{self.fixed('realm-management')}/roles/{word}")]
        if "clients/" in path.partition("mappings/")[2]:
            return [self.read(f"clients/{self.fixed('client')}/roles/{self.fixed('crole')}")]
        return [self.read(f"roles/{self.fixed('role')}")]

    def body(self, method: str, path: str, filled: str, variant: str) -> Any:
        """A body that the call takes."""
        end = path.rpartition("/")[2].partition("?")[0]
        if "mappings" in path or end == "composites":
            return self.role(variant, path) if method in {"POST", "DELETE"} else None
        if method not in {"POST", "PUT"} or end in {"client-secret", "push-revocation"}:
            return None
        if "taken" in variant:
            return {"clientId": self.fixed("client") and "fixed-client"}
        if "unknown field" in variant:
            return {"nope": True}
        if "protocol-mappers" in path:
            return {**self.mapper(), **({"id": filled.rpartition("/")[2]} if method == "PUT" else {})}
        if "client-scopes" in path:
            named = {"name": self.name(), "protocol": "openid-connect"}
            return None if "-client-scopes" in path else named
        if "components" in path:
            return {"name": self.name(), **_KEY_PROVIDER, "config": {}}
        if end in {"clients", "users", "groups", "roles", "children"}:
            noun = {"clients": "clientId", "users": "username"}.get(end, "name")
            return {noun: self.name(), **({"serviceAccountsEnabled": True} if "serviceAccounts" in variant else {})}
        if end == "partialImport":
            held = {"clientRoles": {"realm-management": ["realm-admin"]}} if "holding" in variant else {}
            kind, document = (
                ("clients", {"clientId": self.name()}) if "client" in variant else ("users", {"username": self.name()})
            )
            return {kind: [document | held]}
        if end == "realms":
            return {"realm": self.name()}
        if "roles" in path or "groups" in path:
            return {"name": "default-roles-demo" if "default role" in path else self.name()}
        return {}


@pytest.fixture(scope="module")
def objects(shared_server: Server) -> Objects:
    return Objects(shared_server)


@pytest.fixture(scope="module")
def tokens(shared_server: Server) -> dict[str, str]:
    return {caller: shared_server.holder_of(*(() if caller == "none" else (caller,))) for caller in _MATRIX["callers"]}


def _named(row: dict[str, Any]) -> str:
    return " ".join([row["call"], *([f"({row['variant']})"] if "variant" in row else [])])


def _expected(row: dict[str, Any]) -> Iterator[tuple[str, int]]:
    statuses = {
        caller: 403 if status == "500" else int(status)  # Keycloak stumbles over who may not end an old secret
        for status, callers in row["answers"].items()
        for caller in (_MATRIX["callers"] if callers == "everybody" else callers)
    }
    for caller in _MATRIX["callers"]:
        yield caller, statuses.get(caller, 403)


@pytest.mark.parametrize("row", _ROWS, ids=_named)
def test_each_role_may_do_what_keycloak_lets_it(
    shared_server: Server, objects: Objects, tokens: dict[str, str], row: dict[str, Any]
) -> None:
    method, _, path = row["call"].partition(" ")
    wrong = {}
    for caller, expected in _expected(row):
        filled = objects.filled(path)
        body = objects.body(method, path, filled, row.get("variant", ""))
        target, _, query = filled.partition("?")
        answer = shared_server.call(method, target, body, token=tokens[caller], query=query)
        if answer.status != expected:
            wrong[caller] = (answer.status, answer.body, expected)
        elif caller in row.get("empty", ()):
            assert answer.body == []
    assert not wrong
