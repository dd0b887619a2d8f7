"""Databases are brought to the newest schema, moved, and backed up while a server runs."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from harness.deployment import Deployment
from harness.postgresql import Cluster, cluster_or_skip
from keyturn.cli.main import main
from keyturn.http.trial import Trial
from keyturn.representations import RoleRepresentation
from keyturn.store.backends import open_store
from keyturn.store.backends.sqlite import DIALECT
from keyturn.store.collections import ROLES
from keyturn.store.migrations import migrate
from keyturn.store.seal_key import SealKeyMissing, SealKeys
from keyturn.store.sql import SqlStore


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a server with two realms and three clients of its own, which has stopped."""
    directory = tmp_path_factory.mktemp("former") / "data"
    server = Deployment.new(directory)
    server.client("robot", "a secret")
    server.client("off", "a secret", enabled=False)
    server.client("signer", "a secret", clientAuthenticatorType="client-jwt")
    server.close()
    return directory


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    with cluster_or_skip() as made:
        yield made


@pytest.fixture
def data(former: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(former, tmp_path / "data"))


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return int(str(stopped.value.code or 0))


def token_of(database: str | Path, directory: Path, client_id: str) -> str | None:
    """What the client gets from a database, if anything."""
    with closing(open_store(database, SealKeys(directory), lambda: 0)) as store, Trial(store) as trial:
        return trial.token("demo", client_id, "a secret").token


@contextmanager
def pairs_being_written(store: SqlStore) -> Iterator[None]:
    """Somebody writes roles, two in each transaction, one transaction after the other."""
    stop, written = Event(), Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with store.write() as tx:
                for name in (f"{number}a", f"{number}b"):
                    tx.insert(ROLES, "r", RoleRepresentation(id=name, name=name))
            number += 1
            written.set()

    writer = Thread(target=write)
    writer.start()
    try:
        assert written.wait(10)
        yield
    finally:
        stop.set()
        writer.join()


def test_a_moved_database_gives_every_client_what_the_former_gave(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    assert run("migrate", "--from", f"sqlite:{data}", "--to", f"sqlite:{other}") == 0
    told = capsys.readouterr().out
    assert " 1 clients got a token that the former database's keys verify" in told
    assert (other / "seal.key").read_bytes() == (data / "seal.key").read_bytes()
    assert token_of(other / "keyturn.db", other, "robot")
    assert token_of(other / "keyturn.db", other, "off") is None
    assert run("migrate", "--from", f"sqlite:{data}", "--to", f"sqlite:{other}") == 1
    assert capsys.readouterr().err.startswith("keyturn: there is something in the database already")


@pytest.mark.full
def test_a_database_is_moved_to_postgresql_and_back(
    data: Path, tmp_path: Path, postgresql: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    url, back = postgresql.new_database(), tmp_path / "back"
    assert run("migrate", "--from", f"sqlite:{data}", "--to", url) == 0
    assert run("migrate", "--data", str(data), "--from", url, "--to", f"sqlite:{back}") == 0
    first, _, second = capsys.readouterr().out.partition("keep the former database until they run.")
    assert [line for line in first.splitlines() if "sha256" in line] == [
        line for line in second.splitlines() if "sha256" in line
    ]
    assert token_of(url, data, "robot")
    assert token_of(back / "keyturn.db", back, "robot")


@pytest.mark.full
def test_what_pg_dump_has_written_is_restored_into_another_database(
    data: Path, tmp_path: Path, postgresql: Cluster
) -> None:
    url, restored, file = postgresql.new_database(), postgresql.new_database(), tmp_path / "dump"
    assert run("migrate", "--from", f"sqlite:{data}", "--to", url) == 0
    with closing(open_store(url, SealKeys(data), lambda: 0)) as store, pairs_being_written(store):
        postgresql.client("pg_dump", "--format=custom", f"--file={file}", url)
    postgresql.client("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={restored}", str(file))
    assert token_of(restored, data, "robot")
    with closing(open_store(restored, SealKeys(data), lambda: 0)) as copy:
        with copy.read() as read:
            assert read.count(ROLES, "r") % 2 == 0
            before = read.revision
        with copy.write() as tx:  # it goes on numbering where it was
            tx.insert(ROLES, "other", RoleRepresentation(id="other", name="other"))
        assert copy.changes_since(before)


def test_a_move_needs_both_ends_and_a_database_at_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("migrate", "--from", "sqlite:x") == 2
    assert run("migrate", "--from", "mysql:x", "--to", "sqlite:y") == 1
    assert run("migrate", "--from", f"sqlite:{tmp_path}", "--to", f"sqlite:{tmp_path / 'y'}") == 1
    assert capsys.readouterr().err.splitlines() == [
        "keyturn: --from and --to come together",
        "keyturn: --from: needs sqlite:DIRECTORY or postgresql://…",
        f"keyturn: --from: there is no database in {tmp_path}",
    ]


def test_a_backup_is_on_the_disk_before_it_has_its_name_and_then_so_is_the_name(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, synced = tmp_path / "backups" / "copy.db", list[tuple[int, bool]]()
    file.parent.mkdir()
    sync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, file.exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    assert run("backup", "--data", str(data), str(file)) == 0
    assert synced == [(file.stat().st_ino, False), (file.parent.stat().st_ino, True)]


def test_a_migration_is_tried_taken_back_and_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = tmp_path / "keyturn.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        migrate(connection, DIALECT, to="0004")
    assert run("migrate", "--data", str(tmp_path), "--dry-run") == 0
    assert "  0005  What clients are found by" in capsys.readouterr().out
    assert run("migrate", "--data", str(tmp_path)) == 0
    assert "and was 0004" in capsys.readouterr().out
    assert run("migrate", "--data", str(tmp_path)) == 0
    assert "nothing is to be done" in capsys.readouterr().out


def test_a_backup_is_taken_while_others_write_and_is_a_database_of_its_own(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    restored = tmp_path / "restored"
    with closing(open_store(data / "keyturn.db", SealKeys(data), lambda: 0)) as store, pairs_being_written(store):
        assert run("backup", "--data", str(data), str(tmp_path / "copy.db")) == 0
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("*copy*")] == ["copy.db"]
    restored.mkdir(mode=0o700)
    shutil.copy(tmp_path / "copy.db", restored / "keyturn.db")
    with pytest.raises(SealKeyMissing):
        open_store(restored / "keyturn.db", SealKeys(restored), lambda: 0)
    shutil.copy(data / "seal.key", restored / "seal.key")
    assert token_of(restored / "keyturn.db", restored, "robot")
    with closing(open_store(restored / "keyturn.db", SealKeys(restored), lambda: 0)) as copy, copy.read() as read:
        assert read.count(ROLES, "r") % 2 == 0
    assert run("backup", "--data", str(data), str(tmp_path / "copy.db")) == 1
    assert capsys.readouterr().err == f"keyturn: {tmp_path / 'copy.db'} is there already\n"
