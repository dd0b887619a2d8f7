"""The edge of dynamic client registration: who reaches it, with how much, and what pages are told."""

import subprocess
import sys

import pytest

from harness.realm_server import RealmServer

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
