"""``keyturn``: runs and tends a server. Imports of the server happen in the commands, so that ``--help`` is quick."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from keyturn import __version__
from keyturn.config import SETTINGS, Loaded, SettingsError, load, nearest
from keyturn.setting import Setting

_USAGE: Final = 2
_FAILED: Final = 1


class _OneLine(Exception):
    """Something that the user can mend; the message is one line."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog="Administer with kcadm."
)
@click.version_option(__version__, message="keyturn %(version)s")
def keyturn() -> None:
    """The authorization server for machines: OAuth 2.0 client credentials on Keycloak's wire."""


def options(*fields: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options of these settings (all that have a flag, if none is named), and ``--config``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for setting in reversed(SETTINGS):
            if not setting.secret and (not fields or setting.field in fields):
                command = _option(setting)(command)
        return click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="TOML file with settings. [KEYTURN_CONFIG]",
        )(command)

    return decorate


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    default = setting.shown_default or (None if setting.default is None else str(setting.default))
    help_text = f"{setting.help} [{setting.variable}]" + (f" [default: {default}]" if default else "")
    return click.option(setting.flag, setting.field, multiple=setting.multiple, metavar=setting.metavar, help=help_text)


def settings_of(config: Path | None, flags: dict[str, Any]) -> Loaded:
    """The settings for a command's flags. Raises SettingsError."""
    return load(flags, os.environ, config)


@keyturn.command()
@options()
def serve(config: Path | None, **flags: Any) -> None:
    """Run the server until it is told to stop.

    Settings come from the options, from variables KEYTURN_*, from a TOML file, in this order; some of Keycloak's KC_*
    variables are understood, too. The first administrator comes from KEYTURN_BOOTSTRAP_ADMIN_USERNAME and
    KEYTURN_BOOTSTRAP_ADMIN_PASSWORD; without them, a password is made and shown once.
    """
    loaded = settings_of(config, flags)
    from keyturn.cli.serve import run_server  # dear to import, and not needed to refuse a wrong setting

    run_server(loaded, lambda: settings_of(config, flags))


@keyturn.command()
@options("data", "database", "seal_key_file")
@click.option(
    "--new-seal-key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with the new key; made with a new random key where there is none. [default: in the data directory]",
)
def reseal(config: Path | None, new_seal_key_file: Path | None, **flags: Any) -> None:
    """Change the key that secrets are sealed with. The server must not be running."""
    settings = settings_of(config, flags).settings
    from keyturn.cli.reseal import change_key

    change_key(settings, new_seal_key_file)


@keyturn.command()
@options("data", "database", "seal_key_file")
@click.option("--dry-run", is_flag=True, help="Try it, say what is done and how long it takes, and take it back.")
@click.option("--from", "source", metavar="URL", help="Database to move: sqlite:DIRECTORY or postgresql://…")
@click.option("--to", "target", metavar="URL", help="Empty database to move into, named in the same way.")
def migrate(config: Path | None, dry_run: bool, source: str | None, target: str | None, **flags: Any) -> None:
    """Bring the database to this version's schema; with --from and --to, move everything into another database.

    What was moved is read back and compared, and each client is asked for a token in both. The servers must not be
    running; on PostgreSQL they may, while the schema is migrated.
    """
    if (source is None) is not (target is None):
        raise click.UsageError("--from and --to come together")
    if dry_run and source is not None:
        raise click.UsageError("--dry-run is for the schema alone")
    settings = settings_of(config, flags).settings
    from keyturn.cli.migrate import migrate_schema, move_database

    if source is None or target is None:
        migrate_schema(settings, dry_run=dry_run)
    else:
        move_database(settings, source, target)


@keyturn.command()
@options("data", "seal_key_file")
@click.argument("file", type=click.Path(path_type=Path))
def backup(config: Path | None, file: Path, **flags: Any) -> None:
    """Copy the SQLite database into FILE, whether or not the server is running.

    The seal key is not in it: keep a copy of that elsewhere.
    """
    settings = settings_of(config, flags).settings
    from keyturn.cli.backup import back_up

    back_up(settings, file)


@keyturn.command()
@options()
@click.option("--offline", is_flag=True, help="Ask nothing of the issuer, as before the first start.")
def doctor(config: Path | None, offline: bool, **flags: Any) -> None:
    """Look at a deployment, given the options of serve, and say how to mend what is found.

    Clock, data directory, seal key, database, migrations, certificate, and whether the issuer can be reached. Nothing
    is changed: run it as the server's user. The exit status is 0 where nothing must be mended.
    """
    loaded = settings_of(config, flags)
    from keyturn.cli.doctor import examine

    click.get_current_context().exit(examine(loaded, offline=offline))


