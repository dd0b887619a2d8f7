"""``config credentials`` and ``config truststore``: what the session file holds."""

import os
import re
import time
from typing import Final

from keyturn.cli.kcadm import console
from keyturn.cli.kcadm.arguments import Arguments
from keyturn.cli.kcadm.config_file import ConfigStore, Configuration, FileStore, default_path
from keyturn.cli.kcadm.errors import KcadmError, UsageError
from keyturn.cli.kcadm.session import AUTHENTICATION_OPTIONS, authenticate

__all__ = ["credentials", "is_credentials_idle", "is_truststore_idle", "truststore"]

_NOT_OF_TRUSTSTORE: Final = (
    "--server",
    "--realm",
    "--client",
    "--user",
    "--password",
    "--secret",
    "--truststore",
    "--keystore",
    "--keypass",
    "--alias",
)
_URL: Final = re.compile(r"(?:https?|ftp)://(?:[^/?#]*@)?(?:\[[^/?#]*\]|[^/?#:]*)(?::[0-9]*)?(?:[/?#].*)?", re.DOTALL)


def is_credentials_idle(arguments: Arguments) -> bool:
    """Whether there is nothing to do: only the help is wanted."""
    return not arguments.given(*AUTHENTICATION_OPTIONS) and not arguments.flag("--status")


def is_truststore_idle(arguments: Arguments) -> bool:
    """Whether there is nothing to do: only the help is wanted."""
    return not arguments.given(*AUTHENTICATION_OPTIONS) and not arguments.words and not arguments.flag("--delete")


def credentials(arguments: Arguments) -> None:
    """Log in, or say whether somebody is.

    Raises:
        UsageError: an option lacks or does not belong here.
        KcadmError: it failed.
    """
    if arguments.flag("--no-config"):
        raise UsageError("Unsupported option: --no-config")
    store = _store(arguments)
    if arguments.flag("--status"):
        _print_status(store)
        return
    server, realm = arguments.text("--server"), arguments.text("--realm")
    if server is None:
        raise UsageError("Required option not specified: --server")
    if realm is None:
        raise UsageError("Required option not specified: --realm")
    if not _URL.fullmatch(server):
        raise KcadmError(f"Invalid server endpoint url: {server}")
    if arguments.given("--user", "--client", "--secret", "--keystore"):
        authenticate(arguments, store)
        return

    def point(configuration: Configuration) -> None:
        configuration.put("serverUrl", server)
        configuration.put("realm", realm)

    store.update(point)


def truststore(arguments: Arguments) -> None:
    """Set or take away the truststore for all sessions.

    Raises:
        UsageError: an option lacks or does not belong here.
        KcadmError: there is no such file.
    """
    for option in _NOT_OF_TRUSTSTORE:
        if arguments.given(option):
            raise UsageError(f"Unsupported option: {option}")
    if arguments.flag("--no-config"):
        raise UsageError("Unsupported option: --no-config")
    path = arguments.words[0] if arguments.words else None
    password = arguments.text("--trustpass")
    if arguments.flag("--delete"):
        if path is not None:
            raise UsageError("Option --delete is mutually exclusive with specifying a TRUSTSTORE")
        if password is not None:
            raise UsageError("Options --trustpass and --delete are mutually exclusive")
    elif path is None:
        raise UsageError("No truststore specified")
    elif not os.path.isfile(path):  # noqa: PTH113 - pathlib is imported only where it is needed
        raise KcadmError(f"Truststore file not found: {path}")
    if password == "-":
        password = console.read_password("truststore password")

    def trust(configuration: Configuration) -> None:
        configuration.put("truststore", path)
        configuration.put("trustpass", password)

    _store(arguments).update(trust)


def _store(arguments: Arguments) -> ConfigStore:
    path = arguments.text("--config")
    return FileStore(default_path() if path is None else path)


def _print_status(store: ConfigStore) -> None:
    configuration = store.load()
    server, realm = configuration.text("serverUrl"), configuration.text("realm")
    session = {} if server is None or realm is None else configuration.session
    left_ms = int(session.get("expiresAt") or 0) - time.time_ns() // 1_000_000
    if session.get("token") is None or left_ms <= 0:
        console.write_line("You are not logged in")
        return
    console.write_line(
        f"Logged in (server: {server}, realm: {realm}, expired: false, timeToExpiry: {left_ms // 1000}s from now)"
    )
