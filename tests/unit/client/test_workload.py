"""Workloads that show their platform's token, against the server that checks it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.assertions import assertion, jwks, key
from harness.realm import NOW, make_realm
from harness.realm_server import BASE_URL, RealmServer
from keyturn.client import (
    Authentication,
    GitHubActionsToken,
    NoWorkloadToken,
    WorkloadToken,
    client_credentials_request,
)
from keyturn.representations.identity_provider import IdentityProviderRepresentation

ISSUER = "https://platform.example"
SUBJECT = "system:serviceaccount:shop:web"
SVID = "spiffe://example.org/web"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmServer]:
    realm = make_realm(tmp_path_factory.mktemp("realm"), features=frozenset({"spiffe"}))

    def trust(document: Any) -> None:
        config = {"issuer": ISSUER, "keyturn.jwks": jwks(key())}
        domain = {"trustDomain": "spiffe://example.org", "keyturn.jwks": jwks(key(), use="jwt-svid")}
        document.identity_providers = [
            IdentityProviderRepresentation(alias="kube", provider_id="kubernetes", enabled=True, config=config),
            IdentityProviderRepresentation(alias="spire", provider_id="spiffe", enabled=True, config=domain),
        ]

    realm.change_realm(trust)
    for client_id, alias, subject in (("web", "kube", SUBJECT), ("svid", "spire", SVID)):
        attributes = {"jwt.credential.issuer": alias, "jwt.credential.sub": subject}
        realm.add_client(
            client_id=client_id,
            client_authenticator_type="federated-jwt",
            service_accounts_enabled=True,
            attributes=attributes,
        )
    yield RealmServer(realm)
    realm.store.close()


def status(server: RealmServer, authentication: Authentication) -> int:
    request = client_credentials_request(f"{server.issuer}/protocol/openid-connect/token", authentication)
    path = request.url.removeprefix(BASE_URL)
    return server.request("POST", f"/{path}", content=request.body, headers=dict(request.headers)).status_code


def token(server: RealmServer, **claims: Any) -> str:
    return assertion("x", server.issuer, NOW, **({"iss": ISSUER, "sub": SUBJECT} | claims))


def test_a_pods_token_is_read_anew_when_it_changes(server: RealmServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    authentication = WorkloadToken("web", file)
    file.write_text(token(server, exp=NOW - 1) + "\n")
    assert status(server, authentication) == 400
    file.write_text(token(server) + "\n")
    assert status(server, authentication) == 200


def test_a_jwt_svid_goes_as_what_it_is(server: RealmServer, tmp_path: Path) -> None:
    file = tmp_path / "svid"
    file.write_text(token(server, iss=None, sub=SVID, jti=None))
    assert status(server, WorkloadToken("svid", file, spiffe=True)) == 200
    assert status(server, WorkloadToken("svid", file)) == 401


def test_a_file_without_a_token_is_told_without_what_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for content in (None, b"", b"\xff", b"x" * 20_000):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(NoWorkloadToken, match="token"):
            WorkloadToken("web", file).parameters()


def test_github_is_asked_for_a_token_for_the_realm(server: RealmServer) -> None:
    asked: list[tuple[str, str]] = []

    def get(url: str, bearer: str) -> bytes:
        asked.append((url, bearer))
        return json.dumps({"value": token(server)}).encode()

    environment = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.example/id?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "canary",
    }
    found = GitHubActionsToken.from_environment("web", server.issuer, environment)
    job = GitHubActionsToken(found.client_id, found.audience, found.request_url, found.request_token, get)
    assert status(server, job) == 200
    (url, bearer) = asked[0]
    assert url == "https://pipelines.example/id?api-version=2.0&audience=" + server.issuer.replace(":", "%3A").replace(
        "/", "%2F"
    )
    assert bearer == "canary"
    assert "canary" not in repr(job)


def test_a_job_without_a_token_says_so() -> None:
    with pytest.raises(NoWorkloadToken):
        GitHubActionsToken.from_environment("web", "https://realm", {})
    with pytest.raises(ValueError, match="https"):
        GitHubActionsToken("web", "https://realm", "http://elsewhere", "t")

    def refuse(_: str, __: str) -> bytes:
        raise OSError("connection with canary")

    for get in (refuse, lambda *_: b"nonsense", lambda *_: b"[]", lambda *_: b'{"value": 1}'):
        with pytest.raises(NoWorkloadToken) as caught:
            GitHubActionsToken("web", "https://realm", "https://pipelines", "t", get).parameters()
        assert "canary" not in str(caught.value)
