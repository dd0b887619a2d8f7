"""A whole server in this process: master with its administrator, and the realm ``demo``. All but the port is real."""

import asyncio
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from harness.database import database_in
from harness.realm import NOW, Clock
from keyturn.admin.client_changes import Fresh
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.realm_creation import prepare_realm, store_realm
from keyturn.events.event import Event
from keyturn.http.app import create_app
from keyturn.http.health import HealthService
from keyturn.http.oauth2 import TokenService
from keyturn.http.origin import Forwarding
from keyturn.http.outbound import Outbound
from keyturn.http.services import Services
from keyturn.jose import jwt
from keyturn.jose.jwk import PrivateKey
from keyturn.model.new_realm import NewRealm
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import Registry
from keyturn.representations import CredentialRepresentation, RealmRepresentation, UserRepresentation, encode
from keyturn.store.backends import open_store
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Store

BASE_URL = "https://keyturn.test:8443"
PASSWORD = "administrators' password"


def _fresh() -> Fresh:
    return Fresh(random_id, random_secret, NOW)


@cache
def _made_realms() -> tuple[NewRealm, ...]:
    """Keys are dear to make: one set serves every test."""
    administrator = UserRepresentation(
        username="admin",
        enabled=True,
        realm_roles=["admin", "default-roles-master"],
        credentials=[CredentialRepresentation(type="password", value=PASSWORD)],
    )
    master = RealmRepresentation(realm="master", enabled=True, users=[administrator])
    demo = RealmRepresentation(realm="demo", enabled=True)
    return tuple(prepare_realm(realm, fresh=_fresh(), random=os.urandom) for realm in (master, demo))


class _Events:
    def record(self, event: Event) -> None:
        """Nobody listens."""


