"""``keyturn reseal``: seals the secrets in the database with another key."""

import os
from pathlib import Path

from keyturn.config import Settings, SettingsError
from keyturn.http.serve import open_database, seal_keys
from keyturn.jose.seal import SealKey, format_seal_key, new_seal_key, parse_seal_key
from keyturn.store.data_directory import DataDirectory


def change_key(settings: Settings, new_key_file: Path | None) -> None:
    """Changes the key and says where the new one is.

    Args:
        new_key_file: holds the new key, or will; None for a random one in the data directory.

    Raises:
        SettingsError: the present key is given from outside, but there is nowhere for the new one to go; or the file
            with the new key cannot be read or written.
        StoreError: the server is running, the present key is wrong, the database cannot be written to.
    """
    with DataDirectory(settings.data) as directory:
        if settings.database is None and not directory.database.exists():
            raise SettingsError(f"there is no database in {directory.path}")
        keys = seal_keys(settings, directory.path)
        if keys.given is not None and new_key_file is None:
            raise SettingsError("the present seal key is given by file or variable: --new-seal-key-file is needed")
        if keys.given is None and new_key_file is not None:
            raise SettingsError(
                "the seal key is kept in the data directory, and so is the new one: "
                "--new-seal-key-file is for keys that are given by --seal-key-file or KEYTURN_SEAL_KEY"
            )
        new = None if new_key_file is None else _read_or_make(new_key_file)
        store = open_database(settings, directory, keys)
        try:
            key = keys.replace(store, new)
        finally:
            store.close()
        where = keys.file if new_key_file is None else new_key_file
        print(f"All secrets are sealed with the key {key.id}, which is in {where}")
        if new_key_file is not None:
            print(f"From now on the server needs --seal-key-file {new_key_file}; keep the former key for old backups.")


def _read_or_make(path: Path) -> SealKey:
    try:
        if path.exists():
            return parse_seal_key(path.read_bytes())
        key = new_seal_key()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(format_seal_key(key))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SettingsError(f"{path} cannot be used: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None
    return key
