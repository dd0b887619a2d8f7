"""``keyturn serve``: starts the server and tells, in plain text on standard output, where it is and what comes next."""

import logging
import shlex
import sys
from collections.abc import Callable
from typing import Final

from keyturn import __version__
from keyturn.config import Loaded, Settings, SettingsError
from keyturn.http.bootstrap import FirstAdministrator
from keyturn.http.logs import configure_logs
from keyturn.http.serve import Started, run
from keyturn.http.supervisor import WorkerFailed
from keyturn.http.tls import TRUSTSTORE_PASSWORD

_LOGGER: Final = logging.getLogger("keyturn.serve")
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to


def run_server(loaded: Loaded, load: Callable[[], Loaded]) -> None:
    """Serves until the process is told to stop; `load` reads the settings again. Raises SettingsError, StoreError."""
    settings = loaded.settings
    configure_logs(settings.log_level, settings.log_format)
    for warning in loaded.warnings:
        _LOGGER.warning("%s", warning)
    if settings.proxy_headers != "none" and not settings.proxy_trusted_addresses:
        _LOGGER.warning("proxy headers are believed from every address: --proxy-trusted-addresses names the proxies")
    try:
        run(settings, load=load, on_terminal=sys.stdout.isatty(), announce=_announce)
    except WorkerFailed as error:
        raise SettingsError(str(error)) from None
    print("keyturn has stopped", flush=True)


def _announce(started: Started) -> None:
    print("\n".join(start_text(started)), flush=True)


def start_text(started: Started) -> list[str]:
    """The lines that say where a server is and what comes next."""
    settings = started.settings
    lines = [f"keyturn {__version__} is ready", ""]
    rows = [(kind, url) for kind, url in _addresses(settings) if url]
    rows.append(("data", str(started.data)))
    lines += [f"  {kind:<12} {text}" for kind, text in rows]
    base_url = server_url(settings)
    if started.tls is not None and started.tls.ca is not None and started.tls.truststore is not None:
        truststore = shlex.quote(str(started.tls.truststore))
        lines += [
            "",
            f"  This is a development certificate. Its CA is {started.tls.ca}",
            "  Let kcadm trust it:",
            f"    kcadm.sh config truststore --trustpass {TRUSTSTORE_PASSWORD} {truststore}",
        ]
    if started.administrator is not None:
        lines += ["", *administrator_text(started.administrator, base_url)]
    return lines


def server_url(settings: Settings) -> str:
    """The address to try first."""
    host = settings.host
    if host in {"127.0.0.1", "::1", *_EVERYWHERE}:
        host = "localhost"  # it is in the development certificate
    host = f"[{host}]" if ":" in host else host
    if settings.https_port:
        return f"https://{host}:{settings.https_port}"
    return f"http://{host}:{settings.http_port}"


def _addresses(settings: Settings) -> list[tuple[str, str]]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return [
        ("https", f"https://{host}:{settings.https_port}" if settings.https_port else ""),
        ("mtls", f"https://{host}:{settings.mtls_port}" if settings.mtls_port else ""),
        ("http", f"http://{host}:{settings.http_port}" if settings.http_port else ""),
        (
            "management",
            f"http://{host}:{settings.management_port}/health and /metrics" if settings.management_port else "",
        ),
        ("hostname", settings.hostname or ""),
    ]


def administrator_text(administrator: FirstAdministrator, base_url: str) -> list[str]:
    """The lines that say who the first administrator is, and how to log in."""
    lines = []
    if administrator.username is not None:
        user = shlex.quote(administrator.username)
        lines += [
            f"  The realm master is new; its administrator is {administrator.username}. Log in:",
            f"    kcadm.sh config credentials --server {base_url} --realm master --user {user}",
        ]
        if administrator.password is not None:
            lines += ["", f"  password: {administrator.password}", "  It is shown this once and is written nowhere."]
        elif administrator.password_file is not None:
            lines += ["", f"  The password is in {administrator.password_file}: delete the file once you know it."]
    if administrator.client_id is not None:
        client = shlex.quote(administrator.client_id)
        lines += [
            f"  The realm master has the administrator's service account {administrator.client_id}. Log in:",
            f"    kcadm.sh config credentials --server {base_url} --realm master --client {client}",
        ]
    return lines
