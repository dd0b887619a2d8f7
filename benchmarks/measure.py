"""Measures the endpoints of keyturn, and of Keycloak where it is there, in turns with the yardsticks.

All figures are per second of the server's own CPU time: on a shared machine only these and their ratios say anything.
"""

import json
import statistics
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import assertions, servers
from benchmarks.load import Load, Result, request, token_request
from benchmarks.servers import ALGORITHMS, REALM, Server
from benchmarks.yardsticks import openssl_speed, per_cpu_second, python, signing

from keyturn.jose import jwk, jwt

PYTHON = "Python"
"""The yardstick of what signs nothing."""

_PATH = f"/realms/{REALM}/protocol/openid-connect"


@dataclass(frozen=True)
class Options:
    """How long, and with what."""

    rounds: int = 5
    seconds: float = 2.0
    connections: int = 16
    keycloak: bool = True
    warm_up: float = 40.0
    """Seconds that Keycloak's compiler gets."""


@dataclass
class Row:
    """One endpoint of one server, or a yardstick: a figure for each round."""

    name: str
    yardstick: str
    """What its rate is divided by."""
    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests per CPU second."""
        return statistics.median(self.rates)


@dataclass(frozen=True)
class _Case:
    row: Row
    server: Server
    load: Load
    algorithm: str | None


@dataclass(frozen=True)
class Report:
    """What was measured."""

    rows: tuple[Row, ...]
    yardsticks: Mapping[str, Row]
    openssl: Mapping[str, float | None]
    resident: Mapping[str, float]

    def ratios(self, row: Row) -> list[float]:
        """Its rate beside its yardstick's, round by round."""
        return [rate / bare for rate, bare in zip(row.rates, self.yardsticks[row.yardstick].rates, strict=True)]


def measure(options: Options, progress: Callable[[str], None]) -> Report:
    """All rows in turns, `options.rounds` times. Raises RuntimeError for a wrong answer or a bad token."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as running:
        cases = list(_cases(Path(directory), running, options, progress))
        yardsticks = {algorithm: (Row(algorithm, algorithm), signing(algorithm)) for algorithm in ALGORITHMS}
        yardsticks[PYTHON] = (Row(PYTHON, PYTHON), python)
        servers.pin(0, 1)
        for case in cases:
            case.server.pin(0)
            keycloak = case.row.name.startswith("Keycloak")
            case.load.run(options.connections, options.warm_up / 5 if keycloak else 0.5)
        for number in range(options.rounds):
            progress(f"round {number + 1} of {options.rounds}")
            for row, work in yardsticks.values():
                row.rates.append(per_cpu_second(work, options.seconds / 4))
            for case in cases:
                _run(case, options)
        resident = {name: server.resident_megabytes() for name, server in {_name(c): c.server for c in cases}.items()}
    openssl = {algorithm: openssl_speed(algorithm, 1) for algorithm in ALGORITHMS}
    return Report(
        tuple(case.row for case in cases), {name: row for name, (row, _) in yardsticks.items()}, openssl, resident
    )


def _name(case: _Case) -> str:
    return case.row.name.split()[0]


def _run(case: _Case, options: Options) -> None:
    before = case.server.cpu_seconds()
    result = case.load.run(options.connections, options.seconds)
    case.row.rates.append(result.count / (case.server.cpu_seconds() - before))
    case.row.p50.append(result.p50 * 1000)
    case.row.p99.append(result.p99 * 1000)
    if case.algorithm is not None:
        _check(case.server, case.algorithm, result)


def _check(server: Server, algorithm: str, result: Result) -> None:
    """That the tokens of the sample are good, and each is another."""
    keys = {
        key["kid"]: jwk.public_key_from_jwk(key)
        for key in servers.call(f"{server.url}{_PATH}/certs")["keys"]
        if key["use"] == "sig"
    }
    tokens = [json.loads(answer)["access_token"] for answer in result.sample]
    claims = [jwt.verify(each, lambda kid, _: keys.get(kid or ""), frozenset({algorithm})) for each in tokens]
    if len({each["jti"] for each in claims}) != len(tokens):
        raise RuntimeError("a token came twice")


def _cases(directory: Path, running: ExitStack, options: Options, progress: Callable[[str], None]) -> Iterator[_Case]:
    secret = servers.new_secret()

    def keyturn(name: str, *settings: str) -> Server:
        (directory / name).mkdir()
        server = running.enter_context(servers.serve(directory / name / "data", secret, *settings))
        servers.prepare(server, secret)
        return server

    progress("starting keyturn")
    server = keyturn("default")
    alone = keyturn("alone", "--batch-signing", "off")
    workers = keyturn("workers", "--workers", "2")
    for algorithm in ALGORITHMS:
        load = Load(server.port, [_token(algorithm, secret)])
        yield _Case(Row(f"keyturn {algorithm}", algorithm), server, load, algorithm)
    load = Load(server.port, assertions.signer(server))
    yield _Case(Row("keyturn ES256, signed assertion", "ES256"), server, load, "ES256")
    load = Load(alone.port, [_token("RS256", secret)])
    yield _Case(Row("keyturn RS256, one by one", "RS256"), alone, load, "RS256")
    load = Load(workers.port, [_token("ES256", secret)])
    yield _Case(Row("keyturn ES256, two workers", "ES256"), workers, load, "ES256")
    for algorithm in ALGORITHMS:
        load = Load(server.https_port, [_token(algorithm, secret)], context=server.context)
        yield _Case(Row(f"keyturn {algorithm}, TLS kept alive", algorithm), server, load, algorithm)
    yield from _without_signing("keyturn", server, secret)
    if options.keycloak:
        progress("starting Keycloak")
        server = running.enter_context(servers.keycloak())
        servers.prepare(server, secret)
        for algorithm in ALGORITHMS:
            load = Load(server.port, [_token(algorithm, secret)])
            yield _Case(Row(f"Keycloak {algorithm}", algorithm), server, load, algorithm)
        yield from _without_signing("Keycloak", server, secret)


def introspection(server: Server, secret: str) -> tuple[list[bytes], bytes]:
    """The request that asks about another client's token, and the mark of its answer."""
    issued = servers.token(server, servers.client_form("caller", secret))
    host = f"127.0.0.1:{server.port}"  # the issuer follows it
    form = urllib.parse.urlencode({"token": issued} | servers.client_form("RS256", secret)).encode()
    return [request("POST", f"{_PATH}/token/introspect", form, host)], b'"active":true'


def _without_signing(name: str, server: Server, secret: str) -> Iterator[_Case]:
    asked, mark = introspection(server, secret)
    requests = {
        "introspection": (*asked, mark),
        "JWKS": (request("GET", f"{_PATH}/certs"), b'"keys":['),
        "discovery": (request("GET", f"/realms/{REALM}/.well-known/openid-configuration"), b'"issuer":"'),
    }
    for endpoint, (sent, mark) in requests.items():
        yield _Case(Row(f"{name} {endpoint}", PYTHON), server, Load(server.port, [sent], mark), None)


def _token(algorithm: str, secret: str) -> bytes:
    return token_request(REALM, servers.client_form(algorithm, secret))
