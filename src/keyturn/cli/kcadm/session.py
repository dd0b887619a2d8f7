"""From arguments to an authenticated session: server, realm, trust and token for one command."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyturn.cli.kcadm import console
from keyturn.cli.kcadm.arguments import Arguments
from keyturn.cli.kcadm.config_file import ConfigStore, Configuration, FileStore, MemoryStore, default_path
from keyturn.cli.kcadm.errors import KcadmError, UsageError
from keyturn.cli.kcadm.http_connection import HTTPConnection
from keyturn.cli.kcadm.login import ClientCredentials, UserCredentials, fresh_token, log_in

if TYPE_CHECKING:
    import ssl

__all__ = ["AUTHENTICATION_OPTIONS", "Session", "authenticate", "open_session", "open_store"]

AUTHENTICATION_OPTIONS: Final = (
    "--token",
    "--server",
    "--realm",
    "--client",
    "--secret",
    "--user",
    "--password",
    "--keystore",
    "--storepass",
    "--keypass",
    "--alias",
    "--truststore",
    "--trustpass",
    "--config",
)
"""The options that give a command something to do."""
_LOGIN_OPTIONS: Final = ("--user", "--password", "--secret", "--keystore", "--keypass", "--storepass", "--alias")
_DEFAULT_CLIENT: Final = "admin-cli"


@dataclass(frozen=True, slots=True)
class Session:
    """What a command talks to: an open connection, a server, a target realm, and the headers of whom it speaks for."""

    http: HTTPConnection
    server: str
    target_realm: str | None
    authorization: dict[str, str]

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()


def open_store(arguments: Arguments) -> ConfigStore:
    """Where the session is kept: the session file, or with ``--no-config`` nowhere.

    Raises:
        UsageError: both are asked for.
        KcadmError: with ``--no-config``, server or realm is missing.
    """
    path = arguments.text("--config")
    if not arguments.flag("--no-config"):
        return FileStore(default_path() if path is None else path)
    if path is not None:
        raise UsageError("Options --config and --no-config are mutually exclusive")
    configuration = _with_arguments(Configuration(), arguments)
    _ = configuration.session
    return MemoryStore(configuration)


def open_session(arguments: Arguments, store: ConfigStore) -> Session:
    """The session of the file, renewed where needed; or a new one for this command where the arguments say who.

    Raises:
        KcadmError: nobody said which server, or it refuses.
    """
    configuration = _with_arguments(store.load(), arguments)
    server = configuration.text("serverUrl")
    if server is None:
        raise KcadmError("No server specified. Use --server, or 'kcadm.sh config credentials'.")
    if configuration.text("realm") is None and configuration.external_token is None:
        raise KcadmError("No realm or token specified. Use --realm, --token, or 'kcadm.sh config credentials'.")
    http = connect(arguments, configuration)
    try:
        token, realm = _token(arguments, configuration, store, http)
    except KcadmError:
        http.close()
        raise
    target = arguments.text("--target-realm")
    return Session(
        http,
        server,
        realm if target is None else target,
        {} if token is None else {"Authorization": f"Bearer {token}"},
    )


def _token(
    arguments: Arguments, configuration: Configuration, store: ConfigStore, http: HTTPConnection
) -> tuple[str | None, str | None]:
    """The token to show, if there is one, and the realm that it is from."""
    token = configuration.external_token
    if token is None and arguments.given(*_LOGIN_OPTIONS):
        store = MemoryStore(configuration)
        authenticate(arguments, store, http)
        configuration = store.load()
    if token is None:
        token = fresh_token(configuration, store, http)
    return token, configuration.text("realm")


def connect(arguments: Arguments, configuration: Configuration) -> HTTPConnection:
    """A connection that trusts what ``--truststore`` or the session file says.

    Raises:
        KcadmError: the truststore cannot be read.
    """
    server = configuration.text("serverUrl") or ""
    prepared = _tls(arguments, configuration) if server.startswith("https:") else None
    return HTTPConnection(prepared or _system_trust)


def authenticate(
    arguments: Arguments,
    store: ConfigStore,
    http: HTTPConnection | None = None,
) -> None:
    """Log in as the arguments say, and keep the session in `store`.

    Raises:
        UsageError: two ways to authenticate the client at once.
        KcadmError: a password is missing, or the server refuses.
    """
    server, realm = arguments.text("--server"), arguments.text("--realm")
    if server is None or realm is None:
        known = _with_arguments(store.load(), arguments)
        server, realm = known.text("serverUrl") or "", known.text("realm") or ""
    client_id = arguments.text("--client")
    client_id = _DEFAULT_CLIENT if client_id is None else client_id
    username = arguments.text("--user")
    who = f"user {username}" if username is not None else f"service-account-{client_id}"
    console.note(f"Logging into {server} as {who} of realm {realm}")
    user = None
    if username is not None:
        user = UserCredentials(username, _secret(arguments, "--password", "KC_CLI_PASSWORD", "password"))
    client = _client(arguments, client_id, f"{server}/realms/{realm}", alone=user is None)
    if http is not None:
        log_in(store, http, server, realm, client, user)
        return
    with connect(arguments, _with_arguments(store.load(), arguments)) as own:
        log_in(store, own, server, realm, client, user)


def _client(arguments: Arguments, client_id: str, audience: str, *, alone: bool) -> ClientCredentials:
    keystore, secret = arguments.text("--keystore"), arguments.text("--secret")
    if keystore is None:
        if secret is None and alone:
            secret = _secret(arguments, "--secret", "KC_CLI_CLIENT_SECRET", "client secret")
        return ClientCredentials(client_id, secret)
    if secret is not None:
        raise UsageError("Can't use both --keystore and --secret")
    if not os.path.isfile(keystore):  # noqa: PTH113 - pathlib is imported only where it is needed
        raise KcadmError(f"No such keystore file: {keystore}")
    store_password = _secret(arguments, "--storepass", "KC_CLI_STORE_PASSWORD", "keystore password")
    key_password = arguments.text("--keypass")
    if key_password is None:
        key_password = os.environ.get("KC_CLI_KEY_PASSWORD")
    if key_password is None:
        prompted = not arguments.given("--storepass") and "KC_CLI_STORE_PASSWORD" not in os.environ
        key_password = console.read_password("key password") if prompted else store_password
    # It imports cryptography, which takes as long as all the rest.
    from keyturn.cli.kcadm.client_assertion import sign_assertion

    alias = arguments.text("--alias")
    signed = sign_assertion(
        keystore,
        client_id if alias is None else alias,
        store_password=store_password,
        key_password=key_password,
        client_id=client_id,
        audience=audience,
    )
    return ClientCredentials(client_id, signing_token=signed)


def _secret(arguments: Arguments, option: str, variable: str, what: str) -> str:
    value = arguments.text(option)
    if value is None:
        value = os.environ.get(variable)
    return console.read_password(what) if value is None else value


def _with_arguments(configuration: Configuration, arguments: Arguments) -> Configuration:
    for option, name in (("--server", "serverUrl"), ("--realm", "realm"), ("--truststore", "truststore")):
        if (value := arguments.text(option)) is not None:
            configuration.put(name, value)
    if (token := arguments.text("--token")) is not None:
        configuration.external_token = token
    return configuration


def _tls(arguments: Arguments, configuration: Configuration) -> "Callable[[], ssl.SSLContext]":
    from keyturn.cli.kcadm import tls  # only for https

    truststore = configuration.text("truststore")
    if arguments.flag("--insecure"):
        console.note("The server is configured to use TLS but there is no truststore specified.")
        console.note("The tool will skip certificate validation. This is highly discouraged for production use cases")
        prepared = tls.context(None, None, verify=False)
    elif truststore is None:
        prepared = tls.context(None, None, verify=True)
    else:
        password = arguments.text("--trustpass")
        if password is None:
            password = configuration.text("trustpass") or os.environ.get("KC_CLI_TRUSTSTORE_PASSWORD")
        if password is None and not tls.is_pem(truststore):
            password = console.read_password("truststore password")
        prepared = tls.context(truststore, password, verify=True)
    return lambda: prepared


def _system_trust() -> "ssl.SSLContext":
    from keyturn.cli.kcadm import tls  # an http server that redirects to https

    return tls.context(None, None, verify=True)
