"""Compares a candidate with the real Keycloak: `live` does all of it, `http` and `kcadm` a part, `known` the list.

Exit status: 0 where every step is as it should be, 1 where one is not, 2 where the run could not be made.
"""
# ruff: noqa: T201 - a command line prints

import argparse
import os
import subprocess
import sys
from pathlib import Path

import httpx

from parity.commands import COMMANDS
from parity.known_differences import InvalidReason
from parity.scenario import ScenarioError
from parity.server_process import ADMINISTRATOR, PASSWORD, DidNotStart
from parity.sides import NoRecord

CACHE = Path(os.environ.get("KEYCLOAK_CACHE") or Path.home() / ".cache" / "keyturn-parity")
AUTHORITY = CACHE / "tls" / "authority.pem"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "parity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (run, about) in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        command.set_defaults(run=run)
        if name in ("http", "kcadm"):
            source = command.add_mutually_exclusive_group(required=True)
            source.add_argument("--reference", metavar="URL", help="the server that is right")
            source.add_argument("--replay", type=Path, metavar="PATH", help="a record, or a folder of them, instead")
            command.add_argument("--record", type=Path, metavar="DIR", help="write the reference's answers there")
        if name == "live":
            command.add_argument("--reference", metavar="URL", help="a Keycloak that runs already; else one is started")
        if name in ("kcadm", "live"):
            cli = os.environ.get("KCADM", "")
            command.add_argument("--cli", default=cli, metavar="COMMAND", help="the real kcadm.sh; else it is obtained")
        if name == "kcadm":
            command.add_argument("--candidate-cli", metavar="COMMAND", help="the candidate's own command line")
        command.add_argument("--candidate", metavar="URL", help="the server to be compared; else one is started")
        command.add_argument(
            "--authority",
            type=Path,
            default=AUTHORITY,
            metavar="FILE",
            help="who the servers believe about clients' certificates: its key and certificate, in PEM; %(default)s",
        )
        command.add_argument("--user", default=ADMINISTRATOR, help="the administrator of realm master")
        command.add_argument("--password", default=PASSWORD)
        command.add_argument("--only", default="*", metavar="GLOB", help="scenarios by name, as 'token/*', 'kcadm/*'")
        command.add_argument("--level", choices=["contract", "full"], default="contract")
        command.add_argument("--verbose", action="store_true", help="print the steps that are the same, too")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    try:
        ok: bool = options.run(options)
    except (ScenarioError, InvalidReason, NoRecord, DidNotStart) as error:
        print(error, file=sys.stderr)
        return 2
    except (httpx.HTTPError, subprocess.SubprocessError, OSError) as error:
        print(f"cannot go on: {error!r}", file=sys.stderr)
        return 2
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
