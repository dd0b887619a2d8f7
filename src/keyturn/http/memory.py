"""Gives memory back to the system that was needed for a moment."""

import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 1
_MAPPED_FROM: Final = 1024 * 1024
"""Bytes from which a block is mapped for itself, and unmapped when it is freed."""


def return_large_blocks() -> None:
    """Keeps the C library from holding on to large blocks once they are freed.

    glibc raises that threshold to the size of the first such block, up to 32 MiB. The 7 MiB of each password check
    would stay with every worker thread that has made one: 60 MB in all (mallopt(3)). And it gives each thread a heap of
    its own, none of which has a use for what is free in another: 8 MB after ten thousand clients were loaded. Threads
    that take turns at the interpreter need no more than one. Other C libraries do nothing here.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM)
    mallopt(_M_ARENA_MAX, _ARENAS)
