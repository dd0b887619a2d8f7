"""Which options each command has: names, what they are called in messages, and whether they take a value.

The order of a command's options is that in which Keycloak's messages list them.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = ["COMMANDS", "Command", "Kind", "Option"]


class Kind(Enum):
    """What an option takes: nothing, one text, one number, or a text each time it is given."""

    FLAG = "flag"
    TEXT = "text"
    NUMBER = "number"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its names, the shortest first, and its value's name in messages."""

    names: tuple[str, ...]
    kind: Kind
    label: str

    @property
    def name(self) -> str:
        """The long name, by which messages and the code know it."""
        return self.names[-1]


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its words, its options, and how many words it takes besides; None for as many as there are."""

    words: tuple[str, ...]
    options: tuple[Option, ...]
    positionals: int | None = 0
    subcommands: tuple[str, ...] = ()


def _flag(*names: str) -> Option:
    return Option(names, Kind.FLAG, "")


def _text(label: str, *names: str) -> Option:
    return Option(names, Kind.TEXT, label)


def _texts(label: str, *names: str) -> Option:
    return Option(names, Kind.TEXTS, label)


def _number(label: str, *names: str) -> Option:
    return Option(names, Kind.NUMBER, label)


_GLOBAL: Final = (_flag("--help"), _flag("-x"))
_LOGIN: Final = (
    *_GLOBAL,
    _text("config", "--config"),
    _flag("--no-config"),
    _text("server", "--server"),
    _text("realm", "--realm"),
    _text("clientId", "--client"),
    _text("user", "--user"),
    _text("password", "--password"),
    _text("secret", "--secret"),
    _text("keystore", "--keystore"),
    _text("storePass", "--storepass"),
    _text("keyPass", "--keypass"),
    _text("alias", "--alias"),
    _text("trustStore", "--truststore"),
    _text("trustPass", "--trustpass"),
    _flag("--insecure"),
)
_TARGET: Final = (
    *_LOGIN,
    _text("targetRealm", "-r", "--target-realm"),
    _text("token", "--token"),
    _text("adminRestRoot", "-a", "--admin-root"),
)
_FIELDS: Final = _text("fields", "-F", "--fields")
_PRINT_HEADERS: Final = _flag("-H", "--print-headers")
_COMPRESSED: Final = _flag("-c", "--compressed")
_REQUEST: Final = (
    *_TARGET,
    _FIELDS,
    _PRINT_HEADERS,
    _COMPRESSED,
    _texts("rawHeaders", "-h", "--header"),
    _texts("rawFilters", "-q", "--query"),
    _texts("set", "-s", "--set"),
    _texts("delete", "-d", "--delete"),
)
_READING: Final = (
    *_REQUEST,
    _number("offset", "-o", "--offset"),
    _number("limit", "-l", "--limit"),
    _text("format", "--format"),
    _flag("--noquotes"),
)
_BODY: Final = (
    *_REQUEST,
    _text("file", "-f", "--file"),
    _text("body", "-b", "--body"),
    _flag("-o", "--output"),
)
_RETURN_ID: Final = _flag("-i", "--id")
_SUBJECT: Final = (
    _text("uusername", "--uusername"),
    _text("uid", "--uid"),
    _text("gname", "--gname"),
    _text("gpath", "--gpath"),
    _text("gid", "--gid"),
    _text("rname", "--rname"),
    _text("rid", "--rid"),
    _text("cclientid", "--cclientid"),
    _text("cid", "--cid"),
)
_ROLES: Final = (*_TARGET, *_SUBJECT, _texts("roleNames", "--rolename"), _texts("roleIds", "--roleid"))

COMMANDS: Final = {
    command.words: command
    for command in (
        Command(
            (),
            _GLOBAL,
            subcommands=(
                "help",
                "config",
                "new-object",
                "create",
                "get",
                "update",
                "delete",
                "add-roles",
                "remove-roles",
                "get-roles",
                "set-password",
            ),
        ),
        Command(("help",), (), None),
        Command(("config",), _TARGET, subcommands=("credentials", "truststore")),
        Command(("config", "credentials"), (*_LOGIN, _flag("--status"))),
        Command(("config", "truststore"), (*_LOGIN, _flag("-d", "--delete")), 1),
        Command(
            ("new-object",), (*_GLOBAL, _COMPRESSED, _text("file", "-f", "--file"), _texts("values", "-s", "--set"))
        ),
        Command(("create",), (*_BODY, _RETURN_ID), 1),
        Command(("get",), _READING, 1),
        Command(("update",), (*_BODY, _flag("-m", "--merge"), _flag("-n", "--no-merge")), 1),
        Command(("delete",), (*_BODY, _RETURN_ID), 1),
        Command(("add-roles",), _ROLES),
        Command(("remove-roles",), _ROLES),
        Command(
            ("get-roles",),
            (
                *_READING,
                *_SUBJECT,
                _text("rolename", "--rolename"),
                _text("roleid", "--roleid"),
                _flag("--available"),
                _flag("--effective"),
                _flag("--all"),
            ),
            1,
        ),
        Command(
            ("set-password",),
            (
                *_TARGET,
                _text("username", "--username"),
                _text("userid", "--userid"),
                _text("pass", "-p", "--new-password"),
                _flag("-t", "--temporary"),
            ),
        ),
    )
}
"""Every command by its words; the empty one is what stands before a command."""
