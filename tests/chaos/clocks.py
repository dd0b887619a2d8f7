"""The clock of a node, which can be moved while it runs."""

import os
from pathlib import Path
from typing import Final

_SITE: Final = Path(__file__).parent / "clock"


class MovableClock:
    """What time a node believes it is: the true one and so many seconds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, seconds: float) -> None:
        """Moves it; the node notices within a twentieth of a second."""
        partial = self._file.with_suffix(".part")
        partial.write_text(str(seconds))
        partial.replace(self._file)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a process that goes by it."""
        paths = [str(_SITE), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {"PYTHONPATH": os.pathsep.join(paths), "CHAOS_CLOCK": str(self._file)}
