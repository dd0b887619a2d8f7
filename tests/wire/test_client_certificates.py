"""Clients that show a certificate (RFC 8705), behind a proxy that passes it on, as Keycloak 26.7.3 answers them."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from harness.certificates import certificate, pem, rfc9440
from harness.proofs import Holder
from harness.realm import RealmUnderTest, make_realm
from harness.realm_server import RealmServer
from keyturn.http.client_certificates import ClientCertificates
from keyturn.jose import jwt
from keyturn.jose.client_certificate import read_certificate

GOOD, OTHER, EXPIRED = certificate(), certificate("other"), certificate(days=-5)
NAME = "CN=backend,O=Acme\\, Inc,C=DE"
INVALID = (401, "invalid_client", "Invalid client or Invalid client credentials")
CONFIRMATION = {"x5t#S256": read_certificate(pem(GOOD)).thumbprint}
NO_MATCH = "Client certificate missing, or its thumbprint and one in the token did NOT match"
SVC = ("svc", "s")

NO_PATTERNS = {"no-pattern": "(", "nested": "(?:" * 240 + "a" + ")" * 240, "endless": "(?R)"}
"""The last two would take a stack and memory without end."""


def by_certificate(realm: RealmUnderTest, client_id: str, **attributes: str) -> None:
    named = {name.replace("_", "."): value for name, value in attributes.items()}
    realm.add_client(
        client_id=client_id, client_authenticator_type="client-x509", service_accounts_enabled=True, attributes=named
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    realm = make_realm(tmp_path_factory.mktemp("certificates"))
    exact = {"x509_allow_regex_pattern_comparison": "false"}
    by_certificate(realm, "exact", x509_subjectdn=NAME, **exact)
    by_certificate(realm, "pattern", x509_subjectdn="(.*?)CN=backend(.*?)")
    by_certificate(realm, "issued", x509_subjectdn=NAME, x509_casubjectdn=NAME, **exact)
    by_certificate(realm, "issued-elsewhere", x509_subjectdn=NAME, x509_casubjectdn="CN=CA", **exact)
    by_certificate(realm, "nobody", x509_subjectdn="")
    by_certificate(realm, "no-name", x509_subjectdn="garbage", **exact)
    for client_id, pattern in NO_PATTERNS.items():
        by_certificate(realm, client_id, x509_subjectdn=pattern)
    bound = {"tls.client.certificate.bound.access.tokens": "true"}
    own: dict[str, Any] = {"attributes": bound, "service_accounts_enabled": True, "direct_access_grants_enabled": True}
    realm.add_client(client_id="svc", secret="s", **own)
    realm.add_client(client_id="app", public_client=True, direct_access_grants_enabled=True, attributes=bound)
    realm.add_person("ada", "engine")
    yield RealmServer(realm, ClientCertificates("rfc9440", [ip_network("192.0.2.7")]))
    realm.store.close()


def ask(
    server: RealmServer, shown: x509.Certificate | None, auth: tuple[str, str] | None = None, /, **form: str
) -> httpx.Response:
    headers = {} if shown is None else rfc9440(shown)
    form = {"grant_type": "client_credentials"} | form
    return server.protocol("POST", "token", data=form, auth=auth, headers=headers)


def refused(response: httpx.Response) -> tuple[int, str, str]:
    body = response.json()
    return response.status_code, body["error"], body["error_description"]


@pytest.mark.parametrize("client_id", ["exact", "pattern", "issued"])
def test_a_client_is_who_its_certificate_names(shared: RealmServer, client_id: str) -> None:
    claims = jwt.parse(ask(shared, GOOD, client_id=client_id).json()["access_token"]).claims
    assert claims["azp"] == client_id
    assert "cnf" not in claims
    introspected = shared.protocol("POST", "token/introspect", data={"token": "x", "client_id": client_id})
    assert introspected.status_code == 401


@pytest.mark.parametrize("shown", [OTHER, EXPIRED, None], ids=["another's", "an expired one", "none"])
@pytest.mark.parametrize("client_id", ["exact", "pattern", "issued"])
def test_a_client_with_another_certificate_is_refused(
    shared: RealmServer, client_id: str, shown: x509.Certificate | None
) -> None:
    assert refused(ask(shared, shown, client_id=client_id)) == INVALID


@pytest.mark.parametrize("client_id", ["issued-elsewhere", "nobody", "unknown"])
def test_a_client_that_the_certificate_does_not_name_is_refused(shared: RealmServer, client_id: str) -> None:
    assert refused(ask(shared, GOOD, client_id=client_id)) == INVALID


@pytest.mark.parametrize("client_id", ["no-name", *NO_PATTERNS])
def test_a_setting_that_makes_no_sense_lets_nobody_in(shared: RealmServer, client_id: str) -> None:
    answer = refused(ask(shared, GOOD, client_id=client_id))
    assert answer == (400, "unauthorized_client", "Unexpected error when authenticating client")


def test_the_client_is_named_in_the_form_or_the_query(shared: RealmServer) -> None:
    headers, form = rfc9440(GOOD), {"grant_type": "client_credentials"}
    assert shared.protocol("POST", "token?client_id=exact", data=form, headers=headers).status_code == 200
    answer = ask(shared, GOOD, ("exact", "x"))
    assert refused(answer) == (400, "invalid_client", "Missing client_id parameter")
    assert refused(ask(shared, GOOD)) == INVALID


def test_a_certificate_proves_nothing_of_a_client_with_a_secret(shared: RealmServer) -> None:
    assert refused(ask(shared, GOOD, client_id="svc"))[:2] == (401, "unauthorized_client")


def test_tokens_are_bound_to_the_certificate(shared: RealmServer) -> None:
    missing = (400, "invalid_request", "Client Certification missing for MTLS HoK Token Binding")
    assert refused(ask(shared, None, SVC)) == missing
    token = ask(shared, GOOD, SVC, scope="openid").json()
    assert token["token_type"] == jwt.parse(token["access_token"]).claims["typ"] == "Bearer"
    assert jwt.parse(token["access_token"]).claims["cnf"] == CONFIRMATION
    again = jwt.parse(ask(shared, GOOD, SVC).json()["access_token"]).claims
    other = jwt.parse(ask(shared, OTHER, SVC).json()["access_token"]).claims
    assert again["cnf"] == CONFIRMATION != other["cnf"]
    for shown, status in ((GOOD, 200), (OTHER, 401), (None, 401)):
        headers = {"Authorization": f"Bearer {token['access_token']}"} | ({} if shown is None else rfc9440(shown))
        answer = shared.protocol("GET", "userinfo", headers=headers)
        assert answer.status_code == status
        if status == 401:
            assert NO_MATCH in answer.headers["www-authenticate"]


@pytest.mark.parametrize("auth", [SVC, None], ids=["confidential", "public"])
def test_refresh_tokens_are_bound_to_the_certificate(shared: RealmServer, auth: tuple[str, str] | None) -> None:
    who = {} if auth else {"client_id": "app"}
    form = {"grant_type": "password", "username": "ada", "password": "engine"} | who
    token = ask(shared, GOOD, auth, **form).json()["refresh_token"]
    assert jwt.parse(token).claims["cnf"] == CONFIRMATION
    again = {"grant_type": "refresh_token", "refresh_token": token} | who
    for shown in (OTHER, None):
        assert refused(ask(shared, shown, auth, **again)) == (401, "unauthorized_client", NO_MATCH)
    logout = shared.protocol("POST", "logout", data={"refresh_token": token} | who, auth=auth)
    assert refused(logout) == (401, "unauthorized_client", NO_MATCH)
    renewed = ask(shared, GOOD, auth, **again).json()
    assert jwt.parse(renewed["refresh_token"]).claims["cnf"] == CONFIRMATION
    left = shared.protocol("POST", "logout", data={"refresh_token": token} | who, auth=auth, headers=rfc9440(GOOD))
    assert left.status_code == 204


def test_a_certificate_takes_the_place_of_a_proofs_key(shared: RealmServer) -> None:
    holder = Holder(f"{shared.issuer}/protocol/openid-connect/")
    headers = rfc9440(GOOD) | {"DPoP": holder.proof("POST", "token")}
    form = {"grant_type": "client_credentials"}
    token = shared.protocol("POST", "token", data=form, auth=SVC, headers=headers).json()
    assert token["token_type"] == "DPoP"
    assert jwt.parse(token["access_token"]).claims["cnf"] == CONFIRMATION


def test_nobody_else_may_say_who_the_client_is(shared: RealmServer) -> None:
    elsewhere = RealmServer(shared.realm, ClientCertificates("rfc9440", [ip_network("192.0.2.8")]))
    nowhere = RealmServer(shared.realm)
    for server in (elsewhere, nowhere):
        assert refused(ask(server, GOOD, client_id="exact")) == INVALID
        assert refused(ask(server, GOOD, SVC))[2] == "Client Certification missing for MTLS HoK Token Binding"


def test_a_policy_that_demands_a_certificate_is_satisfied_by_one(tmp_path: Path) -> None:
    realm = make_realm(
        tmp_path,
        client_profiles={
            "profiles": [{"name": "held", "executors": [{"executor": "holder-of-key-enforcer", "configuration": {}}]}]
        },
        client_policies={
            "policies": [
                {
                    "name": "all",
                    "enabled": True,
                    "conditions": [{"condition": "any-client", "configuration": {}}],
                    "profiles": ["held"],
                }
            ]
        },
    )
    bound = {"tls.client.certificate.bound.access.tokens": "true"}
    realm.add_client(client_id="svc", secret="s", service_accounts_enabled=True, attributes=bound)
    server = RealmServer(realm, ClientCertificates("rfc9440", [ip_network("192.0.2.7")]))
    token = ask(server, GOOD, SVC, scope="openid").json()["access_token"]
    assert refused(ask(server, None, SVC))[2] == "Client Certification missing for MTLS HoK Token Binding"
    headers = {"Authorization": f"Bearer {token}"}
    assert server.protocol("GET", "userinfo", headers=headers | rfc9440(GOOD)).status_code == 200
    assert server.protocol("GET", "userinfo", headers=headers).status_code == 401
    realm.store.close()
