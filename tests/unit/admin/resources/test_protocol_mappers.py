"""The ids of protocol mappers, which say which one a change is about."""

from typing import Any

import pytest

from admin_server import Server

_CONFLICT = {"error": "conflict", "error_description": "Duplicate resource error"}


def _mapper(name: str, identifier: str | None = None) -> dict[str, Any]:
    made = {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": "oidc-hardcoded-claim-mapper",
        "config": {"claim.name": name},
    }
    return made if identifier is None else {**made, "id": identifier}


@pytest.mark.parametrize(
    ("path", "document"),
    [("/demo/clients", {"clientId": "svc"}), ("/demo/client-scopes", {"name": "scope", "protocol": "openid-connect"})],
)
def test_two_mappers_of_one_id_are_refused(server: Server, path: str, document: dict[str, Any]) -> None:
    mappers = [_mapper("a", "one"), _mapper("b", "one")]
    answer = server.call("POST", path, {**document, "protocolMappers": mappers})
    assert (answer.status, answer.body) == (409, _CONFLICT)
    created = server.call("POST", path, {**document, "protocolMappers": mappers[:1]}).id
    assert server.call("POST", f"{path}/{created}/protocol-mappers/models", mappers[1]).status == 409
    assert server.call("POST", f"{path}/{created}/protocol-mappers/add-models", mappers[1:]).status == 409


@pytest.mark.parametrize("part", ["clients", "clientScopes"])
def test_an_import_with_two_mappers_of_one_id_is_refused(server: Server, part: str) -> None:
    owner = {"clientId": "svc"} if part == "clients" else {"name": "scope", "protocol": "openid-connect"}
    document = {"realm": "other", part: [{**owner, "protocolMappers": [_mapper("a", "one"), _mapper("b", "one")]}]}
    assert server.call("POST", "/admin/realms", document).status == 409
    assert server.call("GET", "/other").status == 404


def test_a_mapper_that_a_clients_change_names_keeps_its_id(server: Server) -> None:
    client = server.call("POST", "/demo/clients", {"clientId": "svc", "protocolMappers": [_mapper("a", "one")]}).id
    change = {"protocolMappers": [_mapper("a", "two"), _mapper("b", "three")]}
    assert server.call("PUT", f"/demo/clients/{client}", change).status == 204
    found = server.call("GET", f"/demo/clients/{client}/protocol-mappers/models").body
    assert [(mapper["name"], mapper["id"]) for mapper in found] == [("a", "one"), ("b", "three")]


def test_a_mapper_that_there_is_not_shows_in_its_owners_document_alone(server: Server) -> None:
    unknown = _mapper("a", "one") | {"protocolMapper": "oidc-non-exists"}
    client = server.call("POST", "/demo/clients", {"clientId": "svc", "protocolMappers": [unknown]}).id
    told = server.call("GET", f"/demo/clients/{client}").body["protocolMappers"]
    assert [mapper["protocolMapper"] for mapper in told] == ["oidc-non-exists"]
    mappers = f"/demo/clients/{client}/protocol-mappers"
    assert server.call("GET", f"{mappers}/models").body == []
    assert server.call("GET", f"{mappers}/protocol/openid-connect").body == []
    answer = server.call("GET", f"{mappers}/models/one")
    assert (answer.status, answer.body) == (404, {"error": "Protocol mapper provider not found"})
    assert server.call("DELETE", f"{mappers}/models/one").status == 204


_SEVERAL = {"addOrganizationAttributes": "false", "addOrganizationId": "false"}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, _SEVERAL | {"multivalued": "true"}),
        ({"multivalued": "false", "addOrganizationId": "true"}, _SEVERAL | {"multivalued": "false"}),
        ({"multivalued": "true", "id.token.claim": "true"}, {"multivalued": "true", "id.token.claim": "true"}),
    ],
)
def test_a_mapper_of_organizations_tells_what_it_does(server: Server, sent: Any, told: Any) -> None:
    mapper = _mapper("org") | {"protocolMapper": "oidc-organization-membership-mapper", "config": sent}
    scope = server.call("POST", "/demo/client-scopes", {"name": "scope", "protocol": "openid-connect"}).id
    models = f"/demo/client-scopes/{scope}/protocol-mappers/models"
    made = server.call("POST", models, mapper).id
    usual = {"claim.name": "organization", "jsonType.label": "String"}
    assert server.call("GET", f"{models}/{made}").body["config"] == usual | told


_ONE_HOST = (
    "Without a configured Sector Identifier URI, client redirect URIs must not contain multiple host components."
)
_NO_HOST = "Client redirect URIs must contain a valid host component."


@pytest.mark.parametrize(
    ("uris", "sector", "problem"),
    [
        ([], "", _NO_HOST),
        (["/x"], "", _NO_HOST),
        (["https://a.org", "https://b.org"], "", _ONE_HOST),
        (["https://a.org"], "x", "Malformed Sector Identifier URI."),
        (["urn:x"], "", None),
        (["https://a.org", "https://b.org"], "https://a.org/sector", None),
    ],
)
def test_a_client_with_pairwise_subjects_is_of_one_sector(
    server: Server, uris: list[str], sector: str, problem: str | None
) -> None:
    config = {"sectorIdentifierUri": sector}
    mapper = _mapper("sub") | {"protocolMapper": "oidc-sha256-pairwise-sub-mapper", "config": config}
    client = {"clientId": "svc", "redirectUris": uris, "protocolMappers": [mapper]}
    answer = server.call("POST", "/demo/clients", client)
    if problem is None:
        assert answer.status == 201
    else:
        assert (answer.status, answer.body) == (400, {"error": "invalid_input", "error_description": problem})
    imported = server.call("POST", "/admin/realms", {"realm": "other", "clients": [client]})
    assert imported.status == answer.status


def test_no_change_takes_a_client_with_pairwise_subjects_from_its_sector(server: Server) -> None:
    mapper = _mapper("sub") | {"protocolMapper": "oidc-sha256-pairwise-sub-mapper", "config": {}}
    client = {"clientId": "svc", "redirectUris": ["https://a.org"], "protocolMappers": [mapper]}
    made = server.call("POST", "/demo/clients", client).id
    answer = server.call("PUT", f"/demo/clients/{made}", {"redirectUris": ["https://a.org", "https://b.org"]})
    assert (answer.status, answer.body["error_description"]) == (400, _ONE_HOST)


def test_userinfo_follows_id_tokens_where_a_mapper_comes_with_its_owner(server: Server) -> None:
    organization = _mapper("a") | {"protocolMapper": "oidc-organization-membership-mapper"}
    organization["config"] = {"id.token.claim": "true"}
    client = server.call("POST", "/demo/clients", {"clientId": "svc", "protocolMappers": [organization]}).id
    server.call("POST", f"/demo/clients/{client}/protocol-mappers/models", organization | {"name": "b"})
    told = server.call("GET", f"/demo/clients/{client}").body["protocolMappers"]
    assert {each["name"]: each["config"].get("userinfo.token.claim") for each in told} == {"a": "true", "b": None}
