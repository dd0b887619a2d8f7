"""The admin API over HTTP: from an administrator's login to a machine's token, and what every answer has."""

import asyncio
import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.database import database_in
from harness.realm_server import Recorded
from keyturn.admin.client_changes import Fresh
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.realm_creation import create_realm
from keyturn.http.app import create_app
from keyturn.http.health import HealthService
from keyturn.http.oauth2 import TokenService
from keyturn.http.origin import Forwarding
from keyturn.http.services import Services
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import Registry
from keyturn.representations import CredentialRepresentation, RealmRepresentation, UserRepresentation
from keyturn.store.backends import open_store
from keyturn.store.seal_key import SealKeys

BASE_URL = "https://keyturn.test:8443"
SECURITY_HEADERS = {
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "x-robots-tag": "none",
}


class Served:
    """A server with the realm master, and its administrator's token."""

    def __init__(self, services: Services) -> None:
        self._app = create_app(services, HealthService(lambda: None), TokenService(services))
        login = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        self.token = self.send("POST", "/realms/master/protocol/openid-connect/token", data=login).json()[
            "access_token"
        ]

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def request() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=("192.0.2.7", 40000))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, BASE_URL + path, **options)

        return asyncio.run(request())

    def admin(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request by master's administrator."""
        return self.send(method, f"/admin{path}", headers={"Authorization": f"Bearer {self.token}"}, **options)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path: Path = tmp_path_factory.mktemp("keyturn")
    store = open_store(database_in(path), SealKeys(path), time.time)
    password = CredentialRepresentation(type="password", value="admin")
    administrator = UserRepresentation(username="admin", enabled=True, realm_roles=["admin"], credentials=[password])
    create_realm(
        store,
        RealmRepresentation(realm="master", enabled=True, users=[administrator]),
        fresh=Fresh(random_id, random_secret, time.time()),
        random=os.urandom,
    )
    registry = Registry(store)
    facts = FactFinder(store, registry, time.time, os.urandom)
    yield Served(Services(store, registry, facts, Forwarding(), Recorded(), time.time, os.urandom))
    store.close()


def test_from_a_new_realm_to_a_token_with_a_role(served: Served) -> None:
    assert served.admin("POST", "/realms", json={"realm": "my-app-realm", "enabled": True}).status_code == 201
    client = {"clientId": "backend-service", "serviceAccountsEnabled": True, "standardFlowEnabled": False}
    created = served.admin("POST", "/realms/my-app-realm/clients", json=client)
    assert created.headers["location"].startswith(f"{BASE_URL}/admin/realms/my-app-realm/clients/")
    below = created.headers["location"].removeprefix(f"{BASE_URL}/admin")
    secret = served.admin("GET", f"{below}/client-secret").json()["value"]
    assert served.admin("POST", "/realms/my-app-realm/roles", json={"name": "backend-access"}).status_code == 201
    role = served.admin("GET", "/realms/my-app-realm/roles/backend-access").json()
    user = served.admin("GET", f"{below}/service-account-user").json()["id"]
    given = served.admin("POST", f"/realms/my-app-realm/users/{user}/role-mappings/realm", json=[role])
    assert given.status_code == 204
    answer = served.send(
        "POST",
        "/realms/my-app-realm/protocol/openid-connect/token",
        auth=("backend-service", secret),
        data={"grant_type": "client_credentials"},
    ).json()
    claims = json.loads(base64.urlsafe_b64decode(answer["access_token"].split(".")[1] + "=="))
    assert "backend-access" in claims["realm_access"]["roles"]
    fresh = served.admin("POST", f"{below}/client-secret").json()["value"]
    for tried, status in ((secret, 401), (fresh, 200)):
        form = {"grant_type": "client_credentials", "client_id": "backend-service", "client_secret": tried}
        token = served.send("POST", "/realms/my-app-realm/protocol/openid-connect/token", data=form)
        assert token.status_code == status


def test_where_keycloak_has_its_console_a_page_says_that_there_is_none(served: Served) -> None:
    assert served.send("GET", "/admin/").headers["location"] == f"{BASE_URL}/admin/master/console/"
    assert served.send("GET", "/admin/master/console").headers["location"] == f"{BASE_URL}/admin/master/console/"
    page = served.send("GET", "/admin/master/console/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert served.send("GET", "/admin/nowhere/console/").status_code == 404
    assert served.send("GET", "/admin/master/console/whoami").status_code == 401
    assert served.admin("POST", "/realms", json={"realm": "日本 ü", "enabled": True}).status_code == 201
    there = served.send("GET", "/admin/日本 ü/console")
    assert there.headers["location"] == f"{BASE_URL}/admin/%E6%97%A5%E6%9C%AC%20%C3%BC/console/"
    assert served.send("GET", there.headers["location"].removeprefix(BASE_URL)).status_code == 200


def test_every_answer_has_the_security_headers(served: Served) -> None:
    for answer in (served.admin("GET", "/realms"), served.send("GET", "/admin/realms")):
        assert SECURITY_HEADERS.items() <= dict(answer.headers).items()


def test_documents_are_not_cached_and_say_their_encoding(served: Served) -> None:
    answer = served.admin("GET", "/realms/master")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"


def test_head_has_the_headers_alone(served: Served) -> None:
    answer = served.admin("HEAD", "/realms/master")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


def test_no_content_has_no_length(served: Served) -> None:
    answer = served.admin("PUT", "/realms/master", json={"displayName": "Keycloak"})
    assert answer.status_code == 204
    assert "content-length" not in answer.headers


def test_a_path_that_is_not_normal_is_refused(served: Served) -> None:
    assert served.admin("GET", "/realms//master").json()["error"] == "missingNormalization"
    assert served.admin("GET", "/realms/master;a=b").json()["error"] == "invalidCharacter"
