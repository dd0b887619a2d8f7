"""Log lines on standard error, as text or JSON.

What is logged is never a secret, and what callers sent never begins a line of its own.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

from keyturn.http.request_id import CURRENT

_ESCAPED: Final = {number: f"\\x{number:02x}" for number in (*range(32), 127, *range(0x80, 0xA0), 0x2028, 0x2029)}
_CHATTY: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "alembic")
"""Libraries that talk of every port scan, or of themselves: heard from error upwards, unless everything is."""
_TELLTALE: Final = ("sqlalchemy", "httpx", "httpcore")
"""Libraries that log data - rows, headers - below warning: never heard there."""


class _Text(logging.Formatter):
    """``2026-11-24 08:14:49,061 INFO  keyturn.http: text``, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        stamp = f"{time:%Y-%m-%d %H:%M:%S},{int(record.msecs):03}"
        line = f"{stamp} {record.levelname:<7} {record.name}: {record.getMessage().translate(_ESCAPED)}"
        if record.exc_info is None:
            return line
        # Indented, since an exception's text may quote what a caller sent, line breaks and all.
        trace = self.formatException(record.exc_info).splitlines()
        return "\n".join([line, *(f"    {part.translate(_ESCAPED)}" for part in trace)])


class _Json(logging.Formatter):
    """One JSON object a line: timestamp (RFC 3339), level, loggerName, message; requestId of what is told of a request,
    and stackTrace if there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "loggerName": record.name,
            "message": record.getMessage(),
        }
        request_id = CURRENT.get()
        if request_id is not None:
            line["requestId"] = request_id.text
        if record.exc_info is not None:
            line["stackTrace"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Sends everything that is logged from `level` up to `stream` (standard error), as ``text`` or ``json``."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _TELLTALE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in _CHATTY:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.DEBUG if level == "debug" else logging.ERROR)
