"""Roles and scopes that are required."""

from typing import Any

import pytest

from keyturn.resource_server import InsufficientScope, Requirement, require


@pytest.mark.parametrize(
    "requirement",
    [
        require(realm_role="backend-access"),
        require(client_role=("account", "view-profile")),
        require(client_role=[("account", "view-profile")]),
        require(scope="email"),
        require(scope=["email", "profile"]),
        require(realm_role="backend-access", client_role=("account", "view-profile"), scope="profile"),
    ],
)
def test_a_token_that_carries_everything_is_let_in(issuer: Any, requirement: Requirement) -> None:
    assert issuer.resource_server().accept(f"Bearer {issuer.token()}", requirement)


@pytest.mark.parametrize(
    ("requirement", "description", "scope"),
    [
        (require(realm_role="admin"), "Needs realm role admin", None),
        (require(realm_role=["admin", "backend-access"]), "Needs realm role admin", None),
        (require(client_role=("account", "manage")), "Needs role manage of client account", None),
        (
            require(client_role=("backend-access", "backend-access")),
            "Needs role backend-access of client backend-access",
            None,
        ),
        (require(scope=["write", "email"]), "Needs scope write", "email write"),
        (require(realm_role="view-profile", scope="write"), "Needs realm role view-profile, scope write", "write"),
        (require(scope="mail"), "Needs scope mail", "mail"),
    ],
)
def test_what_is_missing_is_named(issuer: Any, requirement: Requirement, description: str, scope: str | None) -> None:
    with pytest.raises(InsufficientScope) as caught:
        issuer.resource_server().accept(f"Bearer {issuer.token()}", requirement)
    assert (caught.value.description, caught.value.scope) == (description, scope)


@pytest.mark.parametrize(
    "arguments", [{}, {"realm_role": ""}, {"scope": []}, {"client_role": ("account", " ")}, {"scope": ["a", ""]}]
)
def test_a_requirement_that_requires_nothing_is_a_mistake(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="require what"):
        require(**arguments)
