"""``keyturn backup``: one file with everything that is in SQLite, while the server runs."""

import os
import time
from contextlib import closing
from pathlib import Path

from keyturn.config import Settings, SettingsError
from keyturn.http.serve import seal_keys
from keyturn.store.backends import sqlite
from keyturn.store.files import put_in_place, sync


def back_up(settings: Settings, file: Path) -> None:
    """Copies the database as it is at one moment, reads the copy, and says what is in it.

    The file is the owner's alone, and is there whole or not at all, on the disk. Nobody waits for it.

    Raises:
        SettingsError: the database is PostgreSQL's, or there is none; the file is there already or cannot be written.
        StoreError: the database cannot be read, or is an older keyturn's that is running.
    """
    if settings.database is not None:
        raise SettingsError("PostgreSQL has its own backups: pg_dump, or pg_basebackup with the log")
    database = settings.data / "keyturn.db"
    if not database.exists():
        raise SettingsError(f"there is no database in {settings.data}")
    if file.exists():
        raise SettingsError(f"{file} is there already")
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        try:
            sqlite.back_up(database, partial)
            with closing(sqlite.open_beside(partial, seal_keys(settings, settings.data), time.time)) as copy:
                with copy.read() as reader:
                    revision = reader.revision
                key = copy.seal_key
            sync(partial)
            put_in_place(partial, file)
        finally:
            for each in (partial, *(partial.with_name(f"{partial.name}{end}") for end in ("-wal", "-shm"))):
                each.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}") from None
    print(f"{file}: everything up to revision {revision}, sealed with the key {key.id}")
