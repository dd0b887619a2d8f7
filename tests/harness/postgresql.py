"""A PostgreSQL of the tests' own, from Debian's package, in a directory that is thrown away."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from harness.process import free_ports

MISSING: Final = "PostgreSQL is not installed here: apt install postgresql"

_SETTINGS: Final = {
    "fsync": "off",  # nobody cuts the power of a test
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
}


def programs() -> Path | None:
    """Where the newest PostgreSQL's programs are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


class Cluster:
    """A server of its own, on a port of 127.0.0.1. Its superuser is ``keyturn``, and everyone is believed."""

    def __init__(self, directory: Path, of: "Cluster | None" = None, **settings: str) -> None:
        """Makes its files in `directory`, and starts it with these settings besides the usual ones.

        With `of` it is a standby of that.
        """
        found = programs()
        assert found is not None, MISSING
        self._programs, self._directory = found, directory
        self._as = _someone_else(directory)
        self._settings = {**_SETTINGS, **settings}
        self._numbers = count(1)
        self.port = free_ports(1)[0]
        if of is not None:
            there = ("-h", "127.0.0.1", "-p", str(of.port), "-U", "keyturn", "--checkpoint=fast")
            self._run("pg_basebackup", "-D", str(self.data), "--write-recovery-conf", *there)
            self.start()
            return
        self._run(
            "initdb", "-D", str(self.data), "-A", "trust", "-U", "keyturn", "-E", "UTF8", "--locale=C.UTF-8", "-N"
        )
        self.start()

    @property
    def data(self) -> Path:
        return self._directory / "data"

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        """Where a database is; at another `port`, if somebody stands between."""
        return f"postgresql://keyturn@127.0.0.1:{port or self.port}/{database}"

    def new_database(self) -> str:
        """The URL of a database with nothing in it."""
        name = f"keyturn{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def new_schema(self) -> str:
        """The URL of a schema with nothing in it, which takes less time than a database."""
        name = f"keyturn{next(self._numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        return f"{self.url()}?options=-csearch_path%3D{name}"

    def run(self, statement: str, *values: Any, url: str | None = None) -> Any:
        """The first value that a statement gives, None where it gives none."""
        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            row = cursor.fetchone() if cursor.description else None
        return None if row is None else row[0]

    def client(self, program: str, *arguments: str) -> None:
        """Runs one of the client programs, as whoever runs the tests."""
        subprocess.run([str(self._programs / program), *arguments], check=True, stdin=subprocess.DEVNULL)

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        settings = [f"-c {name}={value}" for name, value in self._settings.items()]
        options = " ".join([f"-p {self.port}", f"-k {self._directory}", *settings])
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", str(self._directory / "log"), "-o", options, "start")

    def encrypt(self, certificate: Path, key: Path) -> None:
        """From now on speaks TLS to those who want it, with a certificate for the name localhost."""
        self.stop("fast")
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            copy = self.data / name
            shutil.copy(source, copy)
            copy.chmod(0o600)
            if self._as is not None:
                os.chown(copy, self._as, -1)
        self._settings["ssl"] = "on"
        self.start()

    def stop(self, how: str = "immediate") -> None:
        """Stops it: ``immediate`` is as if it had crashed."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", how, "stop")

    def wait_for_standby(self) -> None:
        """From now on commits are on a standby, too, when they are acknowledged."""
        self.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.run("SELECT pg_reload_conf()")
        while self.run("SELECT sync_state FROM pg_stat_replication") != "sync":
            time.sleep(0.05)
        self.run("CHECKPOINT")  # by the process that makes commits wait, once it has read the configuration

    def promote(self) -> None:
        """Makes a standby the one that is written to."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "promote")

    def kill(self) -> None:
        """Kills the server, which takes its children along, and waits until they are gone."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=1):
                continue
            return

    def lives(self) -> bool:
        """Whether it takes connections."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=2):
            return True
        return False

    def fill_disk(self) -> None:
        """Takes what room is left on a disk of its own, now."""
        with (self._directory / "ballast").open("ab", buffering=0) as ballast:
            for piece in (2**20, 4096):
                with suppress(OSError):
                    while ballast.write(bytes(piece)):
                        """Until there is none."""

    def make_room(self) -> None:
        """Gives it back; a server that could not go on without is started again."""
        (self._directory / "ballast").unlink(missing_ok=True)
        if not self.lives():
            with suppress(AssertionError):
                self.stop()
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stops all its processes where they are: connections stay, and nothing is answered."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        everyone = [pid, *map(int, children)]
        for each in everyone:
            os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in everyone:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGCONT)

    def _run(self, program: str, *arguments: str) -> None:
        # What starts the server leaves it standard output and error: a pipe would never end.
        with (self._directory / "output").open("ab") as output:
            run = subprocess.run(
                [str(self._programs / program), *arguments],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                user=self._as,
                group=self._as and _group_of(self._as),
                extra_groups=None if self._as is None else [],
            )
        assert run.returncode == 0, (self._directory / "output").read_text()


def _someone_else(directory: Path) -> int | None:
    """Who owns `directory` from now on, since PostgreSQL refuses root: its package's user. None for anybody else."""
    if os.geteuid() != 0:
        return None
    import pwd

    user = pwd.getpwnam("postgres")
    os.chown(directory, user.pw_uid, user.pw_gid)
    return user.pw_uid


def _group_of(user: int) -> int:
    import pwd

    return pwd.getpwuid(user).pw_gid


@contextmanager
def cluster_or_skip() -> Iterator[Cluster]:
    """As ``cluster``; where PostgreSQL is not installed, the test is skipped."""
    if programs() is None:
        pytest.skip(MISSING)
    with cluster() as made:
        yield made


@contextmanager
def cluster(of: Cluster | None = None, *, disk: str | None = None, **settings: str) -> Iterator[Cluster]:
    """A server that is stopped at the end; a standby `of` another; on a `disk` of its own of that size (``512m``)."""
    directory = Path(tempfile.mkdtemp(prefix="keyturn-pg-"))  # short, for the path of a socket is in it
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        if disk is not None:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk}", "keyturn-test", str(directory)], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", str(directory)], check=True)
        directory.chmod(0o700)
        made = Cluster(directory, of, **settings)
        try:
            yield made
        finally:
            with suppress(AssertionError):
                made.stop()


def may_mount() -> bool:
    """Whether servers can have disks of their own."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "keyturn-test", directory]
            subprocess.run(mounting, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
        subprocess.run(["umount", directory], check=True)
        return True
