"""What is known of this process."""

import resource
import sys
import time
from pathlib import Path
from typing import Final

__all__ = ["STARTED", "resident_memory"]

STARTED: Final = round(time.time() - time.process_time(), 3)
"""When it began, in seconds since the epoch."""


def resident_memory() -> int:
    """Resident memory of this process in bytes; where /proc is missing, the most it ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * resource.getpagesize()
