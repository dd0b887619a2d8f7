"""``keyturn doctor``: looks at a deployment as its settings describe it, and says how to mend what it finds.

It changes nothing, and needs no server; where one runs, it is asked as clients would ask it.
"""

import os
import resource
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from email.utils import parsedate_to_datetime
from math import inf
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from keyturn.cli.finding import Finding, Verdict, failure, fine, warning
from keyturn.config import Loaded, Settings, SettingsError
from keyturn.http.parts import certificates_of, forwarding_of
from keyturn.http.protocol import RESERVED_DESCRIPTORS
from keyturn.http.serve import seal_keys
from keyturn.jose.x509 import certificate_der, certificate_names, check_pair, valid_from, valid_until
from keyturn.representations import decode
from keyturn.store.backends import connected
from keyturn.store.connections import Connections
from keyturn.store.dialect import Dialect, earlier
from keyturn.store.opening import key_of, schema_of, serves
from keyturn.store.schema import VERSION
from keyturn.store.spi import StoreError

_DAY: Final = 86_400
_SOON: Final = 14
"""Days before its end in which a certificate is due."""
_LEAST_SPACE: Final = 256 * 1024 * 1024
"""Bytes that should be free for the database."""
_APART: Final = 5
"""Seconds by which clocks may differ: assertions and proofs are looked at with about as much leeway."""
_BORN: Final = 1_767_225_600
"""2026-01-01: no clock that is right is before this version."""
_FEW_FILES: Final = 1024
_TIMEOUT: Final = 5.0
_ALL: Final = os.R_OK | os.W_OK | os.X_OK


def examine(loaded: Loaded, *, offline: bool, show: Callable[[str], None] = print) -> int:
    """Looks at everything and shows it, a line each; 0 if a server can serve with these settings, else 1.

    Args:
        offline: nothing is asked of the issuer.
    """
    failed = warned = 0
    for finding in findings(loaded, offline=offline):
        failed += finding.verdict is Verdict.FAILURE
        warned += finding.verdict is Verdict.WARNING
        show(f"{finding.verdict:<5} {finding.what:<17} {finding.text}")
        if finding.mend:
            show(f"{'':<23} -> {finding.mend}")
    show(f"{failed} to be mended, {warned} to be looked at")
    return 1 if failed else 0


def findings(loaded: Loaded, *, offline: bool) -> Iterator[Finding]:
    """All that there is to say."""
    settings = loaded.settings
    yield from _settings(loaded)
    yield from _clock(settings)
    yield from _data(settings)
    if not _exists(settings.data) or _may(settings.data, _ALL):  # else what is there looks like what is missing
        yield from _seal_key(settings)
        yield from _database(settings)
    yield from _certificate(settings)
    yield from _files()
    if not offline:
        yield from _issuer(settings)


def _settings(loaded: Loaded) -> Iterator[Finding]:
    settings = loaded.settings
    for each in loaded.warnings:
        yield warning("settings", each, "correct or remove it")
    try:
        forwarding_of(settings)
        certificates_of(settings)
    except SettingsError as error:
        yield failure("settings", str(error), "correct it")
        return
    if settings.proxy_headers != "none" and not settings.proxy_trusted_addresses:
        text = "headers of a proxy count, whoever sends them: callers choose the address that events and limits see"
        yield warning("settings", text, "name the proxies with --proxy-trusted-addresses")
    if settings.hostname is None and settings.host not in {"127.0.0.1", "::1", "localhost"}:
        text = "the issuer of tokens follows the Host header that callers send"
        yield warning("settings", text, "pin it with --hostname https://…")
    yield fine("settings", "are understood")


def _clock(settings: Settings) -> Iterator[Finding]:
    now = time.time()
    mend = "set the clock, and keep it right with NTP (systemd-timesyncd, chrony)"
    if now < _BORN:
        yield failure("clock", f"it is {_day(now)}, before this version was made", mend)
        return
    newest = max((_changed(path) for path in _data_files(settings)), default=0.0)
    if newest > now + 60:
        yield failure("clock", f"it is {_day(now)}, and the data was written at {_day(newest)}", mend)
    else:
        yield fine("clock", f"it is {_day(now)}")


def _data_files(settings: Settings) -> list[Path]:
    return [settings.data / name for name in ("keyturn.db", "keyturn.db-wal", "seal.key", "keyturn.lock")]


def _changed(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def _exists(path: Path) -> bool:
    """Whether it is there, as far as this user can see."""
    with suppress(OSError):
        path.stat()
        return True
    return False


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=True)


