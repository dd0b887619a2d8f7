"""keyturn beside the real Keycloak, which is obtained and started for it: HTTP, the real kcadm.sh, and ours."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.full, pytest.mark.timeout(1500)]

TESTS = Path(__file__).parent.parent
OLDEST_JAVA = 21


def java_is_new_enough() -> bool:
    """Whether there is a Java that Keycloak runs on, where the script that starts it looks."""
    homes = [Path(os.environ.get("JAVA_HOME", "")), *Path("/usr/lib/jvm").glob("*")]
    for java in (home / "bin/java" for home in homes):
        if java.is_absolute() and java.exists():
            told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
            version = re.search(r'version "(\d+)', told)
            if version is not None and int(version[1]) >= OLDEST_JAVA:
                return True
    return False


@pytest.mark.skipif(shutil.which("mvn") is None or not java_is_new_enough(), reason="needs Java 21 or above, and Maven")
def test_only_listed_steps_differ_from_the_real_keycloak() -> None:
    command = [sys.executable, "-m", "parity", "live"]
    run = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
