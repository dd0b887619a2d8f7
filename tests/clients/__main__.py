"""Drives a server with other people's client libraries: a keyturn that is started for it, or the one at `--url`.

Exit status: 0 where all that could be run went well, 1 where something did not, or a program that was asked for by name
could not be run.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from clients import PROGRAMS
from clients.program import Outcome, Program
from harness.authority import Authority, authority, self_signed
from harness.process import ServerProcess, free_ports, running


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("clients", description=__doc__)
    names = [program.name for program in PROGRAMS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which programs, of: {', '.join(names)}; else all")
    parser.add_argument("--url", help="a server that runs already, such as a real Keycloak")
    parser.add_argument("--user", default="admin", help="its administrator of realm master")
    parser.add_argument("--password", default="admin")
    parser.add_argument("--ca", help="whom to trust with its certificate, where the URL is https")
    options = parser.parse_args()
    unknown = set(options.names) - set(names)
    if unknown:
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    return options


@contextlib.contextmanager
def servers(options: argparse.Namespace) -> Iterator[dict[str, Mapping[str, str]]]:
    """The variables that tell programs of a server, by how it is spoken to."""
    administrator = {"KEYCLOAK_USERNAME": options.user, "KEYCLOAK_PASSWORD": options.password}
    if options.url:
        trusted = _trusted(options.ca) if options.ca else {}
        yield {options.url: {**administrator, "KEYCLOAK_URL": options.url, **trusted}}
        return
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        clients, (port,) = authority("Clients' CA"), free_ports(1)
        (directory / "clients.pem").write_text(clients.pem)
        flags = ("--mtls-port", str(port), "--https-trust-store-file", str(directory / "clients.pem"))
        with running(directory / "server", *flags) as server:
            yield _addresses(server, administrator, _shown(directory, clients))


def _addresses(
    server: ServerProcess, administrator: Mapping[str, str], shown: Mapping[str, str]
) -> dict[str, Mapping[str, str]]:
    https = {"KEYCLOAK_URL": f"https://localhost:{server.https_port}", **_trusted(str(server.ca)), **shown}
    return {
        "http": {**administrator, "KEYCLOAK_URL": f"http://127.0.0.1:{server.http_port}"},
        "https": {**administrator, **https},
    }


def _shown(directory: Path, clients: Authority) -> dict[str, str]:
    """Certificates to be shown: one of an authority that the server knows, and one that nobody knows yet."""
    shown: dict[str, str] = {}
    for name, holder in (("ISSUED", clients.issue("issued")), ("OWN", self_signed("own"))):
        certificate, key = holder.files(directory)
        shown |= {f"KEYCLOAK_{name}_CERTIFICATE": str(certificate), f"KEYCLOAK_{name}_KEY": str(key)}
    return shown


def _trusted(ca: str) -> dict[str, str]:
    return {"KEYCLOAK_CA": ca, "NODE_EXTRA_CA_CERTS": ca}


def outcomes(program: Program, known: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Outcome]]:
    """Installs it, and runs it against each server; by how the server is spoken to."""
    why_not = program.prepare()
    for spoken, server in known.items():
        yield spoken, Outcome(None, why_not) if why_not else program.against(server)


def main() -> int:
    options = arguments()
    programs = [program for program in PROGRAMS if not options.names or program.name in options.names]
    words = {True: "passed", False: "FAILED", None: "skipped"}
    ended = []
    with servers(options) as known:
        for program in programs:
            for spoken, outcome in outcomes(program, known):
                ended.append(outcome.ok)
                print(f"{words[outcome.ok]:8}{program.name:15}{program.about}, {spoken}", flush=True)
                if not outcome.ok:
                    print(outcome.said, flush=True)
    print(f"{ended.count(True)} passed, {ended.count(False)} failed, {ended.count(None)} skipped")
    left_out = not any(ended) or (options.names and None in ended)
    return 1 if False in ended or left_out else 0


if __name__ == "__main__":
    sys.exit(main())
