"""The session file, ``~/.keycloak/kcadm.config``, in Keycloak's own format: one CLI goes on where the other stopped."""

import contextlib
import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from keyturn.cli.kcadm.errors import KcadmError
from keyturn.cli.kcadm.json_document import BrokenJSON, parse, pretty

__all__ = ["ConfigStore", "Configuration", "FileStore", "MemoryStore", "default_path", "home"]

_HEAD: Final = ("serverUrl", "realm", "truststore", "trustpass", "endpoints")
_SESSION: Final = (
    "serverUrl",
    "realm",
    "clientId",
    "token",
    "refreshToken",
    "signingToken",
    "secret",
    "grantTypeForAuthentication",
    "expiresAt",
    "refreshExpiresAt",
    "sigExpiresAt",
    "initialToken",
    "clients",
)
_TIMES: Final = ("expiresAt", "refreshExpiresAt", "sigExpiresAt")
_USER_HOME: Final = re.compile(r"-Duser\.home=(\S+)")


def home() -> str:
    """The user's home: Java's ``user.home`` where ``KC_OPTS`` sets it, else the system's."""
    set_for_java = _USER_HOME.search(os.environ.get("KC_OPTS", ""))
    return set_for_java[1] if set_for_java else os.path.expanduser("~")  # noqa: PTH111 - the text is shown as it is


def default_path() -> str:
    """Where the session file is unless ``--config`` says otherwise."""
    return f"{home()}/.keycloak/kcadm.config"


class Configuration:
    """The content of a session file: which server and realm, what is trusted, and a session for each server and realm.

    Holds tokens and secrets; neither is ever shown.
    """

    __slots__ = ("_document", "external_token")

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        self._document = document or {}
        self.external_token: str | None = None
        """A token from the command line; it is never stored."""

    def copy(self) -> "Configuration":
        """One that can be changed by itself; what it holds of sessions is replaced, never changed, so it is shared."""
        result = Configuration(dict(self._document))
        result.external_token = self.external_token
        return result

    def text(self, name: str) -> str | None:
        """``serverUrl``, ``realm``, ``truststore`` or ``trustpass``."""
        value = self._document.get(name)
        return None if value is None else str(value)

    def put(self, name: str, value: str | None) -> None:
        """Set one of the texts; None takes it away."""
        self._document[name] = value

    @property
    def session(self) -> dict[str, Any]:
        """The session of the current server and realm: a copy, empty where there is none.

        Raises:
            KcadmError: no server or no realm is current.
        """
        server, realm = self.text("serverUrl"), self.text("realm")
        if server is None:
            raise KcadmError("Illegal state - no current endpoint in config data")
        if realm is None:
            raise KcadmError("Illegal state - no current realm in config data")
        return dict(self._endpoints().get(server, {}).get(realm, {}))

    def put_session(self, server: str, realm: str, session: dict[str, Any]) -> None:
        """Make this server and realm current, with this session."""
        endpoints = self._endpoints()
        self._document |= {"serverUrl": server, "realm": realm}
        self._document["endpoints"] = endpoints | {server: endpoints.get(server, {}) | {realm: session}}

    def as_json(self) -> str:
        """The content of a file."""
        document = {name: self._document[name] for name in _HEAD if self._document.get(name) is not None}
        document["endpoints"] = {
            server: {
                realm: {name: session[name] for name in _SESSION if session.get(name) is not None}
                for realm, session in realms.items()
            }
            for server, realms in self._endpoints().items()
        }
        return pretty(document)

    def _endpoints(self) -> dict[str, dict[str, Any]]:
        return self._document.get("endpoints") or {}


class ConfigStore(Protocol):
    """Where sessions are kept."""

    def load(self) -> Configuration:
        """What is kept now."""

    def update(self, change: Callable[[Configuration], None]) -> None:
        """Change what is kept, as it is at this moment."""


class MemoryStore:
    """Keeps a session for one command: ``--no-config``, and log-ins on the fly."""

    __slots__ = ("_configuration",)

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def load(self) -> Configuration:
        return self._configuration.copy()

    def update(self, change: Callable[[Configuration], None]) -> None:
        change(self._configuration)


class FileStore:
    """Keeps sessions in a file that only its owner can read, under the same lock as Keycloak's kcadm.sh."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def load(self) -> Configuration:
        """The file's content; empty where there is no file.

        Raises:
            KcadmError: it cannot be read or is not of this format.
        """
        try:
            return self._parse(Path(self._path).read_bytes())
        except (FileNotFoundError, IsADirectoryError):
            return Configuration()
        except OSError as error:
            raise KcadmError(f"Failed to load {self._path}") from error

    def update(self, change: Callable[[Configuration], None]) -> None:
        """Read, change and write the file in one go; it and its folder are made owner-only where they are new.

        Raises:
            KcadmError: the file cannot be read or written.
        """
        path = Path(self._path)
        try:
            if not path.parent.is_dir():
                path.parent.parent.mkdir(parents=True, exist_ok=True)
                path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise KcadmError(f"Failed to create config file: {self._path}") from error
        with open(descriptor, "r+b") as file:  # noqa: PTH123 - it is a descriptor
            # The lock is on the file itself, for that is where kcadm.sh has it: so it is written in place.
            try:
                fcntl.lockf(file, fcntl.LOCK_EX)
            except OSError as error:
                raise KcadmError(f"Failed to get lock on {self._path}") from error
            with contextlib.suppress(PermissionError):  # not its owner, who may still write to it
                os.fchmod(descriptor, 0o600)
            configuration = self._parse(file.read())
            change(configuration)
            try:
                file.seek(0)
                file.write(configuration.as_json().encode())
                file.truncate()
            except OSError as error:
                raise KcadmError(f"Failed to save {self._path}") from error

    def _parse(self, content: bytes) -> Configuration:
        if not content:
            return Configuration()
        try:
            document = parse(content.decode("utf-8", "replace"))
        except BrokenJSON:
            # Without its cause: that may quote the file, and it holds secrets.
            raise KcadmError(f"Failed to load {self._path}") from None
        if not _is_configuration(document):
            raise KcadmError(f"Failed to load {self._path}")
        return Configuration(document)


def _is_configuration(document: Any) -> bool:
    if not isinstance(document, dict) or not document.keys() <= set(_HEAD):
        return False
    endpoints = document.get("endpoints") or {}
    return isinstance(endpoints, dict) and all(
        isinstance(realms, dict) and all(map(_is_session, realms.values())) for realms in endpoints.values()
    )


def _is_session(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and document.keys() <= set(_SESSION)
        and all(isinstance(document.get(name, 0), int | None) for name in _TIMES)
    )
