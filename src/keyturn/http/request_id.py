"""What a request is called in the log and in its answer, so that the two are found together.

It is the ``X-Request-Id`` that the request brings, else the trace of its ``traceparent`` (W3C Trace Context), else made
up, and only where somebody asks for it.
"""

import os
import re
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Final

from keyturn.http.trace_context import parent_of

HEADER: Final = b"x-request-id"
_SANE: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
"""What callers send stands in headers and in the log: nothing that could break either."""


class RequestId:
    """The name of one request with these headers."""

    __slots__ = ("_headers", "_name", "brought")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.brought = False
        """Whether the request itself has said what it is called."""
        self._name: bytes | None = None
        self._headers = headers
        for name, value in headers:
            if name == HEADER and _SANE.fullmatch(value):
                self.brought, self._name = True, value
                return

    @property
    def name(self) -> bytes:
        """The name, which is made up where there is none."""
        if self._name is None:
            self._name = self._trace() or os.urandom(16).hex().encode()
        return self._name

    @property
    def text(self) -> str:
        """The same as a text."""
        return self.name.decode("ascii")

    def _trace(self) -> bytes | None:
        parent = parent_of(self._headers)
        return None if parent is None else parent.trace.encode()


CURRENT: Final[ContextVar[RequestId | None]] = ContextVar("request_id", default=None)
"""The request that is being served where this is asked."""
