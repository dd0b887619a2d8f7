"""What a setting of the server is, and how one is declared as a field of ``config.Settings``."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what it is called, what it takes, what it means.

    ``secret`` ones have no flag, since command lines are visible to everyone on the machine. ``private`` ones have
    one, and may hold a secret nevertheless. ``reloaded`` ones are read again on SIGHUP.
    """

    field: str
    help: str
    metavar: str
    parse: Callable[[Any], Any]
    default: Any
    kc: str | None = None
    secret: bool = False
    private: bool = False
    multiple: bool = False
    shown_default: str | None = None
    reloaded: bool = False

    @property
    def key(self) -> str:
        """Its name in the TOML file."""
        return self.field.replace("_", "-")

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return f"--{self.key}"

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return f"KEYTURN_{self.field.upper()}"


def setting(
    parse: Callable[[Any], Any],
    metavar: str,
    help: str,  # noqa: A002 - Click's name for it
    default: Any = None,
    *,
    kc: str | None = None,
    secret: bool = False,
    private: bool = False,
    multiple: bool = False,
    shown_default: str | None = None,
    factory: Callable[[], Any] | None = None,
    reloaded: bool = False,
) -> Any:
    metadata = {
        "help": help,
        "metavar": metavar,
        "parse": parse,
        "kc": kc,
        "secret": secret,
        "private": private,
        "multiple": multiple,
        "shown_default": shown_default,
        "reloaded": reloaded,
    }
    hidden = secret or private
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata, repr=not hidden)
    return dataclasses.field(default=default, metadata=metadata, repr=not hidden)
