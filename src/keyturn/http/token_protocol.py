"""Answers requests for tokens, about tokens, and for what verifies them where their bytes arrive: no task, no queue, no
ASGI message between parser and answer.

Only what the application could answer without waiting is answered here (docs/adr/0009). Everything else - another path,
a client that is not in memory, a password, a request in two halves - goes on to the application as if it had not been
looked at. A request that came before, byte for byte, is not even parsed (docs/adr/0011).
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, Final, TypeAlias, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from keyturn.http.body import Scope
from keyturn.http.gathered_signing import GatheredSigning, Waiting
from keyturn.http.headers import SECURITY
from keyturn.http.protocol import BoundedProtocol
from keyturn.http.repeated import KINDS, MAXIMUM_SIZE, Again, Kind, RepeatedRequests, sender_of
from keyturn.http.request_id import CURRENT, HEADER, RequestId
from keyturn.http.trace_context import Parent, parent_of
from keyturn.oauth2.access_token import Unsigned
from keyturn.oauth2.http_message import Headers, Response

Answered: TypeAlias = tuple[Response | Unsigned, Again | None]
"""An answer, and how to answer the same request again."""

AtOnce: TypeAlias = Callable[[Scope, str, str, bytes], Answered | None]
"""From a request, its realm, the path below it and the body to the answer; None where something must be waited for."""

Count: TypeAlias = Callable[[str, str, int, float], None]
"""Told of each answer: endpoint, method, status, and the seconds that it took."""

_PATH: Final = re.compile(rb"/realms/([A-Za-z0-9_.~-]+)(%b)" % "|".join(map(re.escape, KINDS)).encode())
"""A realm whose name needs no decoding, without a query."""

_MAXIMUM_BODY: Final = 16 * 1024
_STATUS_LINES: Final = {
    int(status): f"HTTP/1.1 {int(status)} {status.phrase}\r\n".encode() for status in HTTPStatus if int(status) >= 200
}


Trace: TypeAlias = Callable[[Parent | None, str, str, int, float], None]
"""The same, and before it who traces the request."""


class TokenProtocol(BoundedProtocol):
    """One connection. `at_once` answers requests from memory; `count` is told of each.

    `repeated` is shared by the connections. `signing` signs the answers that still lack it, together with those of
    other connections.
    """

    def __init__(
        self,
        *args: Any,
        at_once: AtOnce,
        count: Count,
        repeated: RepeatedRequests,
        signing: GatheredSigning | None = None,
        trace: Trace | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._at_once = at_once
        self._count = count
        self._repeated = repeated
        self._signing = signing
        self._trace = trace
        self._parent: Parent | None = None
        """Who traces the request that is being answered."""
        self._sender = b""
        self._between = True
        """Whether the parser waits for the first byte of a request."""
        self._messages = 0
        self._again: Again | None = None
        """What was answered last, and how to do it again."""
        self._waiting: Waiting | None = None
        """The answer that waits for its signature."""
        self._target: tuple[str, str] | None = None
        """Realm, and path below it, of the request whose body is being collected."""
        self._body = b""
        self._request_id: RequestId | None = None
        """What the request is called that is being answered, where its answer says so."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._sender = self.sender()

    def sender(self, certificate: str = "") -> bytes:
        """What counts of this connection; `certificate` is the thumbprint of the one that its client has shown."""
        return sender_of(self.client[0] if self.client else "", str(self.scheme), certificate)

    def data_received(self, data: bytes) -> None:
        if not self._between or len(data) > MAXIMUM_SIZE or not self._ready():
            super().data_received(data)
            self._again = None
            return
        begun = time.perf_counter()
        digest = self._repeated.digest(data, self._sender)
        known = self._repeated.answer(digest)
        if known is not None:
            self._unset_keepalive_if_required()
            self._deliver(*known, begun)
            return
        self._again, messages = None, self._messages
        super().data_received(data)
        self._remember(digest, messages + 1)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        super().connection_lost(exc)

    def eof_received(self) -> None:
        self._answer_now()  # the caller has said all, and still listens; what is written from now on is lost
        super().eof_received()

    def on_message_begin(self) -> None:
        self._answer_now()  # the next request must not overtake it
        self._between = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._between = True
        self._messages += 1
        super().on_message_complete()

    def begin_request(self) -> None:
        path = _PATH.fullmatch(self.url)
        if path is None:
            super().begin_request()
            return
        target = path[1].decode("ascii"), path[2].decode("ascii")
        if not self._undisturbed(KINDS[target[1]][1]):
            super().begin_request()
            return
        self._target = target
        self._body = b""

    def take_body(self, body: bytes) -> None:
        if self._target is None:
            super().take_body(body)
            return
        self._body += body
        if len(self._body) > _MAXIMUM_BODY:
            self._hand_over()

    def end_request(self) -> None:
        if self._target is not None:
            begun = time.perf_counter()
            answered = self._answer(*self._target)
            if answered is not None:
                kind, self._target = KINDS[self._target[1]], None
                answer, again = answered
                self._again = again if self._request_id is None and self._parent is None else None
                self._deliver(kind, answer, begun)
                return
            self._hand_over()
        super().end_request()

    def shutdown(self) -> None:
        self._answer_now()
        if self._target is not None:  # what is in flight is finished, even if half of it has yet to arrive
            self._hand_over()
        super().shutdown()

    def _remember(self, digest: bytes, messages: int) -> None:
        """Keeps how to answer what has just arrived, if it was one whole request and nothing else."""
        again, self._again = self._again, None
        if again is not None and self._between and self._messages == messages:
            self._repeated.keep(digest, again)

    def _answer(self, realm: str, below: str) -> Answered | None:
        request_id = RequestId(self.headers)
        CURRENT.set(request_id)
        if self._trace is not None:
            self._parent = parent_of(self.headers)
        try:
            answered = self._at_once(cast("Scope", self.scope), realm, below, self._body)
        except Exception:  # the application will fail likewise, and says so in the log and on the wire
            return None
        finally:
            CURRENT.set(None)
        if request_id.brought or (answered and isinstance(answered[0], Response) and answered[0].status >= 400):
            self._request_id = request_id
        return answered

    def _undisturbed(self, method: str) -> bool:
        """Whether this is an ordinary request of this `method`, and no earlier one of this connection waits."""
        parser = self.parser
        return (
            parser.get_method() == method.encode()
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and self._ready()
        )

    def _ready(self) -> bool:
        """Whether an answer may be written at once: no earlier request of this connection waits for its own."""
        cycle: RequestResponseCycle | None = self.cycle
        return (
            self._waiting is None
            and not self.pipeline
            and (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and self._owed is None
            and not self.transport.is_closing()
        )

    def _refuse(self, status: bytes) -> None:
        self._answer_now()
        super()._refuse(status)

    def _answer_now(self) -> None:
        """Answers what waits for its signature."""
        if self._waiting is not None:
            self._waiting.sign()

    def _deliver(self, kind: Kind, answer: Response | Unsigned, begun: float) -> None:
        if isinstance(answer, Response):
            self._finish(kind, begun, answer)
        elif self._signing is None:
            self._finish(kind, begun, answer.sign())
        else:
            self._waiting = self._signing.add(answer, partial(self._signed, kind, begun))

    def _signed(self, kind: Kind, begun: float, response: Response) -> None:
        self._waiting = None
        self._finish(kind, begun, response)

    def _finish(self, kind: Kind, begun: float, response: Response) -> None:
        seconds = time.perf_counter() - begun
        self._count(*kind, response.status, seconds)
        if self._trace is not None:
            parent, self._parent = self._parent, None
            self._trace(parent, *kind, response.status, seconds)
        self._write(response)

    def _hand_over(self) -> None:
        """Gives the application what was held back."""
        self._target = self._request_id = self._parent = None
        super().begin_request()
        super().take_body(self._body)

    def _write(self, response: Response) -> None:
        body, head = response.body, _head(response.status, response.headers)
        if self._request_id is not None:
            named = b"%b: %b\r\n" % (HEADER, self._request_id.name)
            status, _, rest = head.partition(b"\r\n")
            head, self._request_id = b"%b\r\n%b%b" % (status, named, rest), None
        if response.status == HTTPStatus.NOT_MODIFIED:
            self.transport.write(b"%b\r\n" % head)
        else:
            self.transport.write(b"%b%d\r\n\r\n%b" % (head, len(body), body))
        self.on_response_complete()


@lru_cache(maxsize=64)
def _head(status: int, headers: Headers) -> bytes:
    """Status line and headers, up to the length of what follows; where nothing does, there is none (RFC 9110 §8.6)."""
    lines = [_STATUS_LINES[status]]
    for name, value in (*headers, *SECURITY):
        lines += (name, b": ", value, b"\r\n")
    return b"".join(lines if status == HTTPStatus.NOT_MODIFIED else (*lines, b"content-length: "))
