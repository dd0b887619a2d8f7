"""What goes to the terminal and what comes from it."""

import os
import sys
from typing import Final

from keyturn.cli.kcadm.errors import KcadmError

__all__ = ["error_line", "is_active", "note", "read_password", "write", "write_line"]

_RED: Final = "\x1b[31m\x1b[1m"
_PLAIN: Final = "\x1b[21m\x1b[39m\x1b[0m"


def write(content: str | bytes) -> None:
    """Print to standard output, in UTF-8 and with nothing added."""
    octets = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    sys.stdout.buffer.write(octets)


def write_line(text: str) -> None:
    """Print a line to standard output."""
    write(f"{text}\n")


def note(text: str) -> None:
    """Print a line to standard error: what is going on, or the end of the line on standard output."""
    _write_error(f"{text}\n")


def error_line(text: str) -> None:
    """Print what failed; in red on a terminal that has colours."""
    coloured = is_active() and os.environ.get("TERM", "dumb") != "dumb" and "NO_COLOR" not in os.environ
    _write_error(f"{_RED}{text}{_PLAIN}\n" if coloured else f"{text}\n")


def _write_error(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.buffer.write(text.encode("utf-8", "replace"))
    sys.stderr.flush()


def is_active() -> bool:
    """Whether somebody sits at a terminal: both input and output are one."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def read_password(what: str) -> str:
    """`what` typed at the terminal, without an echo.

    Raises:
        KcadmError: there is no terminal, or nothing was typed.
    """
    if not is_active():
        raise KcadmError(f"Console is not active, but {what} is required")
    from getpass import getpass  # its imports are needed only here

    try:
        return getpass(f"Enter {what}:")
    except EOFError:
        note("")
        raise KcadmError(f"No {what} provided") from None
