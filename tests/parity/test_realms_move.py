"""Realms move between keyturn and the real Keycloak, both ways, with its own ``kc.sh``; it is obtained for it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parity.test_live import java_is_new_enough

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        shutil.which("mvn") is None or not java_is_new_enough(), reason="needs Java 21 or above, and Maven"
    ),
]

HERE = Path(__file__).parent
EXPORT = HERE.parent / "vectors/keycloak_export.json"


def run(*command: object, **environment: str) -> None:
    done = subprocess.run(
        [str(each) for each in command], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture
def kc(tmp_path: Path) -> Callable[..., None]:
    """``kc.sh`` on a database of its own."""
    told = subprocess.run([HERE / "keycloak", "kcadm"], capture_output=True, text=True, check=True).stdout
    distribution = Path(told.strip()).parents[1]
    copy = Path(shutil.copytree(distribution, tmp_path / "keycloak", ignore=shutil.ignore_patterns("data")))
    database = f"jdbc:h2:file:{tmp_path}/h2/keycloak;NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE"
    return lambda *arguments: run(copy / "bin/kc.sh", *arguments, "--db=dev-file", f"--db-url={database}")


def keyturn(*arguments: object) -> None:
    run(sys.executable, "-m", "keyturn.cli.main", "realm", *arguments, KEYTURN_BOOTSTRAP_ADMIN_PASSWORD="admin")


def ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: ordered(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted(map(ordered, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def test_a_realm_comes_from_keycloak_goes_back_and_comes_again(kc: Callable[..., None], tmp_path: Path) -> None:
    """What keyturn has exported, Keycloak imports; what that exports, keyturn imports; and nothing is lost."""
    ours, theirs, again = tmp_path / "ours", tmp_path / "theirs.json", tmp_path / "again.json"
    keyturn("import", "--data", tmp_path / "first", "--file", EXPORT)
    keyturn("export", "--data", tmp_path / "first", "--dir", ours, "--realm", "machines", "--users-per-file", 4)
    kc("import", "--dir", ours)
    kc("export", "--file", theirs, "--realm", "machines")
    keyturn("import", "--data", tmp_path / "second", "--file", theirs)
    keyturn("export", "--data", tmp_path / "second", "--file", again, "--realm", "machines")

    first = json.loads((ours / "machines-realm.json").read_text())
    first["users"] = [
        user for path in sorted(ours.glob("machines-users-*.json")) for user in json.loads(path.read_text())["users"]
    ]
    for path in (theirs, again):
        assert ordered(json.loads(path.read_text())) == ordered(first), path.name
