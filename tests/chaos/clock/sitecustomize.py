"""What Python reads first in a node whose clock is moved: its time is off by the seconds that a file holds."""

import os
import time
from pathlib import Path

_FILE = Path(os.environ["CHAOS_CLOCK"])
_true = time.time
_read = [0.0, 0.0]  # when, by the clock that nobody moves; and what it said


def _moved() -> float:
    now = time.monotonic()
    if now > _read[0] + 0.05:
        _read[:] = now, float(_FILE.read_text() or 0)
    return _true() + _read[1]


time.time = _moved
