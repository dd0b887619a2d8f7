"""One server at a time in a directory of its own."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from keyturn.store.data_directory import AlreadyRunning, DataDirectory, Unwritable


def test_makes_the_directory_for_the_owner_only(tmp_path: Path) -> None:
    with DataDirectory(tmp_path / "a" / "b") as data:
        assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
        assert data.database == tmp_path / "a" / "b" / "keyturn.db"


def test_a_second_server_is_told_who_holds_it(tmp_path: Path) -> None:
    with DataDirectory(tmp_path), pytest.raises(AlreadyRunning, match=rf"^[^\n]*process {os.getpid()}$"):
        DataDirectory(tmp_path)
    DataDirectory(tmp_path).close()


@pytest.mark.slow
def test_a_killed_server_leaves_no_lock(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal\n"
        "from keyturn.store.data_directory import DataDirectory\n"
        f"held = DataDirectory(pathlib.Path({str(tmp_path)!r}))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    DataDirectory(tmp_path).close()


def test_says_that_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unwritable, match=r"^the data directory [^\n]* cannot be written to: [^\n]*$"):
        DataDirectory(tmp_path / "file" / "data")
