"""A week of work in minutes: is memory flat, and the database?

    make soak

Rounds of tokens, admin writes and logins on one server with short sessions: clients are made, changed, used, removed;
people log in, refresh, and log out or leave. After each round the resident memory and the size of the database are
printed; at the end the last third of the rounds is compared with the third before it. By default a million tokens of
one client, ten thousand admin writes and ten thousand logins. ``--clients 10000 --writes 0 --logins 0`` says what ten
thousand clients take that ask for tokens in turn.
"""

import argparse
import http.client
import json
import secrets
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import Load, token_request
from benchmarks.servers import ADMIN, REALM, Server, client_form, prepare, serve, token

WORKERS = 4
SESSION_SECONDS = 20
GROWTH = 1.05
"""How much more the last third may hold than the one before."""


@dataclass(frozen=True)
class Sample:
    """What the server holds after a round."""

    megabytes: float
    database: int


class Caller:
    """One kept-alive connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._token = ""
        self._until = 0.0

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes, str]:
        """Status, body and Location of the answer."""
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("Location", "")

    def form(self, path: str, fields: dict[str, str]) -> tuple[int, Any]:
        """Posts a form to an endpoint of the realm."""
        status, body, _ = self.send(
            "POST",
            f"/realms/bench/protocol/openid-connect/{path}",
            urllib.parse.urlencode(fields).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        return status, json.loads(body) if body else None

    def admin(self, method: str, path: str, document: Any = None) -> str:
        """One call of the admin API; the Location. Raises RuntimeError unless it is done."""
        if time.monotonic() > self._until:
            form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN}
            self._token = token(self._server, form | {"password": self._server.password}, "master")
            self._until = time.monotonic() + 30
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        body = None if document is None else json.dumps(document).encode()
        status, content, location = self.send(method, f"/admin/realms/bench/{path}", body, headers)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {content[:200]!r}")
        return location.rpartition("/")[2]


def write(caller: Caller, number: int) -> None:
    """Five writes: a client is made, changed twice, given a new secret, and removed."""
    client = caller.admin("POST", "clients", {"clientId": f"soak-{number}", "serviceAccountsEnabled": True})
    caller.admin("PUT", f"clients/{client}", {"description": "changed"})
    caller.admin("POST", f"clients/{client}/client-secret")
    caller.admin("PUT", f"clients/{client}", {"attributes": {"access.token.lifespan": "60"}})
    caller.admin("DELETE", f"clients/{client}")


def login(caller: Caller, number: int) -> None:
    """A login and a refresh; every second person logs out, the others are forgotten."""
    person = {"username": f"person-{number % 20}", "password": "soak"}
    status, body = caller.form("token", {"grant_type": "password", "client_id": "admin-cli"} | person)
    if status != 200:
        raise RuntimeError(f"login: {status} {body}")
    refresh = {"client_id": "admin-cli", "refresh_token": body["refresh_token"]}
    status, body = caller.form("token", {"grant_type": "refresh_token"} | refresh)
    if status != 200:
        raise RuntimeError(f"refresh: {status} {body}")
    if number % 2:
        caller.form("logout", refresh | {"refresh_token": body["refresh_token"]})


def in_parallel(server: Server, work: Callable[[Caller, int], None], numbers: range) -> None:
    """Does `work` for all `numbers`, on several connections."""

    def share(first: int) -> None:
        caller = Caller(server)
        for number in numbers[first::WORKERS]:
            work(caller, number)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(share, range(WORKERS)))


def database_bytes(data: Path) -> int:
    return sum(file.stat().st_size for file in data.glob("keyturn.db*"))


def forms(server: Server, secret: str, clients: int) -> list[dict[str, str]]:
    """The requests of so many clients, which are made for it beside the first."""
    caller, first = Caller(server), client_form("ES256", secret)
    names = [f"asking-{number}" for number in range(1, clients)]
    algorithm = {"attributes": {"access.token.signed.response.alg": "ES256"}}
    for name in names:
        caller.admin(
            "POST", "clients", {"clientId": name, "secret": secret, "serviceAccountsEnabled": True, **algorithm}
        )
    return [first, *(first | {"client_id": name} for name in names)]


def rounds(server: Server, data: Path, secret: str, options: argparse.Namespace) -> Iterator[Sample]:
    load = Load(server.port, [token_request(REALM, form) for form in forms(server, secret, options.clients)])
    tokens = writes = logins = 0
    for number in range(options.rounds):
        while tokens < options.tokens * (number + 1) // options.rounds:
            tokens += load.run(16, 2).count
        in_parallel(server, write, range(writes, options.writes // 5 * (number + 1) // options.rounds))
        writes = options.writes // 5 * (number + 1) // options.rounds
        in_parallel(server, login, range(logins, options.logins * (number + 1) // options.rounds))
        logins = options.logins * (number + 1) // options.rounds
        sample = Sample(server.resident_megabytes(), database_bytes(data))
        print(
            f"{tokens:,} tokens, {writes * 5:,} admin writes, {logins:,} logins: "
            f"{sample.megabytes:.1f} MB resident, {sample.database / 1024:,.0f} KB on disk",
            flush=True,
        )
        yield sample


def is_flat(values: list[float]) -> bool:
    """Whether the last third is no more than the third before it."""
    third = max(1, len(values) // 3)
    return statistics.mean(values[-third:]) <= GROWTH * statistics.mean(values[-2 * third : -third])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--logins", type=int, default=10_000)
    options = parser.parse_args()
    secret, password = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        with serve(data, password, "--housekeeping-interval", str(SESSION_SECONDS)) as server:
            prepare(server, secret)
            caller = Caller(server)
            caller.admin(
                "PUT", "", {"ssoSessionIdleTimeout": SESSION_SECONDS, "ssoSessionMaxLifespan": SESSION_SECONDS}
            )
            for number in range(20):
                person = {"username": f"person-{number}", "enabled": True, "email": f"{number}@example.com"}
                names = {"firstName": "A", "lastName": "B"}
                password_now = {"credentials": [{"type": "password", "value": "soak"}]}
                caller.admin("POST", "users", person | names | password_now)
            samples = list(rounds(server, data, secret, options))
    memory = is_flat([sample.megabytes for sample in samples])
    database = is_flat([float(sample.database) for sample in samples])
    print(f"memory is {'flat' if memory else 'GROWING'}, the database is {'flat' if database else 'GROWING'}")
    return 0 if memory and database else 1


if __name__ == "__main__":
    sys.exit(main())
