"""A token counts within its times, and not before the moment from which tokens count again."""

from typing import Any

import pytest

from harness.deployment import Deployment, claims_of, forged
from harness.gates import EVERYWHERE, NOWHERE, add_operator, opened, operator_token


def with_claims(server: Deployment, token: str, **claims: Any) -> str:
    """The token anew, signed by the realm, with other claims; None takes one away."""
    members = claims_of(token) | claims
    return forged(server.key(), {name: value for name, value in members.items() if value is not None})


def test_a_token_ends_with_the_second_that_it_names(server: Deployment) -> None:
    add_operator(server)
    token = operator_token(server)
    server.clock.now = claims_of(token)["exp"] - 1
    assert opened(server, token) == EVERYWHERE
    server.clock.now += 1
    assert opened(server, token) == NOWHERE


def test_a_token_that_is_not_yet_valid_opens_nothing(shared_server: Deployment, genuine: str) -> None:
    now = int(shared_server.clock.now)
    assert opened(shared_server, with_claims(shared_server, genuine, nbf=now)) == EVERYWHERE
    assert opened(shared_server, with_claims(shared_server, genuine, nbf=now + 1)) == NOWHERE


@pytest.mark.parametrize("name", ["exp", "nbf"])
@pytest.mark.parametrize("value", ["1900000000", "", True, [1900000000], {}, -1.5], ids=repr)
def test_times_are_numbers(shared_server: Deployment, genuine: str, name: str, value: Any) -> None:
    token = with_claims(shared_server, genuine, **{name: value})
    assert opened(shared_server, token) == (EVERYWHERE if (name, value) == ("nbf", -1.5) else NOWHERE)


def test_a_token_without_an_end_opens_nothing(shared_server: Deployment, genuine: str) -> None:
    assert opened(shared_server, with_claims(shared_server, genuine, exp=None)) == NOWHERE


@pytest.mark.parametrize("whose", ["realm", "client", "user"])
def test_a_token_of_before_a_not_before_opens_nothing(server: Deployment, whose: str) -> None:
    uuid = add_operator(server)
    token = operator_token(server)
    later = int(server.clock.now) + 1
    if whose == "realm":
        assert server.admin("PUT", "/demo", {"notBefore": later}).status_code == 204
    elif whose == "client":
        assert server.admin("PUT", f"/demo/clients/{uuid}", {"notBefore": later}).status_code == 204
    else:
        account = server.admin("GET", f"/demo/clients/{uuid}/service-account-user").json()
        server.clock.now += 1
        assert server.admin("POST", f"/demo/users/{account['id']}/logout").status_code == 204
    assert opened(server, token) == NOWHERE
    server.clock.now = later
    assert opened(server, operator_token(server)) == EVERYWHERE


def test_a_refresh_token_ends_too(server: Deployment) -> None:
    server.person("ada", "password")
    refresh = server.login("ada", "password")["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": refresh}
    server.clock.now = claims_of(refresh)["exp"]
    assert server.protocol("token", form).json()["error"] == "invalid_grant"
