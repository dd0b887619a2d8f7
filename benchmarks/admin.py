"""What does the admin API cost: making and listing clients beside Keycloak, and each list of a server that holds much?

    make bench-admin

First, 1,000 clients are made one by one and listed, whole and in pages, at keyturn and at the real Keycloak in turn,
over one kept-alive connection: CPU time of the server's process, and time on the clock. Then a server is filled with
10,000 clients, 1,000 roles, 10,000 users, 500 realms and more (`benchmarks.much`), and each list, search and page is
asked for: the CPU time of the server for one, and the time on the clock. The exit status is 1 where one takes longer
than 50 ms of CPU time; lists of everything without pages are only told.
"""

import argparse
import statistics
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import much, population, servers
from benchmarks.much import Amounts
from benchmarks.servers import REALM, Admin, Server
from benchmarks.table import tell

LIMIT = 50.0
"""Milliseconds of CPU time that one page may take."""
PAGE = 100


# ---- beside Keycloak


def beside(admin: Admin, count: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """What making and listing `count` clients takes, in a realm of its own each time."""
    taken: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        realm = f"/bench-admin-{number}"
        admin.call("POST", "", {"realm": realm[1:], "enabled": True, "sslRequired": "none"})

        def create(realm: str = realm) -> None:
            for each in range(count):
                document = {"clientId": population.name_of(each), "serviceAccountsEnabled": True}
                admin.call("POST", f"{realm}/clients", document)

        def page(realm: str = realm) -> None:
            for first in range(0, count, PAGE):
                admin.call("GET", f"{realm}/clients?first={first}&max={PAGE}")

        def find(realm: str = realm) -> None:
            for each in range(count):
                admin.call("GET", f"{realm}/clients?clientId={population.name_of(each)}")

        work: dict[str, Callable[[], object]] = {
            f"make {count:,} clients": create,
            f"list {count:,} clients": partial(admin.call, "GET", f"{realm}/clients"),
            f"list them in pages of {PAGE}": page,
            "find each by clientId": find,
        }
        try:
            for what, calls in work.items():
                taken.setdefault(what, []).append(admin.cost(calls))
        finally:
            admin.call("DELETE", realm)
    return taken


def compare(count: int, rounds: int, running: str | None, *, with_keycloak: bool) -> bool:
    """Prints the table; whether keyturn takes less CPU time than Keycloak in each row, or there is no Keycloak."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as up:
        ours = Admin(up.enter_context(servers.serve(Path(directory) / "data", servers.new_secret())))
        theirs = None
        if running is not None:
            port, process_id = map(int, running.split(":"))
            theirs = Admin(Server(process_id, port, "admin", username="admin"))
        elif with_keycloak:
            theirs = Admin(up.enter_context(servers.keycloak()))
        tell("keyturn")
        mine = beside(ours, count, rounds)
        yours = {}
        if theirs is not None:
            tell("Keycloak, after a round to warm up")
            beside(theirs, count, 1)
            yours = beside(theirs, count, rounds)
    print(f"{'':<30}{'CPU s':>10}{'clock s':>10}{'Keycloak CPU s':>18}{'clock s':>10}{'times':>10}")
    less = True
    for what, figures in mine.items():
        cpu, clock = (statistics.median(column) for column in zip(*figures, strict=True))
        line = f"{what:<30}{cpu:>10.2f}{clock:>10.2f}"
        if what in yours:
            their_cpu, their_clock = (statistics.median(column) for column in zip(*yours[what], strict=True))
            less = less and cpu < their_cpu
            line += f"{their_cpu:>18.2f}{their_clock:>10.2f}{their_cpu / max(cpu, 0.01):>9.1f}×"
        print(line)
    return less


# ---- with much


@dataclass(frozen=True)
class Question:
    """A list, search or page that is asked for."""

    path: str
    whole: bool = False
    """It has no pages and tells of thousands."""


def questions(admin: Admin) -> Iterator[Question]:
    """Of every collection of the admin API."""
    realm = f"/{REALM}"

    def first(path: str) -> str:
        return str(admin.get(f"{realm}{path}")[0]["id"])

    client = first(f"/clients?clientId={population.name_of(0)}")
    holder = first(f"/users?username={much.HOLDER}&exact=true")
    big, deep = first(f"/groups?search={much.BIG_GROUP}"), first(f"/groups?search={much.DEEP_GROUP}")
    scope = first("/client-scopes")
    composite = str(admin.get(f"{realm}/roles/{much.COMPOSITE_ROLE}")["id"])
    yield Question("")
    yield Question("?briefRepresentation=true")
    yield Question("/master")
    for below in _listed(client, holder, big, deep, scope, composite):
        yield Question(realm + below)
    for below in (
        "/clients",
        "/users?max=-1",
        f"/groups/{big}/members?max=-1",
        f"/roles/{much.POPULAR_ROLE}/users?max=20000",
        f"/clients/{client}/user-sessions?max=20000",
        "/events?max=-1",
    ):
        yield Question(realm + below, whole=True)


def _listed(client: str, holder: str, big: str, deep: str, scope: str, composite: str) -> Iterator[str]:
    far, quoted = "first=9000&max=20", urllib.parse.quote
    yield from (
        "",
        "/clients?first=0&max=20",
        f"/clients?{far}",
        f"/clients?clientId={population.name_of(9_999)}",
        "/clients?clientId=client-00099&search=true&first=0&max=20",
        "/clients?clientId=nobody&search=true&first=0&max=20",
        "/clients?viewableOnly=true&first=0&max=20",
        "/clients?q=jwt.credential.sub%3Anobody",
        "/users?first=0&max=20",
        f"/users?{far}",
        "/users?search=user-00099&first=0&max=20",
        "/users?search=*99*&first=0&max=20",
        "/users?search=nobody",
        "/users?username=user-0009999&exact=true",
        "/users?username=user-00099",
        "/users?email=user-0009999@example.org&exact=true",
        "/users?firstName=Given5&lastName=Family5",
        "/users?enabled=false&first=0&max=20",
        "/users?emailVerified=true&first=0&max=20",
        "/users?createdAfter=1700000009990&first=0&max=20",
        "/users?q=department%3A7&first=0&max=20",
        "/users?q=department%3Anone&first=0&max=20",
        "/users/count",
        "/users/count?search=user-00099",
        "/users/count?enabled=false",
        "/users/count?q=department%3A7",
        "/roles",
        "/roles?first=0&max=20",
        "/roles?first=900&max=20",
        "/roles?search=role-0000&first=0&max=20",
        "/roles?search=nothing",
        "/roles?briefRepresentation=false&first=0&max=100",
        f"/roles/{much.POPULAR_ROLE}/users",
        f"/roles/{much.POPULAR_ROLE}/users?{far}",
        f"/roles/{much.POPULAR_ROLE}/groups?first=0&max=20",
        f"/roles/{much.POPULAR_ROLE}/groups",
        f"/roles/{much.COMPOSITE_ROLE}/composites",
        f"/roles/{much.COMPOSITE_ROLE}/composites/realm",
        f"/roles/{much.COMPOSITE_ROLE}/composites/clients/{client}",
        f"/roles-by-id/{composite}/composites?first=0&max=20",
        f"/roles-by-id/{composite}/composites?search=role-00000&first=0&max=20",
        f"/clients/{client}/roles",
        f"/clients/{client}/roles?first=0&max=20",
        "/groups",
        "/groups?first=0&max=20",
        "/groups?search=group-0000&first=0&max=20",
        "/groups?search=group&first=0&max=20",
        "/groups?q=cost-centre%3A7&first=0&max=20",
        "/groups/count",
        "/groups/count?search=group",
        f"/groups/{deep}/children?first=0&max=20",
        f"/groups/{deep}/children",
        f"/groups/{big}/members?first=0&max=20",
        f"/groups/{big}/members?{far}",
        f"/groups/{big}/role-mappings",
        f"/groups/{big}/role-mappings/realm/available",
        f"/groups/{big}/role-mappings/realm/composite",
        f"/users/{holder}/groups?first=0&max=20",
        f"/users/{holder}/groups",
        f"/users/{holder}/groups/count",
    )
    for owner in (f"/users/{holder}/role-mappings", f"/clients/{client}/scope-mappings"):
        yield owner
        for container in ("realm", f"clients/{client}"):
            yield from (f"{owner}/{container}{part}" for part in ("", "/available", "/composite"))
    yield from (
        f"/clients/{client}/evaluate-scopes/scope-mappings/{quoted(REALM)}/granted",
        f"/clients/{client}/evaluate-scopes/scope-mappings/{quoted(REALM)}/not-granted",
        f"/clients/{client}/evaluate-scopes/protocol-mappers",
        f"/clients/{client}/evaluate-scopes/generate-example-access-token?userId={holder}",
        "/client-scopes",
        f"/client-scopes/{scope}/scope-mappings/realm/available",
        "/components",
        "/keys",
        "/events?first=0&max=100",
        f"/events?{far}",
        "/events?first=90000&max=100",
        "/events?type=CLIENT_LOGIN_ERROR&max=100",
        f"/events?client={population.name_of(7)}&max=100",
        "/events?client=nobody&max=100",
        f"/events?user={holder}&max=100",
        "/events?ipAddress=192.0.2.7&max=100",
        "/events?direction=asc&max=100",
        "/events?dateFrom=2020-01-01&dateTo=2020-01-02",
        "/admin-events?first=0&max=100",
        "/admin-events?first=90000&max=100",
        "/admin-events?operationTypes=DELETE&max=100",
        "/admin-events?resourcePath=clients/7&max=100",
        "/admin-events?resourcePath=*nowhere*&max=100",
        "/admin-events?authClient=admin-3&max=100",
        f"/admin-events?authUser={holder}&max=100",
        f"/clients/{client}/user-sessions?first=0&max=20",
        f"/clients/{client}/user-sessions?first=5000&max=20",
        f"/clients/{client}/offline-sessions?first=0&max=20",
        f"/clients/{client}/session-count",
        f"/clients/{client}/offline-session-count",
        "/client-session-stats",
        f"/users/{holder}/sessions",
        f"/users/{holder}/consents",
    )


@contextmanager
def filled(amounts: Amounts) -> Iterator[Server]:
    """A server on a database that holds so much."""
    with tempfile.TemporaryDirectory() as directory:
        data, secret = Path(directory) / "data", servers.new_secret()
        with servers.serve(data, secret) as server:
            servers.prepare(server, secret)
            document = {"clientId": population.name_of(0), "secret": secret, "serviceAccountsEnabled": True}
            Admin(server).call("POST", f"/{REALM}/clients", document)
        tell("filling a database")
        much.fill(data, REALM, secret, amounts)
        with servers.serve(data, secret) as server:
            yield server


def _repeat(work: Callable[[], object], times: int) -> None:
    for _ in range(times):
        work()


def ask(admin: Admin, repeats: int, only: str) -> bool:
    """Asks each question and prints what it takes; whether each page stays within the limit."""
    within = True
    print(f"{'CPU ms':>10}{'clock ms':>10}{'KB':>10}")
    for question in questions(admin):
        if only not in question.path:
            continue
        times = max(1, repeats // 10) if question.whole else repeats
        size = len(admin.call("GET", question.path)[0])
        ask_once = partial(admin.call, "GET", question.path)
        cpu, _ = admin.cost(partial(_repeat, ask_once, times))
        clock = min(admin.cost(ask_once)[1] for _ in range(3))
        spent = cpu / times * 1000
        slow = spent > LIMIT and not question.whole
        within = within and not slow
        shown = f"{spent:>10.1f}{clock * 1000:>10.1f}{size / 1000:>10.1f}  {question.path or '/'}"
        print(shown + ("  (everything)" if question.whole else "") + ("  SLOW" if slow else ""), flush=True)
    return within


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1_000, help="that are made and listed beside Keycloak; 0: none")
    parser.add_argument("--rounds", type=int, default=3, help="of making and listing them")
    parser.add_argument("--keycloak", metavar="PORT:PID", help="a Keycloak that runs here, of admin and admin")
    parser.add_argument("--without-keycloak", action="store_true", help="even if it is there")
    parser.add_argument("--repeats", type=int, default=20, help="of each list")
    parser.add_argument("--scale", type=float, default=1.0, help="how much there is; 0: lists are not measured")
    parser.add_argument("--only", default="", help="only lists whose path holds this")
    given = parser.parse_args()
    fine = True
    if given.clients:
        there = servers.keycloak_is_here() and not given.without_keycloak
        fine = compare(given.clients, given.rounds, given.keycloak, with_keycloak=there)
    if given.scale:
        defaults = Amounts()
        amounts = Amounts(**{name: int(getattr(defaults, name) * given.scale) for name in Amounts.__dataclass_fields__})
        with filled(amounts) as server:
            fine = ask(Admin(server), given.repeats, given.only) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
