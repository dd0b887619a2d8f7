"""Texts of pages, organizations and federation: kept, or answered as by a Keycloak that has them off."""

import pytest

from admin_server import Server

TEXTS = "/demo/localization"


def test_texts_are_kept_by_locale(shared_server: Server) -> None:
    server = shared_server
    assert server.call("POST", f"{TEXTS}/de", {"a": "1", "b": "2"}).status == 204
    assert server.call("POST", f"{TEXTS}/de", {"b": "3"}).status == 204
    text = {"content_type": "text/plain"}
    assert server.call("PUT", f"{TEXTS}/en/c.d", "tëxt".encode(), **text).status == 204
    assert server.call("GET", TEXTS).body == ["de", "en"]
    assert server.call("GET", f"{TEXTS}/de").body == {"a": "1", "b": "3"}
    assert server.call("GET", f"{TEXTS}/en/c.d").body == "tëxt".encode()
    assert server.call("DELETE", f"{TEXTS}/de/a").status == 204
    for gone in ("de/a", "xx/a"):
        assert server.call("DELETE", f"{TEXTS}/{gone}").body == {"error": "Localization text not found"}
    assert server.call("DELETE", f"{TEXTS}/de").status == 204
    refused = server.call("DELETE", f"{TEXTS}/de")
    assert (refused.status, refused.body) == (404, {"error": "No localization texts for locale de found."})
    assert server.call("GET", f"{TEXTS}/de").body == {}


def test_texts_of_the_default_locale_stand_in(server: Server) -> None:
    server.call("PUT", "/demo", {"defaultLocale": "en"})
    server.call("POST", f"{TEXTS}/en", {"a": "1", "b": "1"})
    server.call("POST", f"{TEXTS}/de", {"b": "2"})
    query = "useRealmDefaultLocaleFallback=true"
    assert server.call("GET", f"{TEXTS}/de", query=query).body == {"a": "1", "b": "2"}


def test_texts_are_changed_by_who_manages_the_realm(shared_server: Server) -> None:
    viewer = shared_server.holder_of("view-realm")
    assert shared_server.call("POST", f"{TEXTS}/fr", {"a": "1"}, token=viewer).status == 403
    assert shared_server.call("GET", f"{TEXTS}/fr", token=viewer).status == 200


@pytest.mark.parametrize("path", ["", "/count", "/some", "/members/some/organizations"])
def test_organizations_are_off(shared_server: Server, path: str) -> None:
    refused = shared_server.call("GET", f"/demo/organizations{path}")
    assert (refused.status, refused.body) == (404, {"errorMessage": "Organizations not enabled for this realm."})
    viewer = shared_server.holder_of("view-realm")
    assert shared_server.call("GET", f"/demo/organizations{path}", token=viewer).status == 403


def test_there_is_no_federation_to_synchronize(shared_server: Server) -> None:
    refused = shared_server.call("POST", "/demo/user-storage/some/sync")
    assert (refused.status, refused.body) == (404, {"error": "Could not find component"})


@pytest.mark.parametrize("path", ["client-types", "users-management-permissions"])
def test_what_is_off_by_default_cannot_be_changed(shared_server: Server, path: str) -> None:
    assert shared_server.call("PUT", f"/demo/{path}", {"enabled": True}).status == 501


def test_organizations_want_the_rights_that_keycloak_wants(server: Server) -> None:
    server.call("PUT", "/demo", {"organizationsEnabled": True})
    user = server.call("GET", "/demo/users", query="username=ada").body
    known = user[0]["id"] if user else server.call("POST", "/demo/users", {"username": "ada"}).id
    one, members = "/demo/organizations/some", f"/demo/organizations/members/{known}/organizations"
    querying, managing = server.holder_of("query-organizations"), server.holder_of("manage-organizations")
    missing = server.call("GET", one, token=querying)
    assert (missing.status, missing.body) == (404, {"errorMessage": "Organization not found."})
    assert server.call("POST", "/demo/organizations", {"name": "o"}, token=querying).status == 403
    assert server.call("POST", "/demo/organizations", {"name": "o"}, token=managing).status == 404
    assert server.call("GET", members, token=managing).status == 403
    assert server.call("GET", members, token=server.holder_of("query-organizations", "view-users")).body == []
    assert server.call("GET", members.replace(known, "nobody")).body == {"error": "HTTP 404 Not Found"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/settings"), ("POST", "/resource"), ("PUT", "/resource/some"), ("DELETE", "/scope/some")],
)
def test_authorization_services_are_off(shared_server: Server, method: str, path: str) -> None:
    for asks, expected in ((True, (501, "Feature not enabled")), (False, (404, "HTTP 404 Not Found"))):
        client = {"clientId": f"{method}{path}{asks}", "authorizationServicesEnabled": asks}
        made = shared_server.call("POST", "/demo/clients", client).id
        body = b"{}" if method in {"POST", "PUT"} else None
        refused = shared_server.call(method, f"/demo/clients/{made}/authz/resource-server{path}", body)
        assert (refused.status, refused.body["error"]) == expected


def test_what_is_off_is_told(shared_server: Server) -> None:
    info = shared_server.call("GET", "/admin/serverinfo").body
    enabled = {feature["name"]: feature["enabled"] for feature in info["features"]}
    for feature in ("AUTHORIZATION", "IMPERSONATION", "WORKFLOWS", "ADMIN_FINE_GRAINED_AUTHZ_V2"):
        assert not enabled[feature]
        assert feature in info["profileInfo"]["disabledFeatures"]
    assert {"systemInfo", "cpuInfo", "memoryInfo"} <= info.keys()
