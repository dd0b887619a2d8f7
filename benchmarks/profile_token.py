"""Where the time of one token request goes, between the arrival of its bytes and the writing of the answer.

    make bench-profile

Feeds a request to the connection's protocol class in this process, over and over, with the limits, events, metrics and
headers of a real server and no network; so what is left is keyturn's own work, the parser's, and signing. Prints
microseconds a request, the fastest of many rounds, then the functions that took the longest.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from uvicorn.config import Config
from uvicorn.server import ServerState

from keyturn.admin.client_changes import Fresh
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.realm_creation import create_realm
from keyturn.events.log import LogSink
from keyturn.events.recorder import Recorder
from keyturn.http.at_once import from_memory
from keyturn.http.metrics import Metrics, Sinks
from keyturn.http.oauth2 import TokenService
from keyturn.http.origin import Forwarding
from keyturn.http.protocol import Connections
from keyturn.http.realms import RealmService
from keyturn.http.repeated import RepeatedRequests
from keyturn.http.services import Services
from keyturn.http.token_protocol import TokenProtocol
from keyturn.jose.jwk import PrivateKey
from keyturn.oauth2.spi import MakeKey
from keyturn.registry.facts import FactFinder
from keyturn.registry.registry import Registry
from keyturn.representations import ClientRepresentation, RealmRepresentation
from keyturn.store.backends import sqlite
from keyturn.store.recording import saver
from keyturn.store.seal_key import SealKeys

ROUNDS = 40
REQUESTS = 250
BODY = b"grant_type=client_credentials&client_id=bench&client_secret=a-secret-of-some-length-as-they-are"
HEAD = (
    b"POST /realms/bench/protocol/openid-connect/token HTTP/1.1\r\nhost: localhost:8080\r\n"
    b"content-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n"
    b"user-agent: bench/1.0\r\ncontent-length: %d\r\n\r\n"
)


class Transport(asyncio.Transport):
    """Takes what is written, and forgets all but the last of it."""

    written = b""

    def write(self, data: Any) -> None:
        self.written = data

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 50000), "sockname": ("127.0.0.1", 8080)}.get(name, default)

    def is_closing(self) -> bool:
        return False


def services(data: Path, algorithm: str) -> tuple[Services, Metrics]:
    """A realm with one client in a database in `data`, and what serves it."""
    store = sqlite.open_store(data / "keyturn.db", SealKeys(data), time.time)
    fresh = Fresh(random_id, random_secret, time.time())
    create_realm(store, RealmRepresentation(realm="master", enabled=True), fresh=fresh, random=os.urandom)
    client = ClientRepresentation(
        client_id="bench",
        secret="a-secret-of-some-length-as-they-are",
        service_accounts_enabled=True,
        attributes={"access.token.signed.response.alg": algorithm},
    )
    realm = RealmRepresentation(realm="bench", enabled=True, clients=[client])
    create_realm(store, realm, fresh=fresh, random=os.urandom)
    recorder = Recorder(saver(store, random_id))
    metrics = Metrics(recorder)
    registry = Registry(store)
    made = Services(
        store=store,
        registry=registry,
        facts=FactFinder(store, registry, time.time, os.urandom),
        forwarding=Forwarding(),
        events=Sinks(LogSink(), metrics, recorder),
        clock=time.time,
        random=os.urandom,
    )
    return made, metrics


def fastest(act: Callable[[], object]) -> float:
    """Microseconds of one call, in the fastest round."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(REQUESTS):
            act()
        best = min(best, time.perf_counter() - begun)
    return best / REQUESTS * 1e6


async def measure(algorithm: str, functions: int) -> None:
    """Prints what one request costs with tokens of `algorithm`."""
    with tempfile.TemporaryDirectory() as directory:
        made, metrics = services(Path(directory), algorithm)
        tokens = TokenService(made)

        async def app(*_: Any) -> None:
            raise AssertionError("a request was not answered from memory")

        protocol = TokenProtocol(
            config=Config(app, log_config=None),
            server_state=ServerState(),
            app_state={},
            at_once=from_memory(tokens, RealmService(made)),
            count=metrics.count,
            connections=Connections(1024),
            repeated=RepeatedRequests(os.urandom(32)),
        )
        transport = Transport()
        protocol.connection_made(transport)
        request = HEAD % len(BODY) + BODY
        made.registry.load_realm("bench")
        made.registry.load_client("bench", "bench")
        entry = made.registry.realm("bench")
        assert entry is not None
        if algorithm not in entry.realm.keys.signing:
            made.facts.resolve(entry.realm, MakeKey(algorithm))
            entry = made.registry.load_realm("bench")
            made.registry.load_client("bench", "bench")
            assert entry is not None
        key = entry.realm.keys.signing[algorithm]
        one = partial(protocol.data_received, request)
        whole, signing = fastest(one), fastest(partial(_sign, key))
        assert transport.written.startswith(b"HTTP/1.1 200"), transport.written[:200]
        print(f"{algorithm}: {whole:.1f} us a request, {signing:.1f} of them for signing, {whole - signing:.1f} else")
        if functions:
            profile = cProfile.Profile()
            profile.enable()
            for _ in range(REQUESTS * 8):
                one()
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(functions)


def _sign(key: PrivateKey) -> bytes:
    return key.sign(b"x" * 900)


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithm", action="append", help="default: RS256 and ES256")
    parser.add_argument("--functions", type=int, default=25, help="how many functions to list")
    options = parser.parse_args()
    for algorithm in options.algorithm or ["RS256", "ES256"]:
        asyncio.run(measure(algorithm, options.functions))


if __name__ == "__main__":
    uvloop.install()
    main()
