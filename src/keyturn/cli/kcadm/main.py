"""Where ``kcadm`` and ``kcadm.sh`` start: finds the command, runs it, and turns what failed into messages."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from keyturn.cli.kcadm import console
from keyturn.cli.kcadm.arguments import Arguments, CommandLineError, parse_command_line
from keyturn.cli.kcadm.errors import KcadmError, UsageError

__all__ = ["main"]

_INTERRUPTED: Final = 130
_HELPED: Final = frozenset(
    {
        ("config",),
        ("config", "credentials"),
        ("config", "truststore"),
        *((name,) for name in ("create", "get", "update", "delete", "new-object")),
        *((name,) for name in ("get-roles", "add-roles", "remove-roles", "set-password")),
    }
)


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        status = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except BrokenPipeError:
        # Who read the output has enough of it; nothing more may be written at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)


def run(words: Sequence[str]) -> int:
    """Run one command; its exit status: 0, 1 where it failed, 2 where the arguments make no sense."""
    try:
        arguments = parse_command_line(words)
    except CommandLineError as error:
        return _fail(error, error.command, stack_trace=False)
    command = arguments.command
    try:
        if arguments.anywhere("--help"):
            _print_help(command)
            return 0
        if command == ("help",):
            return _help(arguments.words)
        action = _action(arguments)
        if action is None:
            _print_help(command)
            return UsageError.exit_status
        action(arguments)
    except KcadmError as error:
        return _fail(error, command, stack_trace=arguments.anywhere("-x"))
    except RecursionError:
        return _fail(KcadmError("The JSON is nested too deeply"), command, stack_trace=False)
    return 0


def _action(arguments: Arguments) -> Callable[[Arguments], None] | None:
    """What the command does, imported now; None where it has nothing to do."""
    match arguments.command:
        case ("create" | "get" | "update" | "delete",):
            from keyturn.cli.kcadm.commands import resource

            return None if resource.is_idle(arguments) else resource.run
        case ("add-roles" | "remove-roles",):
            from keyturn.cli.kcadm.commands import roles

            return None if roles.is_idle(arguments) else roles.run
        case ("get-roles",):
            from keyturn.cli.kcadm.commands import get_roles

            return get_roles.run
        case ("set-password",):
            from keyturn.cli.kcadm.commands import set_password

            return None if set_password.is_idle(arguments) else set_password.run
        case ("new-object",):
            from keyturn.cli.kcadm.commands import new_object

            return None if new_object.is_idle(arguments) else new_object.run
        case ("config", "credentials"):
            from keyturn.cli.kcadm.commands import config

            return None if config.is_credentials_idle(arguments) else config.credentials
        case ("config", "truststore"):
            from keyturn.cli.kcadm.commands import config

            return None if config.is_truststore_idle(arguments) else config.truststore
    return None


def _help(words: list[str]) -> int:
    """``help`` and what follows it: the text of the longest command that the words begin with."""
    known = next((tuple(words[:count]) for count in (2, 1) if tuple(words[:count]) in _HELPED), ())
    if words and not known:
        raise UsageError(f"Unknown command: {words[0]}")
    _print_help(known)
    return 0


def _print_help(command: tuple[str, ...]) -> None:
    from keyturn.cli.kcadm.config_file import home
    from keyturn.cli.kcadm.help_texts import help_text

    console.write(help_text(command, home()))


def _fail(error: KcadmError, command: tuple[str, ...], *, stack_trace: bool) -> int:
    console.error_line(str(error))
    if isinstance(error, UsageError):
        name = " ".join(("kcadm.sh", *command))
        where = name if command == ("help",) else f"{name} --help"
        console.note(f"Try '{where}' for more information on the available options.")
    if stack_trace:
        import traceback

        console.note("".join(traceback.format_exception(error)).rstrip())
    return error.exit_status


if __name__ == "__main__":
    main()
