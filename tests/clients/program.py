"""A program that administers a server with somebody's library: how it is installed, and how it is run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / ".clients"
_INSTALL_WITHIN_S = 900
_RUN_WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went. ``ok`` is None where the program could not be run at all; `said` says why, or what went wrong."""

    ok: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class Program:
    """One library. In commands, ``{here}`` is this folder, ``{installed}`` one that the program has for itself, and
    ``{python}`` this interpreter; `needs` are commands that have to be there already.

    `install` runs every time: what is there already has to be seen by the tools themselves.
    """

    name: str
    about: str
    needs: tuple[str, ...]
    install: tuple[str, ...]
    run: str

    def prepare(self) -> str:
        """Installs it; why it could not be, or nothing."""
        missing = [command for command in self.needs if shutil.which(command) is None]
        if missing:
            return f"not installed: {', '.join(missing)}"
        (INSTALLED / self.name).mkdir(parents=True, exist_ok=True)
        for command in self.install:
            outcome = self._call(command, {}, _INSTALL_WITHIN_S)
            if not outcome.ok:
                return f"cannot be installed: {command}\n{outcome.said}"
        return ""

    def against(self, server: Mapping[str, str]) -> Outcome:
        """Runs it against the server that these variables tell of."""
        return self._call(self.run, server, _RUN_WITHIN_S)

    def _call(self, command: str, variables: Mapping[str, str], seconds: int) -> Outcome:
        places = {"here": str(HERE), "installed": str(INSTALLED / self.name), "python": sys.executable}
        try:
            done = subprocess.run(
                [part.format_map(places) for part in command.split()],
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(False, f"took over {seconds} seconds")
        return Outcome(done.returncode == 0, done.stdout.decode(errors="replace").strip())
