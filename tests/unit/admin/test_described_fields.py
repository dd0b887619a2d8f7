"""What the description says becomes of a field is what becomes of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from admin_server import Server
from keyturn.admin.openapi.document import admin_documents
from keyturn.admin.openapi.schemas import Field
from keyturn.admin.resources import RESOURCES
from keyturn.model.new_realm_document import SHOWN_IN_EXPORTS
from keyturn.representations import RealmRepresentation

DOCUMENTS = {found.name: found for found in admin_documents(RESOURCES)}
SAMPLES: Mapping[str, Any] = {
    "string": "sample",
    "integer": 7,
    "boolean": True,
    "list of string": ["sample"],
    "map to string": {"sample": "sample"},
    "map to boolean": {"sample": True},
    "map to integer": {"sample": 7},
    "map to any": {"sample": "sample"},
    "map to list of string": {"sample": ["sample"]},
    "Composites": {},
}
FLOWS = frozenset(field for field in RealmRepresentation.__struct_encode_fields__ if field.endswith("Flow"))
BY_RULES = FLOWS | {
    "requiredCredentials",
    "smtpServer",
    "oauth2DeviceCodeLifespan",
    "oauth2DevicePollingInterval",
    "scimApiEnabled",
    "otpSupportedApplications",
}
"""Fields that are kept, but not with any value."""
POLICIES = {"clientProfiles", "clientPolicies"}
"""Fields that only an import brings."""
EXPORTED = {
    wire
    for name, wire in zip(
        RealmRepresentation.__struct_fields__, RealmRepresentation.__struct_encode_fields__, strict=True
    )
    if name in SHOWN_IN_EXPORTS
}


def fields(document: str, *uses: str) -> list[Field]:
    return [field for field in DOCUMENTS[document].fields if field.use in uses]


def sampled(found: list[Field]) -> dict[str, Any]:
    return {field.name: SAMPLES[field.type] for field in found if field.type in SAMPLES}


POSTED = {
    "ClientRepresentation": ("/demo/clients", {"clientId": "sampled"}),
    "UserRepresentation": ("/demo/users", {"username": "sampled"}),
    "RoleRepresentation": ("/demo/roles", {"name": "sampled"}),
    "GroupRepresentation": ("/demo/groups", {"name": "sampled"}),
}


@pytest.mark.parametrize("document", POSTED)
def test_what_is_told_or_ignored_is_not_taken(server: Server, document: str) -> None:
    path, least = POSTED[document]
    sent = sampled(fields(document, "told", "ignored"))
    assert sent
    made = server.call("POST", path, {**least, **sent})
    assert made.status == 201
    answered = server.call("GET", f"{path}/{made.id}").body
    assert {name: value for name, value in sent.items() if answered.get(name) == value} == {}


def test_what_a_client_keeps_is_answered(server: Server) -> None:
    sent = sampled(fields("ClientRepresentation", "kept"))
    for name in ("authenticationFlowBindingOverrides", "authorizationServicesEnabled", "authorizationSettings"):
        sent.pop(name, None)  # a flow that is there, and a service that is not
    sent |= dict.fromkeys(("baseUrl", "adminUrl"), "https://sample.example.com")
    made = server.call("POST", "/demo/clients", {"clientId": "sampled", **sent})
    assert made.status == 201, made.body
    answered = server.call("GET", f"/demo/clients/{made.id}").body
    assert {name: answered.get(name) for name in sent} == sent


def test_what_a_realm_keeps_is_answered(server: Server) -> None:
    unusual = BY_RULES | POLICIES | EXPORTED
    sent = {
        name: value for name, value in sampled(fields("RealmRepresentation", "kept")).items() if name not in unusual
    }
    assert server.call("PUT", "/demo", sent).status == 204
    answered = server.call("GET", "/demo").body
    answered["browserSecurityHeaders"] = {"sample": answered["browserSecurityHeaders"]["sample"]}
    assert {name: answered.get(name) for name in sent} == sent


def test_what_a_realm_ignores_is_not_taken(server: Server) -> None:
    sent = sampled(fields("RealmRepresentation", "ignored"))
    assert server.call("POST", "", {"realm": "sampled", **sent}).status == 201
    answered = server.call("GET", "/sampled").body
    assert not sent.keys() & answered.keys()
