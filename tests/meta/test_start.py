"""What a server does not load before it needs it: start-up is paid by everybody, the admin API only by some."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_a_server_starts_without_the_admin_api_and_what_only_migrations_need() -> None:
    program = (
        "import sys\n"
        "import keyturn.cli.serve\n"
        "late = ('alembic', 'argon2', 'httpx', 'keyturn.admin.api', 'keyturn.admin.resources', 'regex', 'sqlalchemy')\n"
        "print([name for name in late if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert run.stdout == "[]\n"
