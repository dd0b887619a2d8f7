"""The endpoints of a realm over HTTP, in this process: no port, all else as it is served."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import httpx

from harness.realm import RealmUnderTest
from keyturn.events.event import Event
from keyturn.http.app import create_app
from keyturn.http.client_certificates import ClientCertificates
from keyturn.http.health import HealthService
from keyturn.http.oauth2 import TokenService
from keyturn.http.origin import Forwarding
from keyturn.http.services import Services

BASE_URL = "https://keyturn.test:8443"


class Recorded:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        """Keeps `event`."""
        self.events.append(event)


class RealmServer:
    """Serves one realm under ``BASE_URL``."""

    def __init__(self, realm: RealmUnderTest, certificates: ClientCertificates | None = None) -> None:
        self.realm = realm
        self.sink = Recorded()
        self.services = services = Services(
            store=realm.store,
            registry=realm.registry,
            facts=realm.facts,
            forwarding=Forwarding(),
            events=self.sink,
            clock=realm.clock,
            random=os.urandom,
            certificates=certificates,
        )
        self._app = create_app(services, HealthService(lambda: None), TokenService(services))
        self.path = f"/realms/{realm.name}"
        self.issuer = f"{BASE_URL}{self.path}"

    def request(self, method: str, path: str, *, base_url: str = BASE_URL, **options: Any) -> httpx.Response:
        """Sends a request to `path` below the realm, or to the whole path where it begins with ``//``."""
        url = base_url + (path[1:] if path.startswith("//") else self.path + path)

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=("192.0.2.7", 40000))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, url, **options)

        return asyncio.run(send())

    def protocol(self, method: str, endpoint: str, **options: Any) -> httpx.Response:
        """Sends a request to an endpoint of OpenID Connect."""
        return self.request(method, f"/protocol/openid-connect/{endpoint}", **options)

    def tokens(self, form: Mapping[str, Any], auth: tuple[str, str] | None = None) -> dict[str, Any]:
        """What the token endpoint gives."""
        response = self.protocol("POST", "token", data=form, auth=auth)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def client_credentials(self, auth: tuple[str, str], **form: str) -> dict[str, Any]:
        """The tokens of a client."""
        return self.tokens({"grant_type": "client_credentials"} | form, auth)

    def login(self, username: str, password: str, auth: tuple[str, str], **form: str) -> dict[str, Any]:
        """The tokens of a person who logs in by a client."""
        return self.tokens({"grant_type": "password", "username": username, "password": password} | form, auth)
