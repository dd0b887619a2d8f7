"""``get-roles``: the roles of a realm or client, or those of a user, a group or a composite role."""

from keyturn.cli.kcadm.arguments import Arguments
from keyturn.cli.kcadm.commands.resource import check_format, describe, perform, with_body
from keyturn.cli.kcadm.commands.roles import check_client, check_composite, check_subjects, check_user_and_group
from keyturn.cli.kcadm.errors import UsageError
from keyturn.cli.kcadm.lookup import Lookup
from keyturn.cli.kcadm.session import open_session, open_store

__all__ = ["run"]


def run(arguments: Arguments) -> None:
    """Print the roles.

    Raises:
        UsageError: options do not go together.
        KcadmError: who is named does not exist, or the server refused.
    """
    check_user_and_group(arguments)
    if arguments.given("--roleid") and arguments.given("--rolename"):
        raise UsageError("Incompatible options: --roleid and --rolename are mutually exclusive")
    check_composite(arguments)
    check_client(arguments)
    check_subjects(arguments)
    for other in ("effective", "available"):
        if arguments.flag("--all") and arguments.flag(f"--{other}"):
            raise UsageError(f"Incompatible options: --all can't be used at the same time as --{other}")
    store = open_store(arguments)
    request = describe(arguments)
    check_format(arguments)
    with open_session(arguments, store) as session:
        uri = _uri(arguments, Lookup(session, arguments))
        perform(arguments, session, uri, with_body(arguments, request))


def _uri(arguments: Arguments, lookup: Lookup) -> str:
    subject = _user_or_group(arguments, lookup)
    client = arguments.text("--cid")
    if (name := arguments.text("--cclientid")) is not None:
        client = lookup.client_id(name)
    if subject is not None:
        return _mappings(arguments, subject, client)
    if (composite := _composite(arguments)) is not None:
        return _composites(arguments, composite, client)
    role = arguments.text("--rolename")
    if (role_id := arguments.text("--roleid")) is not None:
        role = lookup.role_name(client, role_id)
    roles = "roles" if client is None else f"clients/{client}/roles"
    return roles if role is None else f"{roles}/{role}"


def _user_or_group(arguments: Arguments, lookup: Lookup) -> str | None:
    if (username := arguments.text("--uusername")) is not None:
        return f"users/{lookup.user_id(username)}"
    if (user_id := arguments.text("--uid")) is not None:
        return f"users/{user_id}"
    if (name := arguments.text("--gname")) is not None:
        return f"groups/{lookup.group_id(name)}"
    if (path := arguments.text("--gpath")) is not None:
        return f"groups/{lookup.group_id_by_path(path)}"
    group_id = arguments.text("--gid")
    return None if group_id is None else f"groups/{group_id}"


def _mappings(arguments: Arguments, subject: str, client: str | None) -> str:
    if client is None and arguments.flag("--all"):
        return f"{subject}/role-mappings"
    of = "realm" if client is None else f"clients/{client}"
    which = ""
    if arguments.flag("--available"):
        which = "/available"
    elif arguments.flag("--effective"):
        which = "/composite"
    return f"{subject}/role-mappings/{of}{which}"


def _composite(arguments: Arguments) -> str | None:
    if (name := arguments.text("--rname")) is not None:
        return f"roles/{name}"
    role_id = arguments.text("--rid")
    return None if role_id is None else f"roles-by-id/{role_id}"


def _composites(arguments: Arguments, composite: str, client: str | None) -> str:
    if arguments.flag("--available"):
        listing = "" if client is None else f" --cid {client}"
        what = "realm roles" if client is None else "client roles for that client"
        raise UsageError(
            "Option --available not supported with composite roles. "
            f"Try 'kcadm.sh get-roles{listing}' for full list of {what}"
        )
    if arguments.flag("--effective"):
        raise UsageError("Option --effective not supported with composite roles.")
    if client is not None:
        return f"{composite}/composites/clients/{client}"
    return f"{composite}/composites" if arguments.flag("--all") else f"{composite}/composites/realm"
