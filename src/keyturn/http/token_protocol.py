"""Answers token requests where their bytes arrive: no task, no queue, no ASGI message between parser and answer.

Only what the application could answer without waiting is answered here (docs/adr/0009). Everything else - another path,
a client that is not in memory, a password, a request in two halves - goes on to the application as if it had not been
looked at.
"""

import re
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeAlias, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from keyturn.http.body import Scope
from keyturn.http.gathered_signing import GatheredSigning, Waiting
from keyturn.http.headers import complete
from keyturn.http.protocol import BoundedProtocol
from keyturn.oauth2.access_token import Unsigned
from keyturn.oauth2.http_message import Response

AtOnce: TypeAlias = Callable[[Scope, str, bytes], Response | Unsigned | None]
"""From a request, its realm and its body to the answer; None where something must be waited for."""

Count: TypeAlias = Callable[[int, float], None]
"""Told of each answer: its status, and the seconds that it took."""

_PATH: Final = re.compile(rb"/realms/([A-Za-z0-9_.~-]+)/protocol/openid-connect/token")
"""A realm whose name needs no decoding, without a query."""

_MAXIMUM_BODY: Final = 16 * 1024
_STATUS_LINES: Final = {
    int(status): f"HTTP/1.1 {int(status)} {status.phrase}\r\n".encode() for status in HTTPStatus if int(status) >= 200
}


class TokenProtocol(BoundedProtocol):
    """One connection. `at_once` answers token requests from memory; `count` is told of each.

    `signing` signs the answers that still lack it, together with those of other connections.
    """

    def __init__(
        self, *args: Any, at_once: AtOnce, count: Count, signing: GatheredSigning | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._at_once = at_once
        self._count = count
        self._signing = signing
        self._waiting: Waiting | None = None
        """The answer that waits for its signature."""
        self._realm: str | None = None
        """Of the token request whose body is being collected."""
        self._body = b""

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
        super().on_message_begin()

    def begin_request(self) -> None:
        path = _PATH.fullmatch(self.url)
        if path is None or not self._undisturbed():
            super().begin_request()
            return
        self._realm = path[1].decode("ascii")
        self._body = b""

    def take_body(self, body: bytes) -> None:
        if self._realm is None:
            super().take_body(body)
            return
        self._body += body
        if len(self._body) > _MAXIMUM_BODY:
            self._hand_over()

    def end_request(self) -> None:
        if self._realm is not None:
            begun = time.perf_counter()
            response = self._answer(self._realm)
            if response is not None:
                self._realm = None
                if isinstance(response, Response):
                    self._finish(response, begun)
                elif self._signing is None:
                    self._finish(response.sign(), begun)
                else:
                    self._waiting = self._signing.add(response, partial(self._signed, begun))
                return
            self._hand_over()
        super().end_request()

    def shutdown(self) -> None:
        self._answer_now()
        if self._realm is not None:  # what is in flight is finished, even if half of it has yet to arrive
            self._hand_over()
        super().shutdown()

    def _answer(self, realm: str) -> Response | Unsigned | None:
        try:
            return self._at_once(cast("Scope", self.scope), realm, self._body)
        except Exception:  # the application will fail likewise, and says so in the log and on the wire
            return None

    def _undisturbed(self) -> bool:
        """Whether this is an ordinary POST and no earlier request of this connection waits for its answer."""
        parser = self.parser
        cycle: RequestResponseCycle | None = self.cycle
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.pipeline
            and (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
        )

    def _refuse(self, status: bytes) -> None:
        self._answer_now()
        super()._refuse(status)

    def _answer_now(self) -> None:
        """Answers what waits for its signature."""
        if self._waiting is not None:
            self._waiting.sign()

    def _signed(self, begun: float, response: Response) -> None:
        self._waiting = None
        self._finish(response, begun)

    def _finish(self, response: Response, begun: float) -> None:
        self._count(response.status, time.perf_counter() - begun)
        self._write(response)

    def _hand_over(self) -> None:
        """Gives the application what was held back."""
        self._realm = None
        super().begin_request()
        super().take_body(self._body)

    def _write(self, response: Response) -> None:
        lines = [_STATUS_LINES[response.status]]
        for name, value in complete(response.headers, len(response.body)):
            lines += (name, b": ", value, b"\r\n")
        lines += (b"\r\n", response.body)
        self.transport.write(b"".join(lines))
        self.on_response_complete()
