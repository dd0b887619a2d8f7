"""Who asks for tokens and who administers while faults happen, and what they have seen."""

import http.client
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from harness.assertions import TYPE, assertion
from harness.process import ServerProcess

HOSTNAME: Final = "http://keyturn.example"
"""What both nodes are called."""

FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
GOOD: Final = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "secret"}
TOKEN: Final = "/realms/plant/protocol/openid-connect/token"


def ask(node: ServerProcess, form: dict[str, str], realm: str = "plant") -> tuple[int, Any]:
    """The token endpoint's answer; status 0 and a cause where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=10)
    try:
        connection.request("POST", TOKEN.replace("plant", realm), urlencode(form), FORM)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return 0, type(error).__name__
    finally:
        connection.close()


@dataclass(eq=False)
class Seen:
    """What happened to requests of one kind."""

    causes: Counter[str] = field(default_factory=Counter)
    worst_gap: float = 0.0
    worst_gap_of_all: float = 0.0
    _last: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """From now on the worst gap is looked for anew."""
        with self._lock:
            self.worst_gap, self._last = 0.0, time.monotonic()

    def success(self) -> None:
        with self._lock:
            now = time.monotonic()
            self.worst_gap, self._last = max(self.worst_gap, now - self._last), now
            self.worst_gap_of_all = max(self.worst_gap, self.worst_gap_of_all)
            self.causes["ok"] += 1

    def failure(self, cause: str) -> None:
        with self._lock:
            self.causes[cause] += 1

    def failures(self) -> int:
        return sum(number for cause, number in self.causes.items() if cause != "ok")


class Load:
    """Threads that ask until they are stopped. Whoever finds a node dead asks the next, as a load balancer does."""

    def __init__(self, nodes: Sequence[ServerProcess]) -> None:
        self.nodes = list(nodes)
        self.tokens = Seen()
        self.writes = Seen()
        self.used = Seen()
        """Assertions: each counts once, on whichever node."""
        self.during = ""
        """The fault that happens, or has happened last."""
        self.twice: list[str] = []
        """What happened to assertions that were taken more than once, and during what."""
        self.acknowledged: dict[str, str] = {}
        """The path of each mapper and role that an administrator was told is there, by its name."""
        self.refused: set[str] = set()
        """Names that an administrator was told have not been made."""
        self.slowest_refusal = 0.0
        """Seconds after which the last caller was told that what has to be written cannot be."""
        self.stale: list[float] = []
        """For how many seconds each disabled client still got tokens, from when its administrator was answered."""
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._admin_tokens: dict[int, tuple[float, str]] = {}
        self._assertions: deque[tuple[float, str, list[bool], str]] = deque()

    @property
    def seen(self) -> tuple[Seen, Seen, Seen]:
        return self.tokens, self.writes, self.used

    def start(self, askers: int) -> None:
        jobs: list[Callable[[], None]] = [self._ask] * askers
        jobs += [lambda number=number: self._write(number) for number in range(2)]  # type: ignore[misc]
        jobs += [self._revoke, self._assert]
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _ask(self) -> None:
        turn = 0
        while not self._stop.wait(0.02):
            turn += 1
            status, cause = 0, "nobody"
            for node in self.nodes[turn % 2 :] + self.nodes[: turn % 2]:
                status, cause = ask(node, GOOD)
                if status == 200:
                    break
            if status == 200:
                self.tokens.success()
            else:
                self.tokens.failure(str(status or cause))

    def _write(self, number: int) -> None:
        """Adds mappers to the one client that both administrators write, each on a node of its own."""
        count = 0
        while not self._stop.wait(0.05):
            count += 1
            name = f"m{number}-{count}"
            document = {
                "name": name,
                "protocol": "openid-connect",
                "protocolMapper": "oidc-hardcoded-claim-mapper",
                "config": {"claim.name": "x"},
            }
            path = "/clients/{written}/protocol-mappers/models"
            self.make(self.nodes[number], path, name, document)

    def make(self, node: ServerProcess, path: str, name: str, document: Any) -> int:
        """Makes what has this name, and keeps in mind what was said of it; the answer's status."""
        status, answer, location = self.admin(node, "POST", path, document)
        if status == 201:
            self.acknowledged[name] = location
            self.writes.success()
        else:
            self.writes.failure(str(status))
            if "nothing has changed" in str(answer):
                self.refused.add(name)
        return status

    def _assert(self) -> None:
        """Shows each assertion to both nodes at the same moment, and once more after a while."""
        with ThreadPoolExecutor(2) as pool:
            while not self._stop.wait(0.1):
                shown = assertion("signer", f"{HOSTNAME}/realms/plant", time.time())
                fault = self.during
                taken = list(pool.map(lambda node: self.taken(node, shown), self.nodes))  # noqa: B023 - done here
                self._assertions.append((time.monotonic(), shown, taken, fault))
                if sum(taken) > 1:
                    self.twice.append(f"at once, on both nodes, while {fault}")
                if self._assertions[0][0] < time.monotonic() - 12:
                    _, again, before, then = self._assertions.popleft()
                    now = [self.taken(node, again) for node in self.nodes]
                    if sum(before) <= 1 < sum(before) + sum(now):
                        self.twice.append(f"by nodes {before} while {then}, by {now} while {self.during}")

    def taken(self, node: ServerProcess, shown: str) -> bool:
        """Whether a node gives a token for an assertion."""
        form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": shown}
        begun = time.monotonic()
        status, cause = ask(node, form)
        if status == 200:
            self.used.success()
            return True
        self.used.failure(str(status or cause))
        if status == 503:
            self.slowest_refusal = max(self.slowest_refusal, time.monotonic() - begun)
        return False

    def _revoke(self) -> None:
        """Disables a client, and asks all nodes for its tokens until none gives any."""
        form = {**GOOD, "client_id": "victim"}
        while not self._stop.wait(0.1):
            for node in self.nodes:
                ask(node, form)
            if self.admin(self.nodes[0], "PUT", "/clients/{victim}", {"enabled": False})[0] != 204:
                self.admin(self.nodes[0], "PUT", "/clients/{victim}", {"enabled": True})
                continue
            begun, last = time.monotonic(), 0.0
            waiting = list(self.nodes)
            while waiting and not self._stop.is_set():
                for node in list(waiting):
                    asked = time.monotonic()
                    status, _ = ask(node, form)
                    if status == 200:
                        last = asked - begun
                    elif status == 401:
                        waiting.remove(node)
            self.stale.append(max(last, 0.0))
            while not self._stop.is_set():
                if self.admin(self.nodes[0], "PUT", "/clients/{victim}", {"enabled": True})[0] == 204:
                    break

    def admin(self, node: ServerProcess, method: str, path: str, document: Any = None) -> tuple[int, Any, str]:
        """A call of the admin API in the realm: status, document and location; status 0 where nobody answered."""
        place = node.http_port  # each node by its own token: their clocks may differ
        got, token = self._admin_tokens.get(place, (0.0, ""))
        if not token or time.monotonic() - got > 30:
            form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
            status, answer = ask(node, form, "master")
            if status != 200:
                return status, answer, ""
            token = answer["access_token"]
            self._admin_tokens[place] = time.monotonic(), token
        headers = {"authorization": f"Bearer {token}"}
        try:
            url = "/admin/realms/plant" + path.format(**self.ids)
            got_back = node.request(method, url, document=document, headers=headers)
        except (OSError, http.client.HTTPException):
            return 0, None, ""
        if got_back.status == 401:
            self._admin_tokens.pop(place, None)
        location = got_back.headers.get("location", "")
        return got_back.status, got_back.json() if got_back.body else None, location

    ids: dict[str, str] = {}  # noqa: RUF012 - filled once, before the threads start
