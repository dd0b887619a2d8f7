"""Keys come from the realm alone: what a token's header says of keys (RFC 7515 §4.1.2-8) is never followed."""

import socket
from collections.abc import Mapping
from typing import Any

import pytest

from harness.deployment import Deployment, claims_of, forged
from harness.gates import EVERYWHERE, NOWHERE, add_operator, opened, operator_token
from keyturn.jose import jwk


@pytest.fixture(scope="module")
def stranger() -> jwk.PrivateKey:
    return jwk.generate("RS256", certificate_subject="demo", now=1_700_000_000)


@pytest.fixture
def claims(genuine: str) -> dict[str, Any]:
    return claims_of(genuine)


@pytest.mark.parametrize("with_kid", [True, False])
def test_a_key_in_the_header_is_not_used(
    shared_server: Deployment, claims: Mapping[str, Any], stranger: jwk.PrivateKey, with_kid: bool
) -> None:
    public = stranger.public.jwk()
    kid = shared_server.key().kid if with_kid else stranger.kid
    for header in (
        {"jwk": public},
        {"x5c": public["x5c"]},
        {"jwk": public, "x5c": public["x5c"], "x5t": public["x5t"]},
    ):
        assert opened(shared_server, forged(stranger, claims, kid=kid, **header)) == NOWHERE


@pytest.mark.parametrize("member", ["jku", "x5u"])
def test_an_address_in_the_header_is_not_asked(
    shared_server: Deployment, claims: Mapping[str, Any], stranger: jwk.PrivateKey, member: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/keys"
        assert opened(shared_server, forged(stranger, claims, **{member: url})) == NOWHERE
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize(
    "kid",
    ["", "..", "../../../dev/null", "/dev/null", "' OR '1'='1", "%00", "a" * 1000, None, 5, ["a"], {"a": "b"}],
    ids=lambda kid: repr(kid)[:30],
)
def test_no_key_id_leads_to_another_key(
    shared_server: Deployment, claims: Mapping[str, Any], stranger: jwk.PrivateKey, kid: Any
) -> None:
    assert opened(shared_server, forged(stranger, claims, kid=kid)) == NOWHERE


def test_a_token_without_a_key_id_opens_nothing(shared_server: Deployment, claims: Mapping[str, Any]) -> None:
    """No key is tried out: the realm's tokens name theirs."""
    assert opened(shared_server, forged(shared_server.key(), claims, kid="")) == NOWHERE


def test_an_empty_shared_secret_verifies_nothing(shared_server: Deployment, claims: Mapping[str, Any]) -> None:
    """What reads ``/dev/null`` as a key, or nothing, would take this."""
    empty = jwk.symmetric_key(b"\0", algorithm="HS256", kid=shared_server.key().kid)
    assert opened(shared_server, forged(empty, claims)) == NOWHERE


@pytest.mark.parametrize("critical", [["exp"], ["b64"], []])
def test_critical_headers_are_refused(
    shared_server: Deployment, claims: Mapping[str, Any], critical: list[str]
) -> None:
    """RFC 7515 §4.1.11: what must be understood, and is not."""
    assert opened(shared_server, forged(shared_server.key(), claims, crit=critical, b64=False)) == NOWHERE


def test_a_key_that_was_switched_off_verifies_nothing_more(server: Deployment) -> None:
    add_operator(server)
    token = operator_token(server)
    assert opened(server, token) == EVERYWHERE
    components = server.admin("GET", "/demo/components?type=org.keycloak.keys.KeyProvider").json()
    signs = next(component for component in components if component["providerId"] == "rsa-generated")
    signs["config"]["enabled"] = ["false"]
    assert server.admin("PUT", f"/demo/components/{signs['id']}", signs).status_code == 204
    assert opened(server, token) == NOWHERE