@keyturn.command()
@click.option("-r", "--realm", "name", required=True, metavar="REALM", help="The realm of the clients.")
@click.option(
    "--as", "called", required=True, metavar="NAME", help="What the secrets until now are called from then on."
)
@click.option("--overlap", default="14d", metavar="TIME", help="How long they count on: 14d, 12h, 3600. [default: 14d]")
@click.option(
    "--client",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    help="Client ids, with *; repeatable. [default: those with a service account]",
)
@click.option("--kcadm-config", type=click.Path(path_type=Path), metavar="FILE", help="Where kcadm keeps its login.")
@click.option("--dry-run", is_flag=True, help="Print the client ids, and change nothing.")
def rotate(
    name: str, called: str, overlap: str, patterns: tuple[str, ...], kcadm_config: Path | None, dry_run: bool
) -> None:
    """Give many clients new secrets at a running server, and print each as clientId,secret.

    Clients that prove themselves otherwise are left alone. The login is kcadm's (kcadm config credentials). What was
    interrupted is completed by the same command again: who has a secret of that name has been rotated.
    """
    from keyturn.cli.rotate import CannotRotate, rotate_secrets, seconds_of

    try:
        seconds = seconds_of(overlap)
    except ValueError as error:
        raise click.UsageError(f"--overlap: {error}") from None
    try:
        failed = rotate_secrets(name, called, seconds, patterns, config=kcadm_config, dry_run=dry_run)
    except CannotRotate as error:
        _fail(str(error), _FAILED)
    click.get_current_context().exit(_FAILED if failed else 0)


@keyturn.group()
def realm() -> None:
    """Take realms out of a server's database, or into it: as files of Keycloak's format."""


def _places(command: Callable[..., None]) -> Callable[..., None]:
    """The options ``--file`` and ``--dir``."""
    kinds = (("--dir", "directory", "Directory, with files as kc.sh export names them."), ("--file", "file", "File."))
    for flag, name, text in kinds:
        command = click.option(flag, name, type=click.Path(path_type=Path), metavar="PATH", help=text)(command)
    return command


def _one_place(file: Path | None, directory: Path | None) -> None:
    if (file is None) is (directory is None):
        raise click.UsageError("one of --file and --dir is needed")


@realm.command("export")
@options("data", "database", "seal_key_file")
@_places
@click.option("--realm", "names", multiple=True, metavar="NAME", help="Realm, repeatable. [default: all]")
@click.option(
    "--users",
    type=click.Choice(["skip", "realm_file", "same_file", "different_files"]),
    help="Where users go: nowhere, with their realm, in one file beside it, or in several. "
    "[default: with their realm in a file, in several in a directory]",
)
@click.option("--users-per-file", type=click.IntRange(min=1), default=50, help="With different_files. [default: 50]")
def export_realm(
    config: Path | None,
    file: Path | None,
    directory: Path | None,
    names: tuple[str, ...],
    users: str | None,
    users_per_file: int,
    **flags: Any,
) -> None:
    """Write realms with all that is in them, client secrets, private keys and password hashes in the clear.

    A server may be running. Files are for their owner only, and each is written whole or not at all.
    """
    _one_place(file, directory)
    if file is not None and users not in {None, "same_file", "skip"}:
        raise click.UsageError(f"--users {users} needs --dir")
    settings = settings_of(config, flags).settings
    from keyturn.cli.realm_export import DIFFERENT_FILES, export_realms

    export_realms(
        settings, names, file=file, directory=directory, users=users or DIFFERENT_FILES, per_file=users_per_file
    )


@realm.command("import")
@options("data", "database", "seal_key_file", "features")
@_places
@click.option(
    "--existing",
    type=click.Choice(["fail", "skip", "replace"]),
    default="fail",
    help="What happens where a realm is there already. [default: fail]",
)
def import_realm(config: Path | None, file: Path | None, directory: Path | None, existing: str, **flags: Any) -> None:
    """Take realms that keyturn or Keycloak has exported, all or none. The server must not be running.

    A realm that is replaced loses everything that is not in the files. In a new data directory the realm master and
    its administrator are made as at the first start of a server.
    """
    _one_place(file, directory)
    settings = settings_of(config, flags).settings
    from keyturn.cli.realm_import import import_realms

    import_realms(settings, file=file, directory=directory, existing=existing)


def main(arguments: list[str] | None = None) -> None:
    """The process: runs a command and exits with 0, 1 (it failed; one line says why) or 2 (wrong usage)."""
    try:
        status = keyturn.main(arguments, prog_name="keyturn", standalone_mode=False)
    except click.ClickException as error:
        _fail(_message(error), _USAGE)
    except click.Abort:
        _fail("interrupted", _FAILED)
    except SettingsError as error:
        _fail(str(error), _FAILED)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "keyturn":
            raise
        extra = "server,postgresql" if error.name == "psycopg" else "server"
        _fail(f"the server needs {error.name}, which is not installed: pip install 'keyturn[{extra}]'", _FAILED)
    except Exception as error:
        if not _is_expected(error):
            raise
        _fail(str(error), _FAILED)
    sys.exit(status if isinstance(status, int) else 0)


def _message(error: click.ClickException) -> str:
    """Click's message as one line, with the option that was probably meant."""
    if isinstance(error, click.NoSuchOption):
        known = [option for parameter in _parameters(error.ctx) for option in parameter.opts]
        return f"unknown option {error.option_name}{nearest(error.option_name, known)}"
    message = error.format_message()
    return f"{message[:1].lower()}{message[1:]}".rstrip(".").replace("\n", " ")


def _parameters(context: click.Context | None) -> list[click.Parameter]:
    return [] if context is None else context.command.params


def _is_expected(error: Exception) -> bool:
    """Whether the store says in its own words what is wrong. Asked only then: the store is dear to import."""
    from keyturn.store.spi import StoreError

    return isinstance(error, StoreError)


def _fail(message: str, status: int) -> None:
    print(f"keyturn: {message}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
