"""Identity providers, as far as their tokens authenticate clients (Keycloak ``IdentityProvidersResource``)."""

import json
from typing import Any

import pytest

from admin_server import Server
from harness.assertions import jwks, key
from keyturn.registry.registry import Registry

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
    server.call("POST", INSTANCES, {"alias": "cab", "providerId": "kubernetes"})
    for search, found in (("c", "c cab"), ("*B", "b cab"), ("c*b", "cab"), ('"c"', "c"), ('"C"', ""), ("b", "b")):
        assert listed(f"search={search}") == found.split()
    assert listed("type=CLIENT_ASSERTION&search=c*") == ["c", "cab"]
    assert listed("type=USER_AUTHENTICATION&first=-3") == ["a", "b", "c"]
    assert server.call("GET", INSTANCES, query="type=NOTHING").status == 400
    assert all("types" not in each for each in server.call("GET", INSTANCES, query="briefRepresentation=true").body)


@pytest.mark.parametrize(
    ("document", "status", "answer"),
    [
        ({"providerId": "oidc"}, 400, "path is null"),
        ({"alias": "a b", "providerId": "oidc"}, 400, "Empty Space not allowed."),
        ({"alias": "a/b", "providerId": "oidc"}, 400, "Character '/' not allowed."),
        (
            {"alias": "x", "providerId": "google", "config": {"issuer": "https://x.org"}},
            400,
            "The issuer url [https://x",
        ),
        ({"alias": "x", "providerId": "oauth2"}, 400, "User Info URL not provided"),
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


MAPPER = {"name": "m", "identityProviderAlias": "ci", "identityProviderMapper": "oidc-username-idp-mapper"}


def test_mappers_of_a_provider_are_kept_and_go_with_it(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    made = server.call("POST", f"{INSTANCES}/ci/mappers", MAPPER | {"config": {"template": "a"}})
    assert made.status == 201
    again = server.call("POST", f"{INSTANCES}/ci/mappers", MAPPER)
    assert again.body == {"errorMessage": "Failed to add mapper 'm' to identity provider [oidc]."}
    assert server.call("POST", f"{INSTANCES}/ci/mappers", {"name": "of nobody"}).status == 409
    told = server.call("GET", f"{INSTANCES}/ci/mappers/{made.id}").body
    assert told == MAPPER | {"id": made.id, "config": {"template": "a"}}
    changed = told | {"name": "n", "config": {"template": "b"}}
    assert server.call("PUT", f"{INSTANCES}/ci/mappers/{made.id}", changed).status == 204
    assert server.call("GET", f"{INSTANCES}/ci/mappers").body == [changed]
    assert server.call("GET", f"{INSTANCES}/ci/mappers/nobody").body == {"error": "Model not found"}
    server.call("DELETE", f"{INSTANCES}/ci")
    server.call("POST", INSTANCES, CI)
    assert server.call("GET", f"{INSTANCES}/ci/mappers").body == []


def test_a_provider_is_found_by_its_internal_id(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    internal = f"{INSTANCES}/{server.call('GET', f'{INSTANCES}/ci').body['internalId']}"
    mapper = {"name": "m", "identityProviderAlias": "ci", "identityProviderMapper": "oidc-username-idp-mapper"}
    server.call("POST", f"{internal}/mappers", mapper)
    assert [each["name"] for each in server.call("GET", f"{internal}/mappers").body] == ["m"]
    assert server.call("PUT", internal, CI | {"displayName": "CI"}).status == 204
    (listed,) = server.call("GET", INSTANCES).body
    assert (listed["alias"], listed["displayName"]) == ("ci", "CI")
    assert server.call("DELETE", internal).status == 204
    assert server.call("GET", INSTANCES).body == []


def test_a_mapper_is_removed(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    made = server.call("POST", f"{INSTANCES}/ci/mappers", MAPPER).id
    assert server.call("DELETE", f"{INSTANCES}/ci/mappers/{made}").status == 204
    assert server.call("DELETE", f"{INSTANCES}/ci/mappers/{made}").status == 404


def test_what_providers_and_mappers_can_be_is_told(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    types = server.call("GET", f"{INSTANCES}/ci/mapper-types").body
    assert types["oidc-username-idp-mapper"]["id"] == "oidc-username-idp-mapper"
    assert server.call("GET", "/demo/identity-provider/providers/oidc").body["name"] == "OpenID Connect v1.0"
    assert server.call("GET", "/demo/identity-provider/providers/nobody").status == 400


def test_where_older_versions_hide_a_provider_counts(server: Server) -> None:
    server.call("POST", INSTANCES, {"alias": "hub", "providerId": "github", "config": {"hideOnLoginPage": "true"}})
    told = server.call("GET", f"{INSTANCES}/hub").body
    assert (told["hideOnLogin"], told["config"], told["types"]) == (True, {}, [])


def test_a_user_is_linked_to_a_provider_once(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    user = server.call("POST", "/demo/users", {"username": "alice", "enabled": True}).id
    path = f"/demo/users/{user}/federated-identity"
    assert server.call("POST", f"{path}/ci", {"userId": "1", "userName": "a"}).status == 204
    taken = server.call("POST", f"{path}/ci", {"userId": "2"})
    assert (taken.status, taken.body) == (409, {"errorMessage": "User is already linked with provider"})
    link = {"identityProvider": "ci", "userId": "1", "userName": "a"}
    assert server.call("GET", path).body == [link]
    assert server.call("GET", f"/demo/users/{user}").body["federatedIdentities"] == [link]
    assert server.call("DELETE", f"{path}/ci").status == 204
    assert server.call("DELETE", f"{path}/ci").status == 404
    assert server.call("GET", path).body == []


def test_a_trust_domain_is_what_keycloaks_preview_takes(server: Server) -> None:
    spire = {"alias": "spire", "providerId": "spiffe"}
    assert server.call("POST", INSTANCES, spire).body == {"errorMessage": "Invalid identity provider id [spiffe]"}
    server = Server(server.store, Registry(server.store, features=frozenset({"spiffe"})))
    good = {"trustDomain": "spiffe://example.org", "bundleEndpoint": "https://spire.example/bundle"}
    malformed = "The url [bundleEndpoint] is malformed"
    insecure = "The url [bundleEndpoint] requires secure connections"
    for config, text in (
        ({}, "Invalid trust domain name"),
        (good | {"trustDomain": "example.org"}, "Invalid trust domain name"),
        (good | {"trustDomain": "spiffe://Ex/"}, "Invalid trust domain name"),
        (good | {"bundleEndpoint": "nonsense"}, malformed),
        (good | {"bundleEndpoint": "http://example.com/b"}, insecure),
    ):
        answer = server.call("POST", INSTANCES, spire | {"config": config})
        assert (answer.status, answer.body) == (400, {"errorMessage": text})
    assert (
        server.call("POST", INSTANCES, spire | {"config": good | {"bundleEndpoint": "http://localhost/b"}}).status
        == 201
    )
    told = server.call("GET", f"{INSTANCES}/spire").body
    assert told["types"] == ["CLIENT_ASSERTION"]
    assert "hideOnLogin" not in told
    assert server.call("POST", INSTANCES, spire | {"alias": "two", "config": good}).status == 201
    public = json.loads(jwks(key()))["keys"][0]
    for broken in ("nonsense", json.dumps({"keys": [public | {"d": "AA"}]})):
        sent = spire | {"alias": "two", "config": good | {"keyturn.jwks": broken}}
        assert server.call("PUT", f"{INSTANCES}/two", sent).status == 400
    assert server.call("GET", "/admin/serverinfo").body["identityProviders"][0]["id"] == "spiffe"


@pytest.mark.parametrize(
    ("kind", "config", "text"),
    [
        ("oidc", {"jwksUrl": "http://ci.example/jwks"}, "The url [jwks_url] requires secure connections"),
        ("oidc", {"jwksUrl": "nonsense", "logoutUrl": "nonsense"}, "The url [jwks_url] is malformed"),
        ("oidc", {"jwksUrl": "ftp://ci.example/jwks"}, "Invalid protocol/scheme for url [jwks_url]"),
        ("oidc", {"tokenUrl": "foo://x", "userInfoUrl": "x"}, "The url [token_url] is malformed"),
        ("oidc", CI["config"] | {"issuer": "http://ci.example"}, "The url [Issuer] requires secure connections"),
        ("keycloak-oidc", {"userInfoUrl": "http://x.example"}, "The url [userinfo_url] requires secure connections"),
        ("kubernetes", {"issuer": "http://x.example"}, "The url [Issuer] requires secure connections"),
        (
            "kubernetes",
            {"keyturn.jwks.url": "http://x.example"},
            "The url [keyturn.jwks.url] requires secure connections",
        ),
        ("saml", {"singleSignOnServiceUrl": "x", "metadataDescriptorUrl": "x"}, "singleSignOnServiceUrl] is malformed"),
    ],
)
def test_what_is_read_comes_over_tls_unless_it_is_near(
    shared_server: Server, kind: str, config: dict[str, str], text: str
) -> None:
    sent = {"alias": "x", "providerId": kind, "config": config}
    answer = shared_server.call("POST", INSTANCES, sent)
    assert answer.status == 400
    assert text in answer.body["errorMessage"]
    imported = shared_server.call(
        "POST", "/demo/partialImport", {"identityProviders": [sent], "ifResourceExists": "FAIL"}
    )
    assert imported.status == 400


@pytest.mark.parametrize(
    "url", ["http://localhost:1/x", "http://10.0.0.1/x", "HTTPS://a.example/x", " https://a.example/x", ""]
)
def test_what_is_near_or_over_tls_is_taken(shared_server: Server, url: str) -> None:
    sent = {"alias": "near", "providerId": "oidc", "config": {"jwksUrl": url}}
    assert shared_server.call("POST", INSTANCES, sent).status == 201
    shared_server.call("DELETE", f"{INSTANCES}/near")


def test_a_preset_is_put_in_place_when_a_provider_is_made(server: Server) -> None:
    github = {"alias": "gh", "providerId": "oidc", "config": {"keyturn.preset": "github"}}
    assert server.call("POST", INSTANCES, github).status == 201
    assert server.call("GET", f"{INSTANCES}/gh").body["config"] == {
        "issuer": "https://token.actions.githubusercontent.com",
        "supportsClientAssertions": "true",
        "useJwksUrl": "true",
        "jwksUrl": "https://token.actions.githubusercontent.com/.well-known/jwks",
    }
    for config in ({"keyturn.preset": "nothing"}, {"keyturn.preset": "github", "issuer": ""}):
        made = server.call("POST", INSTANCES, {"alias": "x", "providerId": "oidc", "config": config})
        assert made.status == 400


def test_keys_that_are_discovered_need_no_url(server: Server) -> None:
    config = {"issuer": "https://realm.example", "supportsClientAssertions": "true", "keyturn.discovery": "true"}
    assert server.call("POST", INSTANCES, {"alias": "x", "providerId": "oidc", "config": config}).status == 201


def test_an_import_brings_no_second_provider_of_an_issuer(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    sent = {"identityProviders": [CI | {"alias": "again"}], "ifResourceExists": "FAIL"}
    answer = server.call("POST", "/demo/partialImport", sent)
    assert answer.status == 400
    assert "Issuer URL already used for IDP 'ci'" in answer.body["error_description"]
    assert server.call("POST", "/demo/partialImport", sent | {"ifResourceExists": "OVERWRITE"}).status == 400
    same = {"identityProviders": [CI], "ifResourceExists": "OVERWRITE"}
    assert server.call("POST", "/demo/partialImport", same).status == 200


@pytest.mark.parametrize(
    ("providers", "status", "answer"),
    [
        ([{"alias": "x", "providerId": "nothing"}], 400, "Invalid identity provider id [nothing]"),
        ([{"alias": "x", "providerId": "oauth2"}], 400, "User Info URL not provided"),
        ([{"alias": "x", "providerId": "jwt-authorization-grant"}], 400, "Issuer is required"),
        ([changed(tokenUrl="nowhere")], 400, "The url [token_url] is malformed"),
        ([CI, CI | {"alias": "other"}], 400, "Issuer URL already used for IDP 'ci'"),
        ([CI | {"organizationId": "x"}], 400, "There is no organization x"),
        ([CI | {"postBrokerLoginFlowAlias": "x"}], 400, "No available authentication flow with alias: x"),
        ([CI | {"displayName": "x" * 256}], 400, "Database operation failed"),
        ([{"alias": "x", "providerId": "oidc"}] * 2, 409, "Duplicate resource error"),
    ],
)
def test_a_new_realm_brings_no_provider_that_could_not_be_made(
    shared_server: Server, providers: list[Any], status: int, answer: str
) -> None:
    given = shared_server.call("POST", "", {"realm": "imported", "identityProviders": providers})
    assert given.status == status
    assert answer in (given.body.get("errorMessage") or given.body["error_description"])


def test_the_providers_of_a_new_realm_are_as_if_they_were_made_one_by_one(server: Server) -> None:
    bare = {
        "alias": "g",
        "providerId": "google",
        "internalId": "mine",
        "config": {"empty": "", "hideOnLoginPage": "true"},
    }
    assert server.call("POST", "", {"realm": "imported", "identityProviders": [bare]}).status == 201
    told = server.call("GET", "/imported/identity-provider/instances/g").body
    assert told == {
        "alias": "g",
        "providerId": "google",
        "internalId": "mine",
        "enabled": True,
        "hideOnLogin": True,
        "config": {"issuer": "https://accounts.google.com"},
        "types": [],
    }


def test_a_provider_keeps_its_kind_and_has_to_suit_the_one_that_is_sent(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    for sent in ({}, {"providerId": "nothing"}, {"providerId": "oauth2"}, CI | {"firstBrokerLoginFlowAlias": "none"}):
        assert server.call("PUT", f"{INSTANCES}/ci", sent).status == 400
    assert server.call("PUT", f"{INSTANCES}/ci", CI | {"providerId": "saml", "organizationId": "x"}).status == 204
    told = server.call("GET", f"{INSTANCES}/ci").body
    assert told["providerId"] == "oidc"
    assert "organizationId" not in told


def test_nothing_is_exported_for_a_provider_in_any_format(server: Server) -> None:
    server.call("POST", INSTANCES, CI)
    assert server.call("GET", f"{INSTANCES}/ci/export", accept="application/xml").status == 204


def test_links_of_users_go_with_their_provider(server: Server) -> None:
    provider = {"alias": "gone", "providerId": "oidc", "config": {"clientId": "x"}}
    user = server.call("POST", "/demo/users", {"username": "linked"}).id
    link = f"/demo/users/{user}/federated-identity"
    for _ in range(2):
        assert server.call("POST", "/demo/identity-provider/instances", provider).status == 201
        assert server.call("GET", link).body == []
        assert server.call("POST", f"{link}/gone", {"userId": "1", "userName": "n"}).status == 204
        assert len(server.call("GET", link).body) == 1
        assert server.call("DELETE", "/demo/identity-provider/instances/gone").status == 204
