"""The server's settings, each declared once; flags, variables and the documentation follow from it.

What is given is taken from flags, ``KEYTURN_*``, the ``KC_*`` that are Keycloak's, the TOML file, in this order.
Secrets are never in a message, nor in a repr. Reads no file but the TOML one.
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from keyturn import setting_values as values
from keyturn.setting import Setting
from keyturn.setting import setting as _setting
from keyturn.setting_values import Network

ClientAuth = Literal["none", "request", "required"]
ProxyHeaders = Literal["none", "forwarded", "xforwarded"]
CertificateHeader = Literal["none", "rfc9440", "envoy", "nginx", "haproxy"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]
BatchSigning = Literal["auto", "off"]

CONFIG_VARIABLE: Final = "KEYTURN_CONFIG"
"""Names the TOML file, like ``--config``."""

# Where the TOML file is, and where kcadm connects to.
_OTHER_VARIABLES: Final = frozenset({CONFIG_VARIABLE, "KEYTURN_CONNECT_TO"})
# Kubernetes sets these for a Service that is called keyturn.
_KUBERNETES: Final = ("KEYTURN_SERVICE_HOST", "KEYTURN_SERVICE_PORT", "KEYTURN_PORT")


class SettingsError(Exception):
    """A setting cannot be used; the message is one line and names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``keyturn serve`` does, and where."""

    data: Path = _setting(
        values.path,
        "DIR",
        "Directory for the database, keys and development certificates; made where there is none, its owner's alone. "
        "One server at a time uses it.",
        factory=values.data_directory,
        shown_default="a per-user data directory",
    )
    database: str | None = _setting(
        values.database,
        "URL",
        "PostgreSQL database postgresql://USER@HOST/NAME, which several servers can share; needs the extra "
        "`postgresql`. A password is better kept in KEYTURN_DATABASE, or where PostgreSQL's own clients look for it. "
        "Without it, SQLite in the data directory.",
        private=True,
        shown_default="SQLite",
    )
    max_staleness: int = _setting(
        values.positive_seconds,
        "SECONDS",
        "For how long a server that cannot reach its PostgreSQL database goes on giving tokens from what it remembers, "
        "in seconds; it answers 503 after that. What needs the database fails at once.",
        10,
    )
    host: str = _setting(values.text, "ADDRESS", "Address to listen on; 0.0.0.0 or :: for all.", "127.0.0.1")
    http_port: int = _setting(values.port, "PORT", "Port for plain HTTP; 0 turns it off.", 8080, kc="KC_HTTP_PORT")
    https_port: int = _setting(values.port, "PORT", "Port for HTTPS; 0 turns it off.", 8443, kc="KC_HTTPS_PORT")
    management_port: int = _setting(
        values.port,
        "PORT",
        "Port for /health and /metrics, plain HTTP, on the same address; 0 turns it off.",
        9000,
    )
    tls_certificate: Path | None = _setting(
        values.path,
        "FILE",
        "Certificate chain in PEM. Without it, keyturn makes a development CA and certificate of its own.",
        kc="KC_HTTPS_CERTIFICATE_FILE",
        reloaded=True,
    )
    tls_key: Path | None = _setting(
        values.path,
        "FILE",
        "Private key of the certificate, in PEM.",
        kc="KC_HTTPS_CERTIFICATE_KEY_FILE",
        reloaded=True,
    )
    tls_development_name: tuple[str, ...] = _setting(
        values.texts,
        "NAME",
        "One more host name or address for the development certificate, besides localhost and 127.0.0.1; repeatable.",
        (),
        multiple=True,
        shown_default="none",
    )
    https_client_auth: ClientAuth = _setting(
        values.one_of(get_args(ClientAuth)),
        "|".join(get_args(ClientAuth)),
        "Whether clients are asked for a certificate on the HTTPS port: never, without need, or with need. One that "
        "nobody here trusts ends the connection.",
        "none",
        kc="KC_HTTPS_CLIENT_AUTH",
    )
    mtls_port: int = _setting(
        values.port,
        "PORT",
        "Port for HTTPS on which clients must show a certificate, announced as mtls_endpoint_aliases (RFC 8705); 0 "
        "turns it off.",
        0,
    )
    mtls_url: str | None = _setting(
        values.text,
        "URL",
        "Where clients reach that port, if its address is not that of the issuer.",
        shown_default="the host of the issuer, with the port",
    )
    https_trust_store_file: Path | None = _setting(
        values.path,
        "FILE",
        "Certificate authorities in PEM that may say who any client is. A client can also name its own.",
        kc="KC_HTTPS_TRUST_STORE_FILE",
        shown_default="none",
        reloaded=True,
    )
    hostname: str | None = _setting(
        values.text,
        "NAME|URL",
        "Host name or full URL under which clients reach the server; pins the issuer of tokens. A name leaves scheme "
        "and port to the request. Without it the issuer follows the Host header.",
        kc="KC_HOSTNAME",
        reloaded=True,
    )
    proxy_headers: ProxyHeaders = _setting(
        values.one_of(get_args(ProxyHeaders)),
        "|".join(get_args(ProxyHeaders)),
        "Which headers of a reverse proxy tell the client's address, host and scheme: none, RFC 7239 Forwarded, or "
        "X-Forwarded-*.",
        "none",
        kc="KC_PROXY_HEADERS",
        reloaded=True,
    )
    proxy_trusted_addresses: tuple[Network, ...] = _setting(
        values.networks,
        "ADDRESS",
        "Proxy whose headers count: an address or a network in CIDR notation; repeatable. Without it, every peer's do.",
        (),
        multiple=True,
        shown_default="all",
        reloaded=True,
    )
    proxy_client_certificate: CertificateHeader = _setting(
        values.one_of(get_args(CertificateHeader)),
        "|".join(get_args(CertificateHeader)),
        "Which header of the proxies that --proxy-trusted-addresses names holds the client's certificate: RFC 9440 "
        "Client-Cert, Envoy's X-Forwarded-Client-Cert, or ssl-client-cert with ssl-client-verify.",
        "none",
        reloaded=True,
    )
    outbound_allowed_addresses: tuple[Network, ...] = _setting(
        values.networks,
        "ADDRESS",
        "Private address, or network in CIDR notation, that key sets (jwks.url) may be fetched from; repeatable. From "
        "public addresses they always may, and from the server's own.",
        (),
        multiple=True,
        shown_default="none",
        reloaded=True,
    )
    outbound_trusted_certificates: Path | None = _setting(
        values.path,
        "FILE",
        "Certificate authorities in PEM that are trusted when key sets are fetched, besides the system's.",
        shown_default="none",
        reloaded=True,
    )
    housekeeping_interval: int = _setting(
        values.seconds,
        "SECONDS",
        "How often expired sessions and events are removed, in seconds; 0 is never.",
        900,
    )
    shutdown_timeout: int = _setting(
        values.seconds,
        "SECONDS",
        "How long requests in flight may take to finish after SIGTERM, in seconds.",
        10,
        reloaded=True,
    )
    workers: int = _setting(
        values.count,
        "N",
        "How many processes serve: about as many as there are cores. Several have one more that starts them, and "
        "replaces those that fail.",
        1,
    )
    batch_signing: BatchSigning = _setting(
        values.one_of(get_args(BatchSigning)),
        "|".join(get_args(BatchSigning)),
        "Whether RS256 tokens that are asked for at the same time are signed together: auto is where the extra `fast` "
        "is installed and the processor has AVX512-IFMA.",
        "auto",
    )
    features: tuple[str, ...] = _setting(
        values.texts,
        "NAME",
        "A preview to turn on; repeatable.",
        (),
        kc="KC_FEATURES",
        multiple=True,
        shown_default="none",
    )
    seal_key_file: Path | None = _setting(
        values.path,
        "FILE",
        "File with the key that secrets are sealed with in the database. Without it (and without KEYTURN_SEAL_KEY) the "
        "key is made at the first start and kept in the data directory.",
        shown_default="in the data directory",
    )
    seal_key: str | None = _setting(
        values.key,
        "KEY",
        "That key itself, instead of a file.",
        secret=True,
        shown_default="in the data directory",
    )
    log_level: LogLevel = _setting(
        values.one_of(get_args(LogLevel)),
        "|".join(get_args(LogLevel)),
        "Least severity that is logged.",
        "info",
        reloaded=True,
    )
    log_format: LogFormat = _setting(
        values.one_of(get_args(LogFormat)),
        "|".join(get_args(LogFormat)),
        "How log lines look, on standard error.",
        "text",
        reloaded=True,
    )
    trace_endpoint: str | None = _setting(
        values.http_url,
        "URL",
        "OpenTelemetry collector (OTLP over HTTP, in JSON) that traces of requests are sent to, as http://localhost:4318.",
        private=True,
        shown_default="none",
    )
    trace_one_in: int = _setting(
        values.count,
        "NUMBER",
        "Of how many requests one is traced, of those whose sender says nothing about it.",
        100,
    )
    bootstrap_admin_username: str | None = _setting(
        values.text,
        "NAME",
        "User name of the administrator that is made while there is no realm master.",
        kc="KC_BOOTSTRAP_ADMIN_USERNAME",
    )
    bootstrap_admin_password: str | None = _setting(
        values.text, "PASSWORD", "That administrator's password.", kc="KC_BOOTSTRAP_ADMIN_PASSWORD", secret=True
    )
    bootstrap_admin_client_id: str | None = _setting(
        values.text,
        "ID",
        "Client id of an administrator's service account that is made while there is no realm master.",
        kc="KC_BOOTSTRAP_ADMIN_CLIENT_ID",
    )
    bootstrap_admin_client_secret: str | None = _setting(
        values.text, "SECRET", "That client's secret.", kc="KC_BOOTSTRAP_ADMIN_CLIENT_SECRET", secret=True
    )


def _declared() -> tuple[Setting, ...]:
    settings = []
    for field in dataclasses.fields(Settings):
        default = None if field.default is dataclasses.MISSING else field.default
        settings.append(Setting(field=field.name, default=default, **field.metadata))
    return tuple(settings)


SETTINGS: Final[tuple[Setting, ...]] = _declared()
"""Every setting, in the order of the documentation."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings and what is to be said about unknown variables, a line each."""

    settings: Settings
    warnings: tuple[str, ...]


