"""The command ``keyturn`` as its users meet it."""

import sys

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
