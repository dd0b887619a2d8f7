"""Tokens that are asked for at the same time and signed together are as good as those that come alone."""

import asyncio
import base64
import json
import os
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from harness.multi_buffer import Arithmetic, real_library
from harness.realm import RealmUnderTest
from harness.realm_server import Recorded
from keyturn.http.app import create_app
from keyturn.http.at_once import from_memory
from keyturn.http.gathered_signing import GatheredSigning
from keyturn.http.health import HealthService
from keyturn.http.listeners import PortServer, bind
from keyturn.http.oauth2 import TokenService
from keyturn.http.origin import Forwarding
from keyturn.http.realms import RealmService
from keyturn.http.repeated import RepeatedRequests
from keyturn.http.services import Services
from keyturn.http.token_protocol import TokenProtocol
from keyturn.jose import jwt
from keyturn.jose.batch import BatchSigner
from keyturn.jose.multi_buffer import MultiBuffer

CALLERS = 24
ALGORITHMS = ("RS256", "RS256", "RS512", "ES256")


@pytest.fixture(params=["library", "arithmetic"])
def library(request: pytest.FixtureRequest) -> MultiBuffer:
    return real_library() if request.param == "library" else Arithmetic()


async def ask(address: Any, realm: str, client_id: str, **headers: str) -> tuple[bytes, dict[str, Any]]:
    """The head and the document of an answer of the token endpoint."""
    form = urlencode({"grant_type": "client_credentials", "client_id": client_id, "client_secret": "secret"})
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection(*address)
    writer.write(
        f"POST /realms/{realm}/protocol/openid-connect/token HTTP/1.1\r\nHost: a\r\n{lines}"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}".encode()
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    writer.close()
    return head, json.loads(body)


def test_every_caller_gets_a_good_token_of_its_own(realm: RealmUnderTest, library: MultiBuffer) -> None:
    for algorithm in set(ALGORITHMS):
        realm.add_client(
            client_id=algorithm,
            secret="secret",
            service_accounts_enabled=True,
            attributes={"access.token.signed.response.alg": algorithm},
            web_origins=["https://page.test"],
        )
    failures: list[str] = []
    signer = BatchSigner(library, lambda: failures.append("wrong"))
    sink = Recorded()
    services = Services(
        store=realm.store,
        registry=realm.registry,
        facts=realm.facts,
        forwarding=Forwarding(),
        events=sink,
        clock=realm.clock,
        random=os.urandom,
    )
    tokens = TokenService(services, signer.takes)
    statuses: list[int] = []
    protocol = partial(
        TokenProtocol,
        at_once=from_memory(tokens, RealmService(services)),
        count=lambda _endpoint, _method, status, _seconds: statuses.append(status),
        repeated=RepeatedRequests(os.urandom(32)),
        signing=GatheredSigning(signer),
    )

    async def all_at_once() -> list[tuple[str, bytes, dict[str, Any]]]:
        listener = bind("--http-port", "127.0.0.1", 0)
        app = create_app(services, HealthService(lambda: None), tokens)
        server = PortServer(listener, app, grace=1, protocol=protocol)
        await server.start()
        try:
            address = listener.sockets[0].getsockname()
            for algorithm in (*ALGORITHMS, *ALGORITHMS):
                await ask(address, realm.name, algorithm)  # who is in memory is answered in the protocol
            statuses.clear()
            sink.events.clear()
            names = [ALGORITHMS[number % len(ALGORITHMS)] for number in range(CALLERS)]
            pages = [{"Origin": "https://page.test"} if number % 7 == 6 else {} for number in range(CALLERS)]
            answers = await asyncio.gather(
                *(ask(address, realm.name, name, **page) for name, page in zip(names, pages, strict=True))
            )
            return [(name, *answer) for name, answer in zip(names, answers, strict=True)]
        finally:
            await server.stop()

    answers = asyncio.run(all_at_once())
    keys = realm.entry.realm.keys.signing
    ids = set()
    for algorithm, head, answer in answers:
        assert head.startswith(b"HTTP/1.1 200 OK\r\ncache-control: no-store\r\n")
        claims = jwt.verify(answer["access_token"], lambda _kid, name: keys[name].public, frozenset({algorithm}))
        assert claims["azp"] == algorithm
        ids.add(claims["jti"])
        signing_input, _, signature = answer["access_token"].rpartition(".")
        if algorithm != "ES256":
            expected = base64.urlsafe_b64encode(keys[algorithm].sign(signing_input.encode())).rstrip(b"=")
            assert signature.encode() == expected
    assert len(ids) == CALLERS
    assert failures == []
    assert statuses == [200] * CALLERS
    assert [event.type for event in sink.events] == ["CLIENT_LOGIN"] * CALLERS
    readable = [b"access-control-allow-origin: https://page.test" in head for _, head, _ in answers]
    assert readable == [number % 7 == 6 for number in range(CALLERS)]
    if isinstance(library, Arithmetic):
        assert max(library.sizes) > 1
