"""Days and moments in query parameters. Source: Keycloak ``DateUtil``."""

import re
from datetime import UTC, date, datetime, time
from typing import Final

from keyturn.admin.errors import BadRequest

__all__ = ["moment"]

_EPOCH: Final = re.compile(r"[0-9]{1,18}")
_MILLISECONDS: Final = 1000


def moment(name: str, text: str | None, *, end: bool = False) -> int | None:
    """The epoch milliseconds that the parameter `name` tells: a number of them, or a day's beginning or `end` (UTC).

    Raises:
        BadRequest: it is neither.
    """
    if text is None:
        return None
    if _EPOCH.fullmatch(text):
        return int(text)
    try:
        day = date.fromisoformat(text) if len(text) == len("yyyy-mm-dd") else None
    except ValueError:
        day = None
    if day is None:
        raise BadRequest(f"Invalid value for '{name}', expected format is yyyy-MM-dd or an Epoch timestamp")
    begins = int(datetime.combine(day, time(), UTC).timestamp()) * _MILLISECONDS
    return begins + 24 * 60 * 60 * _MILLISECONDS - 1 if end else begins
