"""A token counts in the realm, under the issuer and at the address that it was made for, and as what it was made."""

import pytest

from harness.deployment import BASE_URL, Deployment, claims_of, forged
from harness.gates import CLIENT, EVERYWHERE, NOWHERE, SECRET, add_operator, opened, operator_token
from keyturn.http.origin import Forwarding


@pytest.fixture
def twin(server: Deployment) -> str:
    """The token of a client of another realm that is, by its names, the operator of demo."""
    server.created("", {"realm": "twin", "enabled": True})
    server.client(CLIENT, SECRET, realm="twin")
    return server.client_token(CLIENT, SECRET, realm="twin", scope="openid")


def test_a_token_of_another_realm_opens_nothing(server: Deployment, twin: str) -> None:
    add_operator(server)
    assert opened(server, twin) == NOWHERE


def test_a_token_that_only_says_it_is_of_this_realm_opens_nothing(server: Deployment, twin: str) -> None:
    add_operator(server)
    claims = claims_of(operator_token(server))
    for header in ({}, {"kid": server.key("demo").kid}):
        assert opened(server, forged(server.key("twin"), claims, **header)) == NOWHERE


def test_a_token_of_this_realms_key_for_another_issuer_opens_nothing(server: Deployment, twin: str) -> None:
    add_operator(server)
    claims = claims_of(operator_token(server))
    for issuer in (
        f"{BASE_URL}/realms/twin",
        f"{BASE_URL}/realms/master",
        f"{BASE_URL}/realms/demo/",
        f"{BASE_URL}/realms/Demo",
        f"{BASE_URL}/realms/%64emo",
        "https://elsewhere.example/realms/demo",
        "/realms/demo",
        "",
    ):
        assert opened(server, forged(server.key(), claims | {"iss": issuer})) == NOWHERE


def test_one_key_in_two_realms_makes_two_issuers(server: Deployment, twin: str) -> None:
    """Whoever imports the same key twice has not merged the realms."""
    add_operator(server)
    assert opened(server, forged(server.key("demo"), claims_of(twin))) == NOWHERE


def test_a_token_counts_only_at_the_host_that_issued_it(server: Deployment) -> None:
    """The issuer follows the Host header, as Keycloak's does: one made under another name is another issuer's."""
    add_operator(server)
    token = operator_token(server)
    for elsewhere in (
        "https://other.test:8443",
        "https://keyturn.test:8444",
        "https://keyturn.test",
        "https://[::1]:8443",
    ):
        assert opened(server, token, base_url=elsewhere) == NOWHERE
        there = server.client_token(CLIENT, SECRET, scope="openid", base_url=elsewhere)
        assert claims_of(there)["iss"] == f"{elsewhere}/realms/demo"
        assert opened(server, there) == NOWHERE
        assert opened(server, there, base_url=elsewhere) == EVERYWHERE


def test_a_fixed_hostname_takes_the_issuer_out_of_callers_hands(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = Deployment.new(tmp_path_factory.mktemp("fixed"), Forwarding(hostname="https://login.example"))
    add_operator(server)
    token = server.client_token(CLIENT, SECRET, scope="openid", base_url="https://evil.example")
    assert claims_of(token)["iss"] == "https://login.example/realms/demo"
    server.close()


@pytest.mark.parametrize("header", ["x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix", "forwarded"])
def test_a_proxys_headers_do_not_move_the_issuer_unless_a_proxy_is_trusted(server: Deployment, header: str) -> None:
    add_operator(server)
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
    value = "host=evil.example;proto=http" if header == "forwarded" else "evil.example"
    answer = server.protocol("token", form, headers={header: value})
    assert claims_of(answer.json()["access_token"])["iss"] == f"{BASE_URL}/realms/demo"


def test_no_token_passes_for_one_of_another_kind(server: Deployment) -> None:
    """RFC 8725 §3.11: an ID token or a refresh token is no access token, and the other way round."""
    uuid = add_operator(server)
    server.admin("PUT", f"/demo/clients/{uuid}", {"attributes": {"client_credentials.use_refresh_token": "true"}})
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": "openid"}
    answer = server.tokens(**form)
    assert opened(server, answer["access_token"]) == EVERYWHERE
    assert opened(server, answer["refresh_token"]) == NOWHERE
    assert opened(server, answer["id_token"]) - {"introspection"} == NOWHERE  # Keycloak introspects ID tokens, too
    for token in (answer["access_token"], answer["id_token"]):
        refresh = {"grant_type": "refresh_token", "client_id": CLIENT, "client_secret": SECRET, "refresh_token": token}
        assert server.protocol("token", refresh).json()["error"] == "invalid_grant"


def test_a_refresh_token_serves_its_own_client_and_realm_alone(server: Deployment, twin: str) -> None:
    server.person("ada", "password")
    server.client("other", "secret", directAccessGrantsEnabled=True)
    refresh = server.login("ada", "password")["refresh_token"]
    theirs = {"grant_type": "refresh_token", "client_id": "other", "client_secret": "secret", "refresh_token": refresh}
    assert server.protocol("token", theirs).json()["error"] == "invalid_grant"
    abroad = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": refresh}
    assert server.protocol("token", abroad, realm="twin").json()["error"] == "invalid_grant"
    assert server.protocol("token", abroad).status_code == 200


def test_a_token_is_introspected_for_its_audience_alone(server: Deployment) -> None:
    add_operator(server)
    server.client("curious", "secret")
    form = {"token": operator_token(server), "client_id": "curious", "client_secret": "secret"}
    assert server.protocol("token/introspect", form).json() == {"active": False}
