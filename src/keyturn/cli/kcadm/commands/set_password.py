"""``set-password``: a user's new password."""

import os
from typing import Final

from keyturn.cli.kcadm import console
from keyturn.cli.kcadm.answers import send_json
from keyturn.cli.kcadm.arguments import Arguments
from keyturn.cli.kcadm.errors import UsageError
from keyturn.cli.kcadm.lookup import Lookup
from keyturn.cli.kcadm.session import AUTHENTICATION_OPTIONS, open_session, open_store

__all__ = ["is_idle", "run"]

_SOMETHING: Final = (*AUTHENTICATION_OPTIONS, "--username", "--userid", "--new-password")


def is_idle(arguments: Arguments) -> bool:
    """Whether there is nothing to do: only the help is wanted."""
    return not arguments.given(*_SOMETHING)


def run(arguments: Arguments) -> None:
    """Set the password.

    Raises:
        UsageError: no user is named, or one in two ways.
        KcadmError: there is no such user or no password, or the server refused.
    """
    store = open_store(arguments)
    username, user_id = arguments.text("--username"), arguments.text("--userid")
    if username is None and user_id is None:
        raise UsageError("No user specified. Use --username or --userid to specify user")
    if username is not None and user_id is not None:
        raise UsageError("Options --userid and --username are mutually exclusive")
    password = arguments.text("--new-password")
    if password is None:
        password = os.environ.get("KC_CLI_PASSWORD")
    if password is None:
        password = console.read_password("password")
    with open_session(arguments, store) as session:
        lookup = Lookup(session, arguments)
        if username is not None:
            user_id = lookup.user_id(username)
        credential = {"type": "password", "value": password, "temporary": arguments.flag("--temporary")}
        send_json(lookup.session, "PUT", lookup.url(f"users/{user_id}/reset-password"), credential, secret=True)
