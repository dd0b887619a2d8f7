"""What ends a command early: messages for standard error and exit statuses."""

from typing import ClassVar

__all__ = ["KcadmError", "TransportError", "UsageError"]


class KcadmError(Exception):
    """The command failed: its message is printed, the exit status is 1. The message never holds a secret."""

    exit_status: ClassVar[int] = 1


class UsageError(KcadmError):
    """The arguments make no sense: a line on where to find help follows the message, the exit status is 2."""

    exit_status: ClassVar[int] = 2


class TransportError(KcadmError):
    """No answer came: refused, cut off, not trusted. Who asked says for what."""