def _data(settings: Settings) -> Iterator[Finding]:
    path = settings.data
    if not _exists(path):
        above = next(parent for parent in path.absolute().parents if _exists(parent))
        if _may(above, os.W_OK):
            yield fine("data directory", f"{path} is made at the first start")
        else:
            yield failure(
                "data directory", f"{path} cannot be made", f"make it, for the server's user: mkdir -m 700 {path}"
            )
        return
    if not path.is_dir() or not _may(path, _ALL):
        yield failure(
            "data directory", f"{path} cannot be written to", f"give it to the server's user: chown -R … {path}"
        )
        return
    found = path.stat()
    if found.st_uid == 0 != os.geteuid() and not found.st_mode & 0o002:  # a volume of Kubernetes, which is root's
        yield fine("data directory", f"{path} is its group's; what is secret in it is this user's alone")
    else:
        yield from _private("data directory", path, 0o700)
    free = shutil.disk_usage(path).free
    if settings.database is None and free < _LEAST_SPACE:
        text = f"{free // 2**20} MB are free at {path}: a full disk stops every write"
        yield failure("disk", text, "make room, or let events expire (eventsExpiration)")
    else:
        yield fine("disk", f"{free // 2**20:,} MB are free at {path}")


def _private(what: str, path: Path, mode: int) -> Iterator[Finding]:
    """Whether nobody but the owner can read `path`, or write to it."""
    found = path.stat()
    others = stat.S_IMODE(found.st_mode) & 0o077
    if others & ~0o040 or (others and path.stat().st_uid == os.geteuid()):
        text = f"{path} is open to others ({stat.S_IMODE(found.st_mode):04o})"
        yield failure(what, text, f"chmod {mode:o} {path}")
    else:
        yield fine(what, f"{path} is its owner's alone" if not others else f"{path} is its owner's and its group's")


def _seal_key(settings: Settings) -> Iterator[Finding]:
    given = settings.seal_key_file
    file = given or settings.data / "seal.key"
    if settings.seal_key is not None:
        yield fine("seal key", "is given in KEYTURN_SEAL_KEY")
        return
    if settings.database is not None and given is None and not _exists(file):
        text = "nodes that share a database seal with one key, and none is given"
        yield failure("seal key", text, "put it into a file of each node and name that with --seal-key-file")
        return
    if not _exists(file):
        if given is None and not _exists(settings.data / "keyturn.db"):
            yield fine("seal key", "is made at the first start")
        else:
            yield failure(
                "seal key", f"{file} is missing", "put it back from where it is kept, or restore a backup with it"
            )
        return
    yield from _private("seal key", file, 0o600)


def _database(settings: Settings) -> Iterator[Finding]:
    place: str | Path = settings.database or settings.data / "keyturn.db"
    if isinstance(place, Path) and not _exists(place):
        yield fine("database", "is made at the first start")
        return
    reach = "see that it runs, that the address is right, and that its user may connect"
    try:
        connections, dialect = connected(place)
    except ModuleNotFoundError as error:
        yield failure("database", f"{error.name} is not installed", "pip install 'keyturn[server,postgresql]'")
        return
    except StoreError as error:
        yield failure("database", str(error), reach)
        return
    with closing(connections):
        try:
            found = schema_of(connections, dialect)
            refused = found is not None and found > VERSION and not serves(connections, dialect)
            key = None if found is None else _wrong_key(settings, connections, dialect)
            with connections.connection() as connection:
                apart = time.time() - earlier(dialect, connection, inf)
        except (StoreError, dialect.errors) as error:
            why = error if isinstance(error, StoreError) else dialect.translate(error)
            yield failure(
                "database",
                str(why),
                reach if settings.database else f"restore the last copy that keyturn backup made to {place}",
            )
            return
    if found is None:
        yield fine("database", "is empty: the first start of a server makes its tables")
        return
    yield fine("database", "answers")
    yield from _apart(apart, "the database")
    if found < VERSION:
        text = f"schema {found} is not this version's, {VERSION}: the next start migrates it"
        yield warning("migrations", text, "back it up, and try with keyturn migrate --dry-run")
    elif found > VERSION:
        told = failure if refused else warning
        yield told("migrations", f"schema {found} is of a newer version than {VERSION}", "use that version here, too")
    else:
        yield fine("migrations", f"schema {found} is this version's")
    if key is None:
        yield fine("seal key", "opens the database")
    else:
        yield failure("seal key", key, "give the key that the database was sealed with; nothing else opens it")


def _wrong_key(settings: Settings, connections: Connections, dialect: Dialect) -> str | None:
    """What is wrong with the seal key of a database that has tables."""
    try:
        key_of(connections, dialect, seal_keys(settings, settings.data))
    except StoreError as error:
        return str(error)
    return None


