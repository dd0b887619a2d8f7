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
