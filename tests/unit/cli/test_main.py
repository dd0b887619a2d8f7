"""The command ``keyturn`` as its users meet it."""

import sys
from pathlib import Path

import pytest

from keyturn.cli.main import main


def test_says_what_to_install_where_the_server_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("keyturn.cli.serve", "keyturn.http"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvloop", None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(SystemExit) as stopped:
        main(["serve"])
    assert stopped.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("keyturn: the server needs uv")
    assert line.endswith("pip install 'keyturn[server]'")


def test_says_what_to_install_where_the_driver_of_a_database_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "keyturn.store.backends.postgresql", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SystemExit) as stopped:
        main(["realm", "export", "--data", str(tmp_path), "--file", "x", "--database", "postgresql://127.0.0.1:1/none"])
    assert stopped.value.code == 1
    assert capsys.readouterr().err.endswith("pip install 'keyturn[server,postgresql]'\n")
