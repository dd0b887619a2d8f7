"""What RFC 6749 demands of the token endpoint, whatever the grant."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.realm import RealmUnderTest, make_realm
from harness.realm_server import RealmServer

SVC = ("svc", "svc-secret")
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmUnderTest]:
    made = make_realm(tmp_path_factory.mktemp("token"))
    made.add_client(client_id="svc", secret="svc-secret", service_accounts_enabled=True)
    made.add_client(client_id="idle", secret="idle-secret", direct_access_grants_enabled=True)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def server(realm: RealmUnderTest) -> RealmServer:
    return RealmServer(realm)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_tokens_are_asked_for_by_post_alone(server: RealmServer, method: str) -> None:
    """§3.2."""
    assert server.protocol(method, "token", params=GRANT, auth=SVC).status_code == 405


def test_tokens_are_not_asked_for_in_the_clear(server: RealmServer) -> None:
    """§3.2: TLS, unless the caller is on a private network."""
    answer = server.protocol("POST", "token", data=GRANT, auth=SVC, base_url="http://keyturn.test")
    assert (answer.status_code, answer.json()["error_description"]) == (403, "HTTPS required")


def test_an_answer_with_a_token_says_what_it_must(server: RealmServer) -> None:
    """§5.1."""
    answer = server.protocol("POST", "token", data=GRANT, auth=SVC)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert {"access_token", "token_type", "expires_in", "scope"} <= answer.json().keys()
    assert "refresh_token" not in answer.json()  # §4.4.3


ERRORS: dict[str, tuple[dict[str, str], tuple[str, str], int]] = {
    "invalid_request": ({}, SVC, 400),
    "invalid_client": (GRANT, ("nobody", "x"), 401),
    "unauthorized_client": (GRANT, ("idle", "idle-secret"), 401),
    "unsupported_grant_type": ({"grant_type": "x"}, SVC, 400),
    "invalid_scope": (GRANT | {"scope": "x"}, SVC, 400),
    "invalid_grant": ({"grant_type": "refresh_token", "refresh_token": "x"}, SVC, 400),
}
"""The status is Keycloak's; a realm can have that of the RFC (``test_strict_realms``)."""


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_one_of_those_that_there_are(server: RealmServer, error: str) -> None:
    """§5.2."""
    form, auth, status = ERRORS[error]
    answer = server.protocol("POST", "token", data=form, auth=auth)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["content-type"] == "application/json"
    text = answer.json()["error_description"]
    assert all(" " <= character <= "~" and character not in '"\\' for character in text)


def test_no_answer_is_kept_by_anybody(server: RealmServer) -> None:
    """§5.1."""
    requests: list[dict[str, Any]] = [{"data": GRANT, "auth": SVC}]
    requests += [{"data": form, "auth": auth} for form, auth, _ in ERRORS.values()]
    for request in requests:
        answer = server.protocol("POST", "token", **request)
        assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
