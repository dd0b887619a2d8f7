"""What does it cost to have much: clients, realms, roles? Each case beside the smallest, measured in turns.

    make bench-growth

For every case a server of its own runs on a database that holds so much. Printed are, beside the smallest case: the CPU
time of a token; of creating a client, changing one, and of one page of the lists of clients, users and roles; the
latency of tokens while a client is changed every second; and the time from process start to the first token.

Filling the databases takes longer than measuring: ``--directory`` keeps them, and ``--fill`` does nothing else.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks import population, servers
from benchmarks.load import Load, token_request
from benchmarks.population import name_of
from benchmarks.servers import REALM, Admin
from benchmarks.table import tell

CONNECTIONS = 16
IN_USE = 1_000
"""Clients, at most, that ask for tokens; the others are only there."""
REPEATS = 100
"""Of each call of the admin API in a round."""


@dataclass
class Case:
    """A database that holds so much, and what was measured on it."""

    name: str
    data: Path
    realms: tuple[str, ...]
    clients: int
    start: float = 0.0
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, value: float) -> None:
        """Keeps one figure."""
        self.figures.setdefault(what, []).append(value)

    def median(self, what: str) -> float:
        return statistics.median(self.figures[what])


def measure(cases: list[Case], secret: str, rounds: int, seconds: float) -> None:
    """All cases in turns."""
    with ExitStack() as running:
        loads = []
        for case in cases:
            begun = time.monotonic()
            server = running.enter_context(servers.serve(case.data, secret))
            form = {"grant_type": "client_credentials", "client_id": name_of(0), "client_secret": secret}
            servers.token(server, form, case.realms[0])
            case.start = time.monotonic() - begun
            used = range(0, case.clients, max(1, case.clients // IN_USE))
            requests = [
                token_request(realm, form | {"client_id": name_of(number)}) for realm in case.realms for number in used
            ]
            loads.append((case, Load(server.port, requests), Admin(server)))
        servers.pin(0, 1)
        for _, load, admin in loads:
            admin.server.pin(0)
            load.run(CONNECTIONS, 2 * seconds)  # each client is compiled on its first use
            admin.call("GET", "")
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}")
            for case, load, admin in loads:
                _tokens(case, load, admin, seconds)
            for case, _, admin in loads:
                _calls(case, admin)
        for case, _, admin in loads:
            case.note("MB", admin.server.resident_megabytes())


def _tokens(case: Case, load: Load, admin: Admin, seconds: float) -> None:
    before = admin.server.cpu_seconds()
    result = load.run(CONNECTIONS, seconds)
    case.note("token µs", (admin.server.cpu_seconds() - before) / result.count * 1e6)
    case.note("p99 ms", result.p99 * 1000)
    with _edits(case, admin):
        case.note("p99 ms, edits", load.run(CONNECTIONS, seconds).p99 * 1000)


@contextmanager
def _edits(case: Case, admin: Admin) -> Iterator[None]:
    """Changes a client now and once a second, of those that are asking for tokens."""
    stop = threading.Event()
    realm = case.realms[0]
    editor = Admin(admin.server)
    (found,) = json.loads(editor.call("GET", f"/{realm}/clients?clientId={name_of(0)}")[0])

    def edit() -> None:
        number = 0
        while not stop.wait(1 if number else 0.2):
            number += 1
            editor.call("PUT", f"/{realm}/clients/{found['id']}", {"description": f"edit {number}"})

    thread = threading.Thread(target=edit)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _calls(case: Case, admin: Admin) -> None:
    realm = f"/{case.realms[0]}"
    made: list[str] = []

    def create() -> None:
        for _ in range(REPEATS):
            document = {"clientId": f"new-{time.monotonic_ns()}", "serviceAccountsEnabled": True}
            made.append(admin.call("POST", f"{realm}/clients", document)[1])

    def change() -> None:
        for client in made:
            admin.call("PUT", f"{realm}/clients/{client}", {"description": "changed"})

    def remove() -> None:
        for client in made:
            admin.call("DELETE", f"{realm}/clients/{client}")

    def pages(path: str) -> Callable[[], object]:
        return lambda: [admin.call("GET", f"{realm}{path}") for _ in range(REPEATS)]

    calls: dict[str, Callable[[], object]] = {
        "create": create,
        "change": change,
        "clients": pages("/clients?first=0&max=20"),
        "users": pages("/users?first=0&max=20"),
        "roles": pages("/roles?first=0&max=20"),
        "delete": remove,
    }
    for what, work in calls.items():
        case.note(f"{what} µs", admin.cost(work)[0] / REPEATS * 1e6)


def lines(cases: list[Case]) -> Iterator[str]:
    """The table: the smallest case as it is, the others beside it."""
    smallest = cases[0]
    yield f"{'':<18}" + "".join(f"{what:>16}" for what in smallest.figures) + f"{'start s':>10}"
    for case in cases:
        cells = []
        for what in smallest.figures:
            value, least = case.median(what), smallest.median(what)
            times = "" if case is smallest or not least else f" ({value / least:.2f}×)"
            cells.append(f"{value:,.1f}{times}" if value < 100 else f"{value:,.0f}{times}")
        yield f"{case.name:<18}" + "".join(f"{cell:>16}" for cell in cells) + f"{case.start:>10.2f}"


def _secret(directory: Path) -> str:
    """That of the clients in the databases there, made with the first of them."""
    file = directory / "secret"
    if not file.exists():
        file.write_text(servers.new_secret())
    return file.read_text()


def _grown(base: Path, to: Path, fill: Callable[[Path], None]) -> Path:
    """The database at `to`: that at `base`, and what `fill` adds to it. One that is there is taken as it is."""
    if not to.exists():
        tell(to.name)
        part = to.with_name(f"{to.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(base, part, ignore=shutil.ignore_patterns("keyturn.lock"))
        fill(part)
        part.rename(to)
    return to


def _smallest(directory: Path, secret: str) -> Path:
    data = directory / "smallest"
    if data.exists():
        return data
    with servers.serve(data, secret) as server:
        servers.prepare(server, secret)
        document = {"clientId": name_of(0), "secret": secret, "serviceAccountsEnabled": True}
        Admin(server).call("POST", f"/{REALM}/clients", document)
    return data


def of_clients(directory: Path, secret: str, sizes: list[int]) -> list[Case]:
    """A realm with so many clients."""
    data, cases = _smallest(directory, secret), []
    there = 1
    for size in sizes:
        more = range(there, size)
        data = _grown(
            data, directory / f"clients-{size}", partial(population.add_clients, realm_name=REALM, numbers=more)
        )
        there = size
        cases.append(Case(f"{size:,} clients", data, (REALM,), size))
    return cases


def of_realms(directory: Path, secret: str, sizes: list[int]) -> list[Case]:
    """So many realms with a client each, all of which ask for tokens."""
    data, cases = _smallest(directory, secret), []
    there = 0
    for size in sizes:
        more = range(there, size)
        data = _grown(
            data, directory / f"realms-{size}", partial(population.add_realms, like=REALM, secret=secret, numbers=more)
        )
        there = size
        cases.append(Case(f"{size:,} realms", data, tuple(f"realm-{n:07d}" for n in range(size)), 1))
    return cases


def of_roles(directory: Path, secret: str, sizes: list[int]) -> list[Case]:
    """So many roles in the realm, which the clients do not hold."""
    data, cases = _smallest(directory, secret), []
    there = 0
    for size in sizes:
        fill = partial(population.add_roles, realm_name=REALM, numbers=range(there, size))
        data = _grown(data, directory / f"roles-{size}", fill)
        there = size
        cases.append(Case(f"{size:,} roles", data, (REALM,), 1))
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    for what, sizes in (
        ("clients", [1, 10_000, 100_000, 1_000_000]),
        ("realms", [1, 100, 1_000]),
        ("roles", [10, 100, 1_000]),
    ):
        parser.add_argument(f"--{what}", type=int, nargs="*", default=sizes)
    parser.add_argument("--directory", type=Path, help="keeps the databases there, or takes them from there")
    parser.add_argument("--fill", action="store_true", help="makes the databases, and measures nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory: Path = options.directory or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        secret = _secret(directory)
        for make, sizes in ((of_clients, options.clients), (of_realms, options.realms), (of_roles, options.roles)):
            cases = make(directory, secret, sizes) if sizes else []
            if cases and not options.fill:
                measure(cases, secret, options.rounds, options.seconds)
                print("\n".join(lines(cases)) + "\n", flush=True)


if __name__ == "__main__":
    main()
