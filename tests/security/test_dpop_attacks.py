"""Who has a bound token, or a proof that somebody else made, has nothing (RFC 9449 §11)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.deployment import BASE_URL, PASSWORD, Deployment
from harness.proofs import Holder
from harness.realm import NOW
from keyturn.jose import jwt

AT_ONCE = 4
LOGIN = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": PASSWORD}
REALMS = "/admin/realms"
ENDPOINTS = f"{BASE_URL}/realms/master/protocol/openid-connect/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment.new(tmp_path_factory.mktemp("dpop"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def holder() -> Holder:
    return Holder(ENDPOINTS)


@pytest.fixture(scope="module")
def token(server: Deployment, holder: Holder) -> str:
    """An administrator's token, bound to the holder's key."""
    answer = log_in(server, holder.proof("POST", "token"))
    assert answer["token_type"] == "DPoP"
    return str(answer["access_token"])


def log_in(server: Deployment, proof: str) -> dict[str, Any]:
    answer: dict[str, Any] = server.protocol("token", LOGIN, realm="master", headers={"DPoP": proof}).json()
    return answer


def admin(server: Deployment, headers: dict[str, str], path: str = REALMS) -> int:
    return server.request("GET", path, headers=headers).status_code


def test_the_holder_of_the_key_is_let_in(server: Deployment, holder: Holder, token: str) -> None:
    for scheme in ("DPoP", "dpop"):
        headers = holder.headers("GET", BASE_URL + REALMS, token) | {"Authorization": f"{scheme} {token}"}
        assert admin(server, headers, f"{REALMS}?briefRepresentation=true") == 200


def test_a_stolen_token_opens_nothing(server: Deployment, holder: Holder, token: str) -> None:
    thief = Holder(ENDPOINTS)
    assert admin(server, {"Authorization": f"Bearer {token}"}) == 401
    assert admin(server, {"Authorization": f"DPoP {token}"}) == 401
    assert admin(server, thief.headers("GET", BASE_URL + REALMS, token)) == 401
    with_proof = holder.headers("GET", BASE_URL + REALMS, token) | {"Authorization": f"Bearer {token}"}
    assert admin(server, with_proof) == 401


def test_a_proof_of_another_method_url_or_token_opens_nothing(server: Deployment, holder: Holder, token: str) -> None:
    url = BASE_URL + REALMS
    other = log_in(server, holder.proof("POST", "token"))["access_token"]
    for proof in (
        holder.proof("POST", url, access_token=token),
        holder.proof("GET", url + "/master", access_token=token),
        holder.proof("GET", url.replace("keyturn.test", "evil.test"), access_token=token),
        holder.proof("GET", url, access_token=other),
        holder.proof("GET", url),
    ):
        assert admin(server, {"Authorization": f"DPoP {token}", "DPoP": proof}) == 401


def test_an_old_proof_and_one_from_the_future_open_nothing(server: Deployment, holder: Holder, token: str) -> None:
    for now in (NOW - 300, NOW - 25, NOW + 16, NOW + 10**9):
        assert admin(server, holder.headers("GET", BASE_URL + REALMS, token, now=now)) == 401


def test_a_plain_token_is_not_made_a_bound_one(server: Deployment, holder: Holder) -> None:
    plain = server.administrator()
    assert admin(server, holder.headers("GET", BASE_URL + REALMS, plain)) == 401
    assert admin(server, {"Authorization": f"Bearer {plain}", "DPoP": "nonsense"}) == 200


@pytest.mark.parametrize("where", ["token", "admin"])
def test_a_proof_that_is_replayed_at_once_counts_once(
    server: Deployment, holder: Holder, token: str, where: str
) -> None:
    async def all_together() -> list[int]:
        transport = httpx.ASGITransport(server.app, client=("192.0.2.7", 40000))
        async with httpx.AsyncClient(transport=transport) as client:
            if where == "token":
                headers = holder.headers("POST", "token")
                calls = [client.post(f"{ENDPOINTS}token", data=LOGIN, headers=headers) for _ in range(AT_ONCE)]
            else:
                headers = holder.headers("GET", BASE_URL + REALMS, token)
                calls = [client.get(BASE_URL + REALMS, headers=headers) for _ in range(AT_ONCE)]
            return [answer.status_code for answer in await asyncio.gather(*calls)]

    refused = 400 if where == "token" else 401
    assert sorted(asyncio.run(all_together())) == [200, *[refused] * (AT_ONCE - 1)]


def test_a_proof_is_used_up_for_the_next_server_too(tmp_path: Path, holder: Holder) -> None:
    before = Deployment.new(tmp_path)
    proof = holder.proof("POST", "token")
    assert "access_token" in log_in(before, proof)
    before.close()
    after = Deployment.on(tmp_path)
    assert log_in(after, proof)["error_description"] == "DPoP proof has already been used"
    after.close()


def test_a_refused_request_with_a_used_proof_says_no_more_than_that(server: Deployment, holder: Holder) -> None:
    # Else a proof that was overheard would do to guess passwords with.
    form = LOGIN | {"password": "guess"}
    headers = {"DPoP": holder.proof("POST", "token")}
    answers = [server.protocol("token", form, realm="master", headers=headers).json() for _ in range(2)]
    texts = [answer["error_description"] for answer in answers]
    assert texts == ["Invalid user credentials", "DPoP proof has already been used"]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512"])
def test_a_proof_without_a_signature_of_a_key_is_none(server: Deployment, holder: Holder, algorithm: str) -> None:
    good = jwt.parse(holder.proof("POST", "token"))
    header = {**good.header, "alg": algorithm}
    forged = jwt.encode(header, b'{"jti":"1","htm":"POST"}', holder.key).decode()
    for proof in (forged, forged.rpartition(".")[0] + "."):
        assert log_in(server, proof)["error_description"] == f"Unsupported DPoP algorithm: {algorithm}"


def test_a_private_key_in_a_proof_is_refused(server: Deployment, holder: Holder) -> None:
    header = dict(jwt.parse(holder.proof("POST", "token")).header)
    header["jwk"] = {**header["jwk"], "d": "c2VjcmV0"}
    answer = log_in(server, jwt.encode(header, b"{}", holder.key).decode())
    assert answer["error_description"] == "Private key material must not be present in DPoP JWK"
