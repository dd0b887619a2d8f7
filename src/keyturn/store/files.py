"""Files that are there whole or not at all, also after the power has failed."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Waits until what is in the file, or which names are in the directory, is on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(source: Path, target: Path) -> None:
    """Gives the file `source`, which is on the disk, the name `target` in the same directory. Raises OSError."""
    source.replace(target)
    sync(target.parent)