def load(flags: Mapping[str, Any], environ: Mapping[str, str], config: Path | None = None) -> Loaded:
    """The settings as given by flags, environment and file; a later source counts where an earlier one says nothing.

    Args:
        flags: values by field name; None and empty tuples are not given.
        environ: the process environment; empty values are not given.
        config: the TOML file; without it, the one that ``KEYTURN_CONFIG`` names.

    Raises:
        SettingsError: unknown keys, values that cannot be used, an unreadable file.
    """
    if config is None and environ.get(CONFIG_VARIABLE):
        config = Path(environ[CONFIG_VARIABLE])
    file = _read(config) if config is not None else {}
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        for where, value in (
            (setting.flag, flags.get(setting.field) or None if setting.multiple else flags.get(setting.field)),
            (setting.variable, environ.get(setting.variable) or None),
            (setting.kc, environ.get(setting.kc) or None if setting.kc else None),
            (f"{setting.key} in {config}", file.get(setting.key)),
        ):
            if value is not None:
                values[setting.field] = _parsed(setting, where or "", value)
                break
    return Loaded(_checked(Settings(**values)), _warnings(environ))


def nearest(name: str, known: Iterable[str]) -> str:
    """A question for the known name that is most like a mistyped one, for the end of a message; or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _parsed(setting: Setting, where: str, value: Any) -> Any:
    try:
        return setting.parse(value)
    except ValueError as error:
        shown = "its value" if setting.secret or setting.private else repr(value)
        raise SettingsError(f"{where}: {shown} {error}") from None


def _checked(settings: Settings) -> Settings:
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        given, missing = "--tls-certificate", "--tls-key"
        if settings.tls_certificate is None:
            given, missing = missing, given
        raise SettingsError(f"{given} is given without {missing}: a certificate and its key come together")
    used: dict[int, str] = {}
    for setting in SETTINGS:
        port = getattr(settings, setting.field)
        if setting.field.endswith("_port") and port:
            if port in used:
                raise SettingsError(f"{used[port]} and {setting.flag} are both {port}")
            used[port] = setting.flag
    if settings.mtls_port and not settings.https_port:
        raise SettingsError("--mtls-port is given without --https-port, which is where the issuer is")
    if settings.mtls_url and not settings.mtls_port:
        raise SettingsError("--mtls-url is given without --mtls-port, whose address it is")
    if not settings.http_port and not settings.https_port:
        raise SettingsError("--http-port and --https-port are both 0: there is nothing to serve")
    return settings


def _read(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"the configuration file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the configuration file {path} is not TOML: {error}") from None
    keys = [setting.key for setting in SETTINGS]
    for key in content:
        if key not in keys:
            raise SettingsError(f"unknown key {key} in {path}{nearest(key, keys)}")
    return content


def _warnings(environ: Mapping[str, str]) -> tuple[str, ...]:
    known = {setting.variable for setting in SETTINGS}
    kc = {setting.kc for setting in SETTINGS}
    warnings = []
    for name in sorted(environ):
        if name.startswith("KEYTURN_") and name not in known | _OTHER_VARIABLES and not _is_kubernetes(name):
            warnings.append(f"unknown variable {name} is ignored{nearest(name, known)}")
        elif name.startswith("KC_") and name not in kc:
            warnings.append(f"Keycloak's variable {name} has no meaning here and is ignored")
    return tuple(warnings)


def _is_kubernetes(name: str) -> bool:
    return name in _KUBERNETES or name.startswith(("KEYTURN_SERVICE_PORT_", "KEYTURN_PORT_"))
