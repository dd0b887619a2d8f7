"""The directory that a server keeps its data in: the owner's alone, and one server's at a time."""

import fcntl
import os
from pathlib import Path
from typing import Final, Self

from keyturn.store.spi import StoreError

_LOCK: Final = "keyturn.lock"


class AlreadyRunning(StoreError):
    """Another process holds the data directory."""


class Unwritable(StoreError):
    """The data directory cannot be made or written to."""


class DataDirectory:
    """A data directory, made with mode 0700 where there is none, and held until ``close``.

    Raises AlreadyRunning, Unwritable. The lock goes with the process: after a crash there is nothing to clean up.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Unwritable(f"the data directory {path} cannot be written to: {error.strerror}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise AlreadyRunning(f"the data directory {path} is in use by another keyturn, process {holder}") from None
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(self._lock)
            raise Unwritable(f"the data directory {path} cannot be written to: {error.strerror}") from None

    def close(self) -> None:
        """Lets others in."""
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def database(self) -> Path:
        """Where the SQLite database is."""
        return self.path / "keyturn.db"
