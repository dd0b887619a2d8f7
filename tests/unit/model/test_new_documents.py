"""What Keycloak 26.7.3 makes of a posted document; every expectation was asked of it."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from keyturn.model.new_documents import (
    CREATION_TIME,
    new_client,
    new_client_scope,
    new_component,
    new_group,
    new_protocol_mapper,
    new_role,
    new_service_account,
    new_user,
    scopes_of_new_client,
)
from keyturn.representations import (
    UNSET,
    ClientRepresentation,
    ClientScopeRepresentation,
    ComponentRepresentation,
    GroupRepresentation,
    ProtocolMapperRepresentation,
    RoleRepresentation,
    UserRepresentation,
    decode,
    encode,
)
from keyturn.representations.reading import read

VECTORS = Path(__file__).parents[2] / "vectors" / "new_realm"
NOW = 1_795_505_724


def posted(**fields: Any) -> ClientRepresentation:
    return read(json.dumps({"clientId": "x", **fields}).encode(), ClientRepresentation)


def client(**fields: Any) -> ClientRepresentation:
    ids = (f"id-{number}" for number in itertools.count())
    return new_client(posted(**fields), new_id=lambda: next(ids), new_secret=lambda: "made", now=NOW)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("client-minimal", {"clientId": "minimal"}),
        ("client-minimal-service-account", {"clientId": "minimal-sa", "serviceAccountsEnabled": True}),
        (
            "client",
            {
                "clientId": "backend-service",
                "enabled": True,
                "clientAuthenticatorType": "client-secret",
                "serviceAccountsEnabled": True,
                "standardFlowEnabled": False,
                "directAccessGrantsEnabled": False,
                "publicClient": False,
            },
        ),
    ],
)
def test_a_client_gets_keycloaks_defaults(name: str, fields: dict[str, Any]) -> None:
    expected = json.loads((VECTORS / f"{name}.json").read_bytes())
    for relation in ("defaultClientScopes", "optionalClientScopes", "access"):
        del expected[relation]
    found = json.loads(encode(client(**fields)))
    assert list(found) == list(expected)
    assert found == expected | {"id": "id-0", "secret": "made"}


@pytest.mark.parametrize("kind", ["client-secret", "client-jwt", "client-x509", "client-secret-jwt"])
def test_every_confidential_client_gets_a_secret(kind: str) -> None:
    made = client(clientAuthenticatorType=kind)
    assert made.secret == "made"
    assert made.attributes == {"realm_client": "false", CREATION_TIME: str(NOW)}


@pytest.mark.parametrize("secret", ["mine", ""])
def test_a_given_secret_is_kept_and_has_no_creation_time(secret: str) -> None:
    made = client(secret=secret)
    assert made.secret == secret
    assert made.attributes == {"realm_client": "false"}


def test_a_public_client_has_no_secret_even_if_one_is_given() -> None:
    made = client(publicClient=True, secret="s", attributes={"x": "1"})
    assert made.secret is UNSET
    assert made.attributes == {"realm_client": "false", "x": "1"}


def test_empty_attributes_and_the_server_s_own_are_not_taken() -> None:
    made = client(attributes={"a": "b", "e": "", "n": None, "realm_client": "true"})
    assert made.attributes == {"realm_client": "false", "a": "b", CREATION_TIME: str(NOW)}


@pytest.mark.parametrize(("sent", "kept"), [("5", {CREATION_TIME: "5"}), ("", {})])
def test_what_is_sent_of_a_secret_s_age_is_kept(sent: str, kept: dict[str, str]) -> None:
    assert client(attributes={CREATION_TIME: sent}).attributes == {"realm_client": "false", **kept}


def test_a_missing_client_id_becomes_the_id() -> None:
    made = client(clientId=None)
    assert made.client_id == made.id == "id-0"


def test_web_origins_come_from_absolute_redirect_uris_unless_given() -> None:
    uris = ["http://a/*", "http://b:8080/x", "/relative", "http://a/*"]
    assert client(redirectUris=uris).web_origins == ["http://a", "http://b:8080"]
    assert client(redirectUris=uris).redirect_uris == ["http://a/*", "http://b:8080/x", "/relative"]
    assert client(redirectUris=uris, webOrigins=[]).web_origins == []


def test_direct_grants_only_is_two_flags() -> None:
    made = client(directGrantsOnly=True)
    assert (made.standard_flow_enabled, made.direct_access_grants_enabled) == (False, True)
    assert made.direct_grants_only is UNSET


def test_fields_that_a_client_may_not_set_are_dropped() -> None:
    made = client(
        registrationAccessToken="x", access={"view": False}, origin="zz", clientTemplate="q", defaultRoles=["r"]
    )
    assert json.loads(encode(made)).keys() == json.loads(encode(client())).keys()


def test_mappers_get_ids_and_lose_empty_values() -> None:
    mapper = {"name": "m", "protocolMapper": "x", "protocol": "openid-connect", "config": {"e": "", "n": None, "a": 1}}
    made = client(protocolMappers=[mapper])
    assert isinstance(made.protocol_mappers, list)
    assert json.loads(encode(made.protocol_mappers)) == [
        {
            "id": "id-1",
            "name": "m",
            "protocol": "openid-connect",
            "protocolMapper": "x",
            "consentRequired": False,
            "config": {"a": "1"},
        }
    ]
    assert client(protocolMappers=[]).protocol_mappers is UNSET


SCOPES = [
    ClientScopeRepresentation(id=name.upper(), name=name, protocol=protocol)
    for name, protocol in [
        ("email", "openid-connect"),
        ("phone", "openid-connect"),
        ("service_account", "openid-connect"),
        ("role_list", "saml"),
    ]
]


@pytest.mark.parametrize(
    ("fields", "default", "optional"),
    [
        ({}, ["EMAIL"], ["PHONE"]),
        ({"serviceAccountsEnabled": True}, ["EMAIL", "SERVICE_ACCOUNT"], ["PHONE"]),
        ({"defaultClientScopes": []}, [], []),
        ({"optionalClientScopes": ["phone"]}, [], ["PHONE"]),
        ({"defaultClientScopes": ["phone"], "serviceAccountsEnabled": True}, ["PHONE", "SERVICE_ACCOUNT"], []),
        ({"defaultClientScopes": ["nope", "email"], "optionalClientScopes": ["email"]}, ["EMAIL"], []),
        ({"defaultClientScopes": ["role_list"]}, [], []),
        ({"protocol": "saml"}, ["ROLE_LIST"], []),
    ],
)
def test_a_client_gets_its_own_scopes_or_the_realm_s(
    fields: dict[str, Any], default: list[str], optional: list[str]
) -> None:
    found = scopes_of_new_client(
        posted(**fields), available=SCOPES, realm_default=["ROLE_LIST", "EMAIL"], realm_optional=["PHONE"]
    )
    assert found == (default, optional)


def test_a_role_keeps_only_what_a_role_may_say() -> None:
    content = (
        b'{"id": "given", "name": "b", "description": "d", "composite": true, "clientRole": true, "containerId": "z", '
    )
    content += b'"attributes": {"x": ["1"], "e": []}}'
    made = new_role(read(content, RoleRepresentation), realm_id="realm", client_id=None, new_id=lambda: "new")
    assert json.loads(encode(made)) == {
        "id": "new",
        "name": "b",
        "description": "d",
        "composite": False,
        "clientRole": False,
        "containerId": "realm",
        "attributes": {"x": ["1"]},
    }


def test_a_client_role_belongs_to_its_client() -> None:
    made = new_role(RoleRepresentation(name="r"), realm_id="realm", client_id="client", new_id=lambda: "new")
    assert (made.client_role, made.container_id) == (True, "client")


def test_a_client_scope_keeps_its_id_and_empty_attributes() -> None:
    content = b'{"id": "sid", "name": "s2", "protocol": "openid-connect", "attributes": {"a": "", "b": null, "c": "d"}}'
    made = new_client_scope(read(content, ClientScopeRepresentation), new_id=lambda: "new")
    assert (made.id, made.attributes, made.protocol_mappers) == ("sid", {"a": "", "c": "d"}, UNSET)


def test_a_user_is_disabled_and_in_lower_case() -> None:
    user = UserRepresentation(username="UUU1", email="A@B.c", totp=True, self="x", access={"x": True}, groups=["g"])
    made = new_user(user, new_id=lambda: "new", now_ms=7)
    assert json.loads(encode(made)) == {
        "id": "new",
        "username": "uuu1",
        "email": "a@b.c",
        "emailVerified": False,
        "enabled": False,
        "createdTimestamp": 7,
        "totp": False,
        "disableableCredentialTypes": [],
        "requiredActions": [],
        "notBefore": 0,
    }


def test_a_service_account_is_keycloaks() -> None:
    expected = json.loads((VECTORS / "service-account-user.json").read_bytes())
    service = ClientRepresentation(id="client", client_id="backend-service")
    made = new_service_account(service, new_id=lambda: expected["id"], now_ms=expected["createdTimestamp"])
    assert json.loads(encode(made)) == expected | {"serviceAccountClientId": "client"}


def test_a_group_knows_its_path() -> None:
    parent = new_group(GroupRepresentation(name="a", path="/zz"), parent=None, new_id=lambda: "1")
    child = new_group(GroupRepresentation(name="b"), parent=parent, new_id=lambda: "2")
    assert (parent.path, child.path, child.parent_id) == ("/a", "/a/b", "1")


def test_a_component_belongs_to_the_realm() -> None:
    made = new_component(ComponentRepresentation(name="k"), parent_id="realm", new_id=lambda: "1")
    assert (made.id, made.parent_id, made.config) == ("1", "realm", {})


def test_a_mapper_is_never_about_consent() -> None:
    mapper = decode(b'{"name": "m", "consentRequired": true, "consentText": "t"}', ProtocolMapperRepresentation)
    assert new_protocol_mapper(mapper, new_id=lambda: "1").consent_required is False


@pytest.mark.parametrize(
    ("mapper_type", "config", "userinfo"),
    [
        ("oidc-audience-mapper", {"id.token.claim": "true"}, "true"),
        ("oidc-audience-mapper", {"id.token.claim": "false"}, "false"),
        ("oidc-audience-mapper", {"id.token.claim": "true", "userinfo.token.claim": "false"}, "false"),
        ("oidc-audience-mapper", {"access.token.claim": "true"}, None),
        ("oidc-allowed-origins-mapper", {"id.token.claim": "true"}, "true"),
    ],
)
def test_a_new_mapper_puts_into_userinfo_what_goes_into_id_tokens(
    mapper_type: str, config: dict[str, str], userinfo: str | None
) -> None:
    mapper = ProtocolMapperRepresentation(name="m", protocol_mapper=mapper_type, config=config)
    made = new_protocol_mapper(mapper, new_id=lambda: "1")
    assert json.loads(encode(made))["config"].get("userinfo.token.claim") == userinfo
