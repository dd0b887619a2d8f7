"""Identity providers, as far as their tokens authenticate clients (Keycloak ``IdentityProvidersResource``)."""

import json
from typing import Any

import pytest

from admin_server import Server
from harness.assertions import jwks, key

INSTANCES = "/demo/identity-provider/instances"
CI: dict[str, Any] = {
    "alias": "ci",
    "providerId": "oidc",
    "config": {
        "issuer": "https://ci.example",
        "supportsClientAssertions": "true",
        "publicKeySignatureVerifier": jwks(key()),
        "clientSecret": "canary",
    },
}


def changed(**config: str) -> dict[str, Any]:
    return CI | {"config": CI["config"] | config}


def test_a_provider_is_made_told_changed_and_taken_away(server: Server) -> None:
    made = server.call("POST", INSTANCES, CI)
    assert (made.status, made.id) == (201, "ci")
    told = server.call("GET", f"{INSTANCES}/ci").body
    assert told["config"] == changed(clientSecret="**********")["config"]
    assert server.call("PUT", f"{INSTANCES}/ci", changed(clientSecret="**********") | {"enabled": False}).status == 204
    (listed,) = server.call("GET", INSTANCES).body
    assert listed == told | {"enabled": False}
    assert server.call("DELETE", f"{INSTANCES}/ci").status == 204
    assert server.call("GET", INSTANCES).body == []
    for method in ("GET", "DELETE"):
        assert server.call(method, f"{INSTANCES}/ci").status == 404
    assert server.call("PUT", f"{INSTANCES}/ci", CI).status == 404


def test_a_cluster_says_little_and_gets_its_usual_issuer(server: Server) -> None:
    server.call("POST", INSTANCES, {"alias": "kube", "providerId": "kubernetes"})
    told = server.call("GET", f"{INSTANCES}/kube").body
    assert told["config"] == {"issuer": "https://kubernetes.default.svc.cluster.local"}
    assert told["types"] == ["CLIENT_ASSERTION"]


def test_lists_are_by_alias_paged_searched_and_brief(server: Server) -> None:
    for alias in ("c", "a", "b"):
        server.call("POST", INSTANCES, {"alias": alias, "providerId": "oidc"})

    def listed(query: str) -> list[str]:
        return [each["alias"] for each in server.call("GET", INSTANCES, query=query).body]

    assert listed("") == ["a", "b", "c"]
    assert listed("first=1&max=1") == ["b"]
    assert listed("search=C") == ["c"]
    assert all("types" not in each for each in server.call("GET", INSTANCES, query="briefRepresentation=true").body)


@pytest.mark.parametrize(
    ("document", "status", "answer"),
    [
        ({"providerId": "oidc"}, 400, "path is null"),
        ({"alias": "a b", "providerId": "oidc"}, 400, "Empty Space not allowed."),
        ({"alias": "x", "providerId": "nothing"}, 400, "Invalid identity provider id [nothing]"),
        ({"alias": "people", "providerId": "oidc"}, 409, "already exists"),
        (CI | {"alias": "other"}, 400, "Issuer URL already used for IDP 'ci'"),
        (changed(issuer="") | {"alias": "x"}, 400, "Issuer is required"),
        (changed(publicKeySignatureVerifier="") | {"alias": "x"}, 400, "'Validating public key' is required"),
        (changed(useJwksUrl="true") | {"alias": "x"}, 400, "JWKS URL is required"),
    ],
)
def test_says_what_is_wrong_with_a_provider(server: Server, document: dict[str, Any], status: int, answer: str) -> None:
    server.call("POST", INSTANCES, CI)
    server.call("POST", INSTANCES, {"alias": "people", "providerId": "oidc"})
    given = server.call("POST", INSTANCES, document)
    assert given.status == status
    assert answer in json.dumps(given.body)


def test_an_alias_stays(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    given = server.call("PUT", f"{INSTANCES}/ci", CI | {"alias": "other"})
    assert (given.status, given.body) == (400, {"errorMessage": "Identity Provider alias cannot be changed"})


def test_a_realm_keeps_its_providers_and_does_not_tell_them(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    assert "identityProviders" not in server.call("GET", "/demo").body
    server.call("PUT", "/demo", {"displayName": "Demo"})
    assert [each["alias"] for each in server.call("GET", INSTANCES).body] == ["ci"]


def test_a_providers_secret_is_in_no_event(server: Server) -> None:
    server.call("PUT", "/demo", {"adminEventsEnabled": True, "adminEventsDetailsEnabled": True})
    server.call("POST", INSTANCES, CI)
    server.call("PUT", f"{INSTANCES}/ci", changed(issuer="https://new.example"))
    events = server.call("GET", "/demo/admin-events", query="resourceTypes=IDENTITY_PROVIDER").body
    told = {(event["operationType"], event["resourcePath"]) for event in events}
    assert told == {(what, "identity-provider/instances/ci") for what in ("CREATE", "UPDATE")}
    assert "canary" not in json.dumps(events)


def test_only_who_manages_providers_may_change_them(server: Server) -> None:
    viewer, other = server.holder_of("view-identity-providers"), server.holder_of("manage-clients", "manage-realm")
    assert server.call("GET", INSTANCES, token=viewer).status == 200
    assert server.call("POST", INSTANCES, CI, token=viewer).status == 403
    assert server.call("POST", INSTANCES, CI, token=other).status == 403
    assert server.call("POST", INSTANCES, CI, token=server.holder_of("manage-identity-providers")).status == 201
    for method in ("PUT", "DELETE"):
        assert server.call(method, f"{INSTANCES}/ci", CI, token=viewer).status == 403
