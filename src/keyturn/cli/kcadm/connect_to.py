"""Where connections really go: ``KEYTURN_CONNECT_TO``, which kcadm.sh does not know.

It names a host and port and what to connect to in their place, as curl's ``--connect-to`` does, so that a server can be
reached under a name that leads nowhere yet. Requests and certificates still have the name.
"""

import re
from typing import Final

from keyturn.cli.kcadm.errors import UsageError

__all__ = ["VARIABLE", "destination"]

VARIABLE: Final = "KEYTURN_CONNECT_TO"
_ENTRY: Final = re.compile(r"(\[[^\]]*\]|[^:,]*):(\d*):(\[[^\]]*\]|[^:,]*):(\d*)")


def destination(host: str, port: int, entries: str) -> tuple[str, int]:
    """Where to connect to reach `host` and `port`.

    Args:
        entries: ``HOST:PORT:TARGET:PORT``, several with commas. An empty host or port matches any, an empty target
            keeps what is asked for.

    Raises:
        UsageError: an entry is malformed.
    """
    for entry in filter(None, map(str.strip, entries.split(","))):
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise UsageError(f"{VARIABLE} is not HOST:PORT:TARGET:PORT: {entry}")
        for_host, for_port, target, target_port = match.groups()
        if for_host.strip("[]").lower() in ("", host.lower()) and for_port in ("", str(port)):
            return target.strip("[]") or host, int(target_port or port)
    return host, port
