"""The edge of dynamic client registration: who reaches it, with how much, and what pages are told."""

import asyncio
import socket
import subprocess
import sys
import threading

import httpx
import pytest
from msgspec.structs import replace

from harness.realm import RealmUnderTest
from harness.realm_server import BASE_URL, RealmServer
from keyturn.admin.registration.policies import PROVIDER_TYPE
from keyturn.store.collections import COMPONENTS

PATH = "/clients-registrations/openid-connect"


@pytest.mark.parametrize("path", [PATH, "/clients-registrations/default"])
def test_nobody_registers_without_a_token_until_a_host_is_trusted(server: RealmServer, path: str) -> None:
    response = server.request("POST", path, json={})
    assert response.status_code == 403
    assert response.json()["error"] == "insufficient_scope"
    assert response.headers["x-frame-options"] == "SAMEORIGIN"
    (event,) = server.sink.events
    assert (event.type, event.error) == ("CLIENT_REGISTER_ERROR", "not_allowed")


def test_a_document_that_is_too_large_is_refused(server: RealmServer) -> None:
    response = server.request("POST", PATH, json={"client_name": "x" * 1024 * 1024})
    assert response.status_code == 413


def test_plain_http_is_refused_from_elsewhere(server: RealmServer) -> None:
    response = server.request("POST", PATH, json={}, base_url="http://keyturn.test:8080")
    assert (response.status_code, response.json()["error_description"]) == (403, "HTTPS required")


def test_a_page_may_ask_whether_it_may_register(server: RealmServer) -> None:
    response = server.request("OPTIONS", PATH, headers={"origin": "https://page.example.com"})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "https://page.example.com"
    refused = server.request("POST", PATH, json={}, headers={"origin": "https://page.example.com"})
    assert (refused.status_code, refused.json()) == (403, {"error": "Invalid origin"})


@pytest.mark.parametrize("path", ["/clients-registrations", "/clients-registrations/"])
def test_there_is_nothing_above_the_providers(server: RealmServer, path: str) -> None:
    assert server.request("GET", path).status_code == 405
    assert server.request("GET", "/clients-registrationsx").status_code == 404


def test_a_server_starts_without_it() -> None:
    program = "import sys, keyturn.http.app; print(*sorted(name for name in sys.modules if 'registration' in name))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_who_takes_his_time_to_say_his_name_holds_up_nobody_else(
    realm: RealmUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Policies look up the names of callers: more of them may wait for that than there are threads."""
    with realm.store.write() as tx:
        for component in tx.select(COMPONENTS, realm.id, where={"provider_type": PROVIDER_TYPE}):
            if component.provider_id == "trusted-hosts":
                tx.update(COMPONENTS, realm.id, replace(component, config={"trusted-hosts": ["*.example.com"]}))
    told = threading.Event()

    def slow(address: str) -> tuple[str, list[str], list[str]]:
        told.wait(20)
        raise OSError

    monkeypatch.setattr(socket, "gethostbyaddr", slow)
    server = RealmServer(realm)

    async def ask() -> int:
        app = server._app
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 40000))
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            waiting = [
                asyncio.create_task(client.post(f"{server.path}/clients-registrations/default", json={"name": "x"}))
                for _ in range(60)
            ]
            await asyncio.sleep(0)
            form = {"grant_type": "client_credentials", "client_id": "not in memory yet", "client_secret": "x"}
            token = f"{server.path}/protocol/openid-connect/token"
            try:
                status = (await asyncio.wait_for(client.post(token, data=form), 5)).status_code
            finally:
                told.set()
            assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {403}
            return status

    assert asyncio.run(ask()) == 401
