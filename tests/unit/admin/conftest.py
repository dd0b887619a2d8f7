"""A server's admin API on a real database: master with its administrator, and the realm ``demo`` to work in."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from keyturn.admin.api import AdminApi
from keyturn.admin.client_changes import Fresh
from keyturn.admin.http_message import AdminRequest
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.realm_creation import prepare_realm, store_realm
from keyturn.jose import jwt
from keyturn.model.new_realm import NewRealm
from keyturn.registry.registry import Registry
from keyturn.representations import decode, encode
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.backends.sqlite import open_store
from keyturn.store.collections import REALMS, USERS
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Store

NOW = 1_800_000_000.0
BASE_URL = "http://localhost:8080"


@dataclass(frozen=True)
class Answer:
    """What the API answered, its body read."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def id(self) -> str:
        """The last segment of the Location."""
        return self.headers["location"].rpartition("/")[2]


@dataclass
class Server:
    """The API, and a clock to be moved."""

    store: Store
    registry: Registry
    now: float = NOW
    api: AdminApi = field(init=False)

    def __post_init__(self) -> None:
        self.api = AdminApi(self.store, self.registry, lambda: self.now)

    def call(
        self, method: str, path: str, json: Any = None, *, token: str | None = None, query: str = "", **headers: str
    ) -> Answer:
        """One request; `path` below ``/admin/realms``, by master's administrator unless `token` is another's."""
        body = json if isinstance(json, bytes) else b"" if json is None else encode(json)
        sent = {"authorization": f"Bearer {token if token is not None else self.token()}"}
        if body:
            sent["content-type"] = "application/json"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        pairs = tuple(tuple(pair.split("=", 1)) for pair in query.split("&") if pair)
        response = self.api.handle(
            AdminRequest(
                method=method,
                path=path if path.startswith("/admin") else f"/admin/realms{path}",
                query=pairs,  # type: ignore[arg-type]  # each has two parts
                headers=sent,
                body=body,
                base_url=BASE_URL,
                address="127.0.0.1",
            )
        )
        found = dict(response.headers)
        is_json = found.get("content-type", "").startswith("application/json")
        return Answer(response.status, found, decode(response.body, Any) if is_json else response.body)

    def token(self, realm: str = "master", username: str = "admin", **claims: Any) -> str:
        """An access token of this user by ``admin-cli``."""
        entry = self.registry.load_realm(realm)
        assert entry is not None
        key = entry.realm.keys.signing["RS256"]
        with self.store.read() as reader:
            user = reader.find(USERS, entry.realm.id, username=username)
        assert user is not None
        content = {
            "iss": f"{BASE_URL}/realms/{realm}",
            "iat": int(self.now),
            "exp": int(self.now) + 60,
            "typ": "Bearer",
            "azp": "admin-cli",
            "sub": user.id,
            **claims,
        }
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, encode(content), key).decode()

    def holder_of(self, *roles: str, realm: str = "demo") -> str:
        """A token of a new user of `realm` who holds these roles of its management client, and nothing else."""
        username = "holder-" + "-".join(roles)
        with self.store.read() as reader:
            found = reader.find(REALMS, None, realm=realm)
        assert found is not None
        made = self.call("POST", f"/{realm}/users", {"username": username, "enabled": True})
        assert made.status == 201, made
        client = self.call("GET", f"/{realm}/clients", query="clientId=realm-management").body[0]["id"]
        for role in roles:
            document = self.call("GET", f"/{realm}/clients/{client}/roles/{role}").body
            path = f"/{realm}/users/{made.id}/role-mappings/clients/{client}"
            assert self.call("POST", path, [document]).status == 204
        return self.token(realm, username)


def _fresh() -> Fresh:
    return Fresh(random_id, random_secret, NOW)


@pytest.fixture(scope="session")
def made_realms() -> list[NewRealm]:
    """Master and ``demo``, ready to be stored: keys take a while to make."""
    administrator = UserRepresentation(username="admin", enabled=True, realm_roles=["admin", "default-roles-master"])
    master = RealmRepresentation(realm="master", enabled=True, users=[administrator])
    demo = RealmRepresentation(realm="demo", enabled=True)
    return [prepare_realm(realm, fresh=_fresh(), random=os.urandom) for realm in (master, demo)]


@pytest.fixture
def server(tmp_path: Path, made_realms: list[NewRealm]) -> Iterator[Server]:
    """A fresh server."""
    store = open_store(tmp_path / "keyturn.db", SealKeys(tmp_path), lambda: NOW)
    for made in made_realms:
        with store.write() as tx:
            store_realm(tx, made, fresh=_fresh())
    yield Server(store, Registry(store))
    store.close()