class Deployment:
    """One server on one store, with a clock to be moved."""

    def __init__(
        self, store: Store, clock: Clock, forwarding: Forwarding | None = None, outbound: Outbound | None = None
    ) -> None:
        self.clock, self.store = clock, store
        self.registry = Registry(self.store)
        self.facts = FactFinder(self.store, self.registry, self.clock, os.urandom)
        services = Services(
            store=self.store,
            registry=self.registry,
            facts=self.facts,
            forwarding=forwarding or Forwarding(),
            events=_Events(),
            clock=self.clock,
            random=os.urandom,
            outbound=outbound or Outbound(),
        )
        self.app = create_app(services, HealthService(lambda: None), TokenService(services))
        self._administrator: tuple[float, str] | None = None

    @classmethod
    def new(cls, directory: Path, forwarding: Forwarding | None = None) -> "Deployment":
        """A server on a new store in `directory`."""
        server = cls.on(directory, forwarding)
        for made in _made_realms():
            with server.store.write() as tx:
                store_realm(tx, made, fresh=_fresh())
        return server

    @classmethod
    def on(
        cls, directory: Path, forwarding: Forwarding | None = None, outbound: Outbound | None = None
    ) -> "Deployment":
        """A server on the store in `directory`, as another server has left it."""
        clock = Clock()
        store = open_store(database_in(directory), SealKeys.from_environment(directory, {}), clock)
        return cls(store, clock, forwarding, outbound)

    def close(self) -> None:
        """Closes the store."""
        self.store.close()

    def request(self, method: str, path: str, *, base_url: str = BASE_URL, **options: Any) -> httpx.Response:
        """One request to `path`, as it is spelled."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=("192.0.2.7", 40000))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, base_url + path, **options)

        return asyncio.run(send())

    def protocol(self, endpoint: str, form: Mapping[str, Any], *, realm: str = "demo", **options: Any) -> Any:
        """A POST to an endpoint of OpenID Connect."""
        return self.request("POST", f"/realms/{realm}/protocol/openid-connect/{endpoint}", data=form, **options)

    def tokens(self, *, realm: str = "demo", base_url: str = BASE_URL, **form: str) -> dict[str, Any]:
        """What the token endpoint gives."""
        response = self.protocol("token", form, realm=realm, base_url=base_url)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def client_token(self, client_id: str, secret: str, *, realm: str = "demo", **form: str) -> str:
        """The access token that a client gets for itself."""
        answer = self.tokens(
            realm=realm, grant_type="client_credentials", client_id=client_id, client_secret=secret, **form
        )
        return str(answer["access_token"])

    def login(self, username: str, password: str, *, realm: str = "demo") -> dict[str, Any]:
        """The tokens of a person who logs in by ``admin-cli``."""
        return self.tokens(
            realm=realm, grant_type="password", client_id="admin-cli", username=username, password=password
        )

    def administrator(self) -> str:
        """An access token of master's administrator, good for now."""
        if self._administrator is None or self._administrator[0] != self.clock.now:
            token = self.login("admin", PASSWORD, realm="master")["access_token"]
            self._administrator = self.clock.now, token
        return self._administrator[1]

    def admin(self, method: str, path: str, json: Any = None, *, token: str | None = None, **options: Any) -> Any:
        """A call of the admin API at `path` below ``/admin/realms``, by master's administrator unless told else."""
        headers = {"authorization": f"Bearer {self.administrator() if token is None else token}"}
        headers.update(options.pop("headers", {}))
        if json is not None:
            options["json"] = json
        return self.request(method, f"/admin/realms{path}", headers=headers, **options)

    def created(self, path: str, json: Any, **options: Any) -> str:
        """The id of what a POST to `path` makes."""
        response = self.admin("POST", path, json, **options)
        assert response.status_code == 201, response.text
        return str(response.headers["location"].rpartition("/")[2])

    def client_uuid(self, client_id: str, *, realm: str = "demo") -> str:
        """The ``id`` of a client."""
        found = self.admin("GET", f"/{realm}/clients?clientId={quote(client_id)}").json()
        return str(found[0]["id"])

    def client(self, client_id: str, secret: str, *, realm: str = "demo", **fields: Any) -> str:
        """The ``id`` of a new client with a service account."""
        document = {"clientId": client_id, "secret": secret, "serviceAccountsEnabled": True, **fields}
        return self.created(f"/{realm}/clients", document)

    def person(self, username: str, password: str, *roles: str, realm: str = "demo") -> str:
        """The id of a new person with these roles of the realm's management client."""
        document = {
            "username": username,
            "enabled": True,
            "email": f"{username}@example.com",
            "firstName": "Ada",
            "lastName": "Byron",
            "credentials": [{"type": "password", "value": password}],
        }
        user_id = self.created(f"/{realm}/users", document)
        management = "master-realm" if realm == "master" else "realm-management"
        for role in roles:
            self.give(user_id, management, role, realm=realm)
        return user_id

    def role(self, client_id: str, name: str, *, realm: str = "demo") -> dict[str, Any]:
        """A client's role."""
        uuid = self.client_uuid(client_id, realm=realm)
        role: dict[str, Any] = self.admin("GET", f"/{realm}/clients/{uuid}/roles/{name}").json()
        return role

    def give(self, user_id: str, client_id: str, name: str, *, realm: str = "demo", method: str = "POST") -> None:
        """Gives a user a client's role, or with DELETE takes it away."""
        role = self.role(client_id, name, realm=realm)
        path = f"/{realm}/users/{user_id}/role-mappings/clients/{role['containerId']}"
        response = self.admin(method, path, [role])
        assert response.status_code == 204, response.text

    def key(self, realm: str = "demo", algorithm: str = "RS256") -> PrivateKey:
        """The key that the realm signs with."""
        entry = self.registry.load_realm(realm)
        assert entry is not None
        return entry.realm.keys.signing[algorithm]


def forged(key: PrivateKey, claims: Mapping[str, Any], **header: Any) -> str:
    """A token of these claims that `key` has signed."""
    return jwt.encode(
        {"alg": key.algorithm, "typ": "JWT", "kid": key.kid, **header}, encode(dict(claims)), key
    ).decode()


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, whoever made it."""
    return dict(jwt.parse(token).claims)
