"""``add-roles`` and ``remove-roles``: roles of users, groups and composite roles."""

from typing import Any, Final

from keyturn.cli.kcadm.answers import send_json
from keyturn.cli.kcadm.arguments import Arguments
from keyturn.cli.kcadm.errors import KcadmError, UsageError
from keyturn.cli.kcadm.json_document import compact
from keyturn.cli.kcadm.lookup import Lookup
from keyturn.cli.kcadm.session import AUTHENTICATION_OPTIONS, open_session, open_store

__all__ = ["check_client", "check_composite", "check_subjects", "check_user_and_group", "is_idle", "run"]

_SUBJECTS: Final = ("--uusername", "--uid", "--gname", "--gpath", "--gid", "--rname", "--rid")
_ROLES: Final = ("--rolename", "--roleid")
_METHODS: Final = {"add-roles": ("add", "POST"), "remove-roles": ("remove", "DELETE")}
_USER, _GROUP, _COMPOSITE = _SUBJECTS[:2], _SUBJECTS[2:5], _SUBJECTS[5:]


def is_idle(arguments: Arguments) -> bool:
    """Whether there is nothing to do: only the help is wanted."""
    return not arguments.given(*AUTHENTICATION_OPTIONS, *_SUBJECTS, *_ROLES)


def run(arguments: Arguments) -> None:
    """Add or remove the roles.

    Raises:
        UsageError: it is not said whose or which roles, or two of these at once.
        KcadmError: one of them does not exist, or the server refused.
    """
    verb, method = _METHODS[arguments.command[0]]
    store = open_store(arguments)
    check_user_and_group(arguments)
    if not arguments.given(*_ROLES):
        raise UsageError(f"No role to {verb} specified. Use --rolename or --roleid to specify roles to {verb}")
    check_client(arguments)
    check_composite(arguments)
    check_subjects(arguments)
    if not arguments.given(*_SUBJECTS):
        raise UsageError(
            "No user nor group nor composite role specified. Use --uusername / --uid to specify user or --gname / "
            "--gid / --gpath to specify group or --rname / --rid to specify a composite role"
        )
    with open_session(arguments, store) as session:
        lookup = Lookup(session, arguments)
        subject = _subject(arguments, lookup)
        client = arguments.text("--cid")
        if (name := arguments.text("--cclientid")) is not None:
            client = lookup.client_id(name)
        wanted = _wanted(arguments, lookup.roles(client))
        if arguments.given(*_COMPOSITE):
            uri = f"roles-by-id/{subject}/composites"
        else:
            mappings = "realm" if client is None else f"clients/{client}"
            uri = f"{subject}/role-mappings/{mappings}"
        send_json(lookup.session, method, lookup.url(uri), wanted)


def check_user_and_group(arguments: Arguments) -> None:
    """Raises UsageError: one user or one group is named in two ways."""
    if arguments.given("--uid") and arguments.given("--uusername"):
        raise UsageError("Incompatible options: --uid and --uusername are mutually exclusive")
    if sum(map(arguments.given, _GROUP)) > 1:
        raise UsageError("Incompatible options: --gid, --gname and --gpath are mutually exclusive")


def check_client(arguments: Arguments) -> None:
    """Raises UsageError: one client is named in two ways."""
    if arguments.given("--cid") and arguments.given("--cclientid"):
        raise UsageError("Incompatible options: --cid and --cclientid are mutually exclusive")


def check_composite(arguments: Arguments) -> None:
    """Raises UsageError: one composite role is named in two ways."""
    if arguments.given("--rid") and arguments.given("--rname"):
        raise UsageError("Incompatible options: --rid and --rname are mutually exclusive")


def check_subjects(arguments: Arguments) -> None:
    """Raises UsageError: more than one of a user, a group and a composite role is named."""
    user, group, composite = (arguments.given(*names) for names in (_USER, _GROUP, _COMPOSITE))
    pair = None
    if user and group:
        pair = ("--uusername / --uid", "--gname / --gid / --gpath")
    elif user and composite:
        pair = ("--uusername / --uid", "--rname / --rid")
    elif group and composite:
        pair = ("--rname / --rid", "--gname / --gid / --gpath")
    if pair:
        raise UsageError(f"Incompatible options: {pair[0]} can't be used at the same time as {pair[1]}")


def _subject(arguments: Arguments, lookup: Lookup) -> str:
    """The path of the user or group, or the id of the composite role."""
    username, group, path = (arguments.text(name) for name in ("--uusername", "--gname", "--gpath"))
    if arguments.given(*_USER):
        return f"users/{arguments.text('--uid') if username is None else lookup.user_id(username)}"
    if group is not None:
        return f"groups/{lookup.group_id(group)}"
    if path is not None:
        return f"groups/{lookup.group_id_by_path(path)}"
    if (group_id := arguments.text("--gid")) is not None:
        return f"groups/{group_id}"
    name = arguments.text("--rname")
    return arguments.text("--rid") or "" if name is None else lookup.realm_role_id(name)


def _wanted(arguments: Arguments, roles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The roles that are asked for, each once: by names, then by ids."""
    wanted: list[dict[str, Any]] = []
    for option, attribute in (("--rolename", "name"), ("--roleid", "id")):
        for value in arguments.texts(option):
            matches = [role for role in roles if _text(role.get(attribute)) == value]
            if len(matches) > 1:
                raise KcadmError("More than one match")
            if not matches:
                raise KcadmError(f"Role not found for {attribute}: {value}")
            if matches[0] not in wanted:
                wanted.append(matches[0])
    return wanted


def _text(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)