def _certificate(settings: Settings) -> Iterator[Finding]:
    if not settings.https_port:
        if settings.proxy_headers == "none":
            text = "nothing is served with TLS: secrets and tokens are read by whoever sees the connection"
            yield warning("certificate", text, "give --tls-certificate and --tls-key, or put a proxy in front")
        return
    file, key = settings.tls_certificate, settings.tls_key
    if file is None or key is None:
        text = "keyturn makes one of its own, which nobody trusts who is not told to"
        yield warning("certificate", text, "give --tls-certificate and --tls-key")
        return
    try:
        content = file.read_bytes()
        check_pair(content, key.read_bytes())
        names, leaf = certificate_names(content), certificate_der(content)
    except OSError as error:
        yield failure(
            "certificate", f"{error.filename} cannot be read: {error.strerror}", "let the server's user read it"
        )
        return
    except ValueError as error:
        yield failure("certificate", f"{file} with {key}: {error}", "give a certificate in PEM and its own key")
        return
    yield from _private("certificate's key", key, 0o600)
    now, ends = time.time(), valid_until(leaf)
    if now < valid_from(leaf):
        yield failure(
            "certificate", f"{file} does not begin before {_day(valid_from(leaf))}", "see whether the clock is right"
        )
    elif ends <= now:
        yield failure("certificate", f"{file} has ended at {_day(ends)}", "renew it, and send SIGHUP")
    elif ends < now + _SOON * _DAY:
        yield warning("certificate", f"{file} ends at {_day(ends)}", "renew it, and send SIGHUP")
    else:
        yield fine("certificate", f"{file} is good until {_day(ends)}")
    host = _host(settings)
    if host is not None and not any(_covers(name, host) for name in names):
        text = f"{file} is for {', '.join(names) or 'nobody'}, not for {host}"
        yield failure("certificate", text, f"get one for {host}, or correct --hostname")


def _host(settings: Settings) -> str | None:
    if settings.hostname is None:
        return None
    return urlsplit(settings.hostname).hostname if "://" in settings.hostname else settings.hostname


def _covers(name: str, host: str) -> bool:
    if name.startswith("*."):
        return host.partition(".")[2].lower() == name[2:].lower()
    return name.lower() == host.lower()


def _files() -> Iterator[Finding]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and most < _FEW_FILES + RESERVED_DESCRIPTORS:
        text = f"{most} files may be open: each connection is one"
        yield warning("open files", text, "raise the limit: LimitNOFILE= of systemd, ulimit -n")
    else:
        yield fine("open files", "enough may be open")


def _issuer(settings: Settings) -> Iterator[Finding]:
    address = _address(settings)
    url = f"{address}/realms/master/.well-known/openid-configuration"
    try:
        with httpx.Client(verify=_verified(settings), timeout=_TIMEOUT) as client:
            answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        text = f"{url} cannot be reached: {str(error) or type(error).__name__}"
        yield failure(
            "issuer", text, "start the server, or see to the name, the proxy, the firewall and the certificate"
        )
        return
    if answer.status_code != 200:
        text = f"{url} answers {answer.status_code}"
        yield failure("issuer", text, "see that the proxy passes requests on to keyturn as they are")
        return
    try:
        issuer = decode(answer.content, dict)["issuer"]
    except (ValueError, KeyError):
        yield failure("issuer", f"{url} is no metadata of an issuer", "see what answers there instead of keyturn")
        return
    if issuer != f"{address}/realms/master":
        text = f"tokens name {issuer}, and the server is reached as {address}"
        yield failure(
            "issuer", text, "pin it with --hostname, and let the proxy tell host and scheme (--proxy-headers)"
        )
    else:
        yield fine("issuer", f"{issuer} answers")
    yield from _clocks_apart(answer)


def _clocks_apart(answer: httpx.Response) -> Iterator[Finding]:
    """Where something in between tells its time."""
    if "date" not in answer.headers:
        return
    with suppress(ValueError):  # it is no time at all
        told = parsedate_to_datetime(answer.headers["date"]).timestamp()
        yield from _apart(time.time() - told, answer.url.host)


def _apart(seconds: float, whose: str) -> Iterator[Finding]:
    if _APART < abs(seconds) < inf:
        yield warning("clock", f"it is {abs(seconds):.0f} seconds off that of {whose}", "keep both right with NTP")


def _address(settings: Settings) -> str:
    """Where clients reach the server, without a path."""
    if settings.hostname is not None and "://" in settings.hostname:
        return settings.hostname.rstrip("/")
    scheme, port = ("https", settings.https_port) if settings.https_port else ("http", settings.http_port)
    host = settings.hostname or ("localhost" if settings.host in {"0.0.0.0", "::", "127.0.0.1"} else settings.host)  # noqa: S104
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{scheme}://{host}" if port == {"https": 443, "http": 80}[scheme] else f"{scheme}://{host}:{port}"


def _verified(settings: Settings) -> str | bool:
    own = settings.data / "tls" / "ca.pem"
    return str(own) if settings.tls_certificate is None and _exists(own) else True
