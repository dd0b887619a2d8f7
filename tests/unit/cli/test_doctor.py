"""The doctor finds what is wrong with a deployment, and leaves it as it is."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from keyturn.cli.doctor import examine
from keyturn.cli.finding import Verdict
from keyturn.config import load
from keyturn.jose.x509 import Issued, development_ca, development_certificate
from keyturn.store.backends.sqlite import open_store
from keyturn.store.schema import SERVES_KEY, VERSION
from keyturn.store.seal_key import SealKeys

NOW = 1_800_000_000.0
DAY = 86_400


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)


@pytest.fixture(scope="module")
def authority() -> Issued:
    return development_ca(["sso.example.org"], now=NOW - 800 * DAY)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    open_store(directory / "keyturn.db", SealKeys(directory), lambda: 0).close()
    return directory


def report(data: Path, **flags: object) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """The exit status, and by what was looked at each verdict with its text."""
    lines: list[str] = []
    status = examine(load({"data": data, **flags}, {}), offline=True, show=lines.append)
    found: dict[str, list[tuple[str, str]]] = {}
    for number, line in enumerate(lines[:-1]):
        verdict, what, text = line[:5].strip(), line[6:23].strip(), line[24:]
        if verdict:
            found.setdefault(what, []).append((verdict, text))
            assert (lines[number + 1].lstrip().startswith("-> ")) is (verdict != Verdict.FINE), line
    assert status == any(verdict == Verdict.FAILURE for each in found.values() for verdict, _ in each)
    return status, found


def test_what_is_as_it_should_be_is_told_so(data: Path) -> None:
    before = {path: path.read_bytes() for path in data.iterdir()}
    status, found = report(data)
    assert status == 0
    assert [verdict for verdict, _ in found["seal key"]] == [Verdict.FINE] * 2
    assert found["migrations"][0][0] == found["database"][0][0] == Verdict.FINE
    assert found["certificate"][0][0] == Verdict.WARNING
    assert {path: path.read_bytes() for path in data.iterdir() if path in before} == before


def test_before_the_first_start_nothing_is_missing(tmp_path: Path) -> None:
    status, _ = report(tmp_path / "none-yet")
    assert status == 0
    assert not (tmp_path / "none-yet").exists()


@pytest.mark.parametrize("name", ["", "seal.key"])
def test_finds_what_others_may_read(data: Path, name: str) -> None:
    (data / name).chmod(0o755)
    status, found = report(data)
    assert status == 1
    told = found["seal key" if name else "data directory"]
    assert (Verdict.FAILURE, f"{data / name} is open to others (0755)") in told


def test_finds_a_seal_key_that_is_another_or_gone(data: Path, tmp_path: Path) -> None:
    key = (data / "seal.key").read_bytes()
    (data / "seal.key").unlink()
    assert Verdict.FAILURE in dict(report(data)[1]["seal key"])
    other = tmp_path / "other"
    open_store(other / "keyturn.db", SealKeys(other), lambda: 0).close()
    (data / "seal.key").write_bytes((other / "seal.key").read_bytes())
    (data / "seal.key").chmod(0o600)
    status, found = report(data)
    assert status == 1
    assert "but this database was sealed with" in dict(found["seal key"])[Verdict.FAILURE]
    (data / "seal.key").write_bytes(key)
    assert report(data)[0] == 0


def test_tells_that_a_migration_is_due_and_does_none(data: Path) -> None:
    with closing(sqlite3.connect(data / "keyturn.db")) as database, database:
        database.execute("UPDATE schema_version SET version_num = '0001'")
    status, found = report(data)
    assert (status, found["migrations"][0][0]) == (0, Verdict.WARNING)
    with closing(sqlite3.connect(data / "keyturn.db")) as database:
        assert database.execute("SELECT version_num FROM schema_version").fetchone() == ("0001",)


@pytest.mark.parametrize(("serves", "verdict"), [("0001", Verdict.WARNING), ("9999", Verdict.FAILURE)])
def test_tells_whether_this_version_can_serve_from_the_schema_of_a_newer_one(
    data: Path, serves: str, verdict: Verdict
) -> None:
    with closing(sqlite3.connect(data / "keyturn.db")) as database:
        database.execute("UPDATE schema_version SET version_num = '9999'")
        database.execute("UPDATE meta SET value = ? WHERE name = ?", (serves, SERVES_KEY))
        database.commit()
    assert report(data)[1]["migrations"][0] == (verdict, f"schema 9999 is of a newer version than {VERSION}")


def test_finds_a_damaged_database(data: Path) -> None:
    for path in data.glob("keyturn.db-*"):
        path.unlink()
    (data / "keyturn.db").write_bytes(b"no database" * 1000)
    status, found = report(data)
    assert (status, found["database"][0]) == (1, (Verdict.FAILURE, "the file is not a SQLite database"))


def test_finds_a_clock_that_is_behind_the_data(data: Path) -> None:
    os.utime(data / "keyturn.db", (NOW + DAY, NOW + DAY))
    status, found = report(data)
    assert (status, found["clock"][0][0]) == (1, Verdict.FAILURE)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "certificate.pem", tmp_path / "key.pem"


def certified(pair: tuple[Path, Path], authority: Issued, made: float) -> dict[str, object]:
    issued = development_certificate(authority, ["sso.example.org"], now=made)
    for path, content in zip(pair, (issued.certificate, issued.key), strict=True):
        path.write_bytes(content)
        path.chmod(0o600)
    return {"tls_certificate": pair[0], "tls_key": pair[1], "hostname": "https://sso.example.org"}


def test_looks_at_the_certificate(data: Path, pair: tuple[Path, Path], authority: Issued) -> None:
    for made, verdict in (
        (NOW - DAY, Verdict.FINE),
        (NOW - 390 * DAY, Verdict.WARNING),
        (NOW - 500 * DAY, Verdict.FAILURE),
        (NOW + DAY, Verdict.FAILURE),
    ):
        assert report(data, **certified(pair, authority, made))[1]["certificate"][0][0] == verdict
    flags = certified(pair, authority, NOW)
    status, found = report(data, **flags | {"hostname": "https://another.example.org"})
    assert status == 1
    assert "sso.example.org, not for another.example.org" in found["certificate"][1][1]
    pair[1].write_bytes(development_certificate(authority, ["x"], now=NOW).key)
    assert report(data, **flags)[1]["certificate"][0][0] == Verdict.FAILURE
    pair[1].unlink()
    assert "cannot be read" in report(data, **flags)[1]["certificate"][0][1]


@pytest.fixture
def closed() -> Iterator[Path]:
    """A directory that this user may not look into."""
    with tempfile.TemporaryDirectory() as directory:
        path, root = Path(directory), os.geteuid() == 0
        if root:
            os.seteuid(65534)
        else:
            path.chmod(0)
        yield path
        if root:
            os.seteuid(0)
        path.chmod(0o700)


@pytest.mark.parametrize("below", ["", "data"])
def test_says_so_to_who_may_not_look_at_the_data(closed: Path, below: str) -> None:
    status, found = report(closed / below)
    assert (status, found["data directory"][0][0]) == (1, Verdict.FAILURE)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes what is root's")
def test_takes_a_volume_of_kubernetes_which_is_its_groups(closed: Path) -> None:
    os.seteuid(0)
    os.chown(closed, 0, 65534)
    closed.chmod(0o2775)
    os.setegid(65534)
    os.seteuid(65534)
    try:
        assert report(closed)[1]["data directory"][0][0] == Verdict.FINE
    finally:
        os.seteuid(0)
        os.setegid(0)


def test_says_that_nothing_answers_at_an_address_of_ipv6(data: Path) -> None:
    lines: list[str] = []
    assert examine(load({"data": data, "host": "::1", "https_port": 9}, {}), offline=False, show=lines.append) == 1
    assert any("https://[::1]:9/" in line for line in lines)
