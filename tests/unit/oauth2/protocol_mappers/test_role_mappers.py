"""How mappers put roles into access tokens, and what they never put there: as Keycloak 26.7.3 answers."""

from dataclasses import replace
from typing import Any

import pytest

from harness.mapped_claims import (
    ALL,
    AS_KEYCLOAK,
    CLIENT_ROLES,
    HARDCODED,
    HARDCODED_ROLE,
    REALM_ROLES,
    ROLE_NAME,
    SUBJECT,
    claims,
)


def test_roles_stand_where_keycloak_puts_them() -> None:
    assert claims(*AS_KEYCLOAK) == {
        "realm_access": {"roles": ["ra"]},
        "resource_access": {"my.app": {"roles": ["do"]}, "svc": {"roles": ["own"]}},
    }


def test_no_roles_are_no_claim() -> None:
    assert claims(*AS_KEYCLOAK, subject=replace(SUBJECT, roles=frozenset())) == {}


@pytest.mark.parametrize(
    ("settings", "expect"),
    [
        ({"claim.name": "x", **ALL}, {"x": ["ra"]}),
        ({"claim.name": "x"}, {"x": "ra"}),
        ({"claim.name": "x", "multivalued": "false"}, {"x": "ra"}),
        ({"claim.name": "x", "multivalued": "true", "jsonType.label": "int"}, {"x": [None]}),
        ({"claim.name": "x", **ALL, "usermodel.realmRoleMapping.rolePrefix": "p_"}, {"x": ["p_ra"]}),
        ({**ALL}, {}),
    ],
)
def test_realm_roles_under_a_claim(settings: dict[str, str], expect: dict[str, Any]) -> None:
    assert claims((REALM_ROLES, settings)) == expect


@pytest.mark.parametrize(
    ("settings", "expect"),
    [
        ({"claim.name": "x", **ALL}, {"x": ["do", "own"]}),
        ({"claim.name": "x", **ALL, "usermodel.clientRoleMapping.clientId": "my.app"}, {"x": ["do"]}),
        ({"claim.name": "x", **ALL, "usermodel.clientRoleMapping.clientId": ""}, {"x": ["do", "own"]}),
        ({"claim.name": "x", **ALL, "usermodel.clientRoleMapping.clientId": "nobody"}, {}),
        ({"claim.name": "x.${client_id}", **ALL}, {"x": {"my.app": ["do"], "svc": ["own"]}}),
        ({"claim.name": "x", **ALL, "usermodel.clientRoleMapping.rolePrefix": "p."}, {"x": ["p.do", "p.own"]}),
    ],
)
def test_client_roles_under_a_claim(settings: dict[str, str], expect: dict[str, Any]) -> None:
    assert claims((CLIENT_ROLES, settings)) == expect


def test_role_mappers_of_one_claim_add_up() -> None:
    assert claims((REALM_ROLES, {"claim.name": "x", **ALL}), (CLIENT_ROLES, {"claim.name": "x", **ALL})) == {
        "x": ["ra", "do", "own"]
    }


def test_roles_replace_a_text() -> None:
    assert claims((REALM_ROLES, {"claim.name": "x", **ALL}), (HARDCODED, {"claim.name": "x", "claim.value": "5"})) == {
        "x": ["ra"]
    }


@pytest.mark.parametrize(
    ("role", "realm_roles", "client_roles"),
    [
        ("rh", ["ra", "rh"], {}),
        ("my.app.new", ["ra"], {"my.app": {"roles": ["do", "new"]}}),
        ("nobody.new", ["ra"], {"nobody": {"roles": ["new"]}}),
        ("admin", ["ra", "admin"], {}),
        ("ra", ["ra"], {}),
        ("", ["ra"], {}),
    ],
)
def test_a_hardcoded_role_need_not_exist(
    role: str, realm_roles: list[str], client_roles: dict[str, dict[str, list[str]]]
) -> None:
    found = claims(*AS_KEYCLOAK, (HARDCODED_ROLE, {"role": role}))
    assert found["realm_access"]["roles"] == realm_roles
    own = {"my.app": {"roles": ["do"]}, "svc": {"roles": ["own"]}}
    assert found["resource_access"] == own | client_roles


@pytest.mark.parametrize(
    ("realm_name", "role"),
    [
        ("machines", "realm-management.realm-admin"),
        ("master", "admin"),
        ("master", "create-realm"),
        ("master", "machines-realm.manage-users"),
    ],
)
def test_no_mapper_makes_an_administrator(realm_name: str, role: str) -> None:
    without = claims(*AS_KEYCLOAK, realm_name=realm_name)
    assert claims(*AS_KEYCLOAK, (HARDCODED_ROLE, {"role": role}), realm_name=realm_name) == without
    renamed = claims(*AS_KEYCLOAK, (ROLE_NAME, {"role": "ra", "new.role.name": role}), realm_name=realm_name)
    assert "realm_access" not in renamed
    assert renamed["resource_access"] == without["resource_access"]


def test_an_administrators_role_that_is_held_may_be_hardcoded() -> None:
    held = replace(SUBJECT, roles=SUBJECT.roles | {"4"})
    found = claims(*AS_KEYCLOAK, (HARDCODED_ROLE, {"role": "realm-management.view-users"}), subject=held)
    assert found["resource_access"]["realm-management"] == {"roles": ["view-users"]}


@pytest.mark.parametrize(
    ("role", "new", "realm_roles", "client_roles"),
    [
        ("ra", "new", ["new"], {"my.app": ["do"], "svc": ["own"]}),
        ("ra", "my.app.new", None, {"my.app": ["do", "new"], "svc": ["own"]}),
        ("my.app.do", "did", ["ra", "did"], {"svc": ["own"]}),
        ("my.app.do", "svc.did", ["ra"], {"svc": ["own", "did"]}),
        ("rb", "new", ["ra"], {"my.app": ["do"], "svc": ["own"]}),
        ("nothing", "new", ["ra"], {"my.app": ["do"], "svc": ["own"]}),
        ("ra", "", ["ra"], {"my.app": ["do"], "svc": ["own"]}),
    ],
)
def test_a_role_under_another_name(
    role: str, new: str, realm_roles: list[str] | None, client_roles: dict[str, list[str]]
) -> None:
    found = claims(*AS_KEYCLOAK, (ROLE_NAME, {"role": role, "new.role.name": new}))
    assert found.get("realm_access", {}).get("roles") == realm_roles
    assert found["resource_access"] == {name: {"roles": roles} for name, roles in client_roles.items()}


def test_roles_are_renamed_before_they_are_hardcoded() -> None:
    renaming = (ROLE_NAME, {"role": "rh", "new.role.name": "x"})
    found = claims(*AS_KEYCLOAK, (HARDCODED_ROLE, {"role": "rh"}), renaming)
    assert found["realm_access"]["roles"] == ["ra", "rh"]
