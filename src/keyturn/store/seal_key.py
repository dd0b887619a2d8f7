"""Where the key comes from that secrets are sealed with: the environment, or a file beside the database."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from keyturn.jose.seal import SealKey, format_seal_key, new_seal_key, parse_seal_key
from keyturn.store.files import put_in_place
from keyturn.store.spi import StoreError

_VALUE: Final = "KEYTURN_SEAL_KEY"
_FILE: Final = "KEYTURN_SEAL_KEY_FILE"


class SealKeyMissing(StoreError):
    """There is no seal key for a database that has something in it."""


class SealKeyWrong(StoreError):
    """The seal key is not the one that the database was sealed with, or no key at all."""


class Resealable(Protocol):
    """A store whose secrets can be sealed anew."""

    def reseal(self, new: SealKey) -> None:
        """Seals everything with `new` in one transaction."""
        ...


@dataclass(frozen=True, slots=True)
class SealKeys:
    """The source of the seal key of one database: `given`, or else a file in `directory`."""

    directory: Path
    given: SealKey | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, directory: Path, environment: Mapping[str, str]) -> "SealKeys":
        """``KEYTURN_SEAL_KEY`` (the key) or ``KEYTURN_SEAL_KEY_FILE`` (its path), else ``seal.key`` in `directory`.

        Raises SealKeyMissing, SealKeyWrong where what the variable names is not there or no key.
        """
        if value := environment.get(_VALUE):
            return cls(directory, _parsed(value, _VALUE))
        if path := environment.get(_FILE):
            try:
                content = Path(path).read_bytes()
            except OSError as error:
                raise SealKeyMissing(f"the seal key file {path} of {_FILE} cannot be read: {error.strerror}") from None
            return cls(directory, _parsed(content, path))
        return cls(directory)

    @property
    def file(self) -> Path:
        """Where the key is kept unless it is given otherwise."""
        return self.directory / "seal.key"

    @property
    def _next_file(self) -> Path:
        return self.directory / "seal.key.new"

    def of_empty_database(self) -> SealKey:
        """The key to begin with; made and written where there is none."""
        if self.given is not None:
            return self.given
        key = _read(self.file)
        if key is None:
            key = new_seal_key()
            _write(self.file, key)
        return key

    def of_database(self, key_id: str) -> SealKey:
        """The key with this id, which the database was sealed with. Ends a change of keys that a crash broke off.

        Raises SealKeyMissing, SealKeyWrong.
        """
        if self.given is not None:
            return _expected(self.given, key_id, "the given seal key")
        upcoming = _read(self._next_file)
        if upcoming is not None and upcoming.id == key_id:  # resealed, but the file was not replaced any more
            put_in_place(self._next_file, self.file)
            return upcoming
        current = _read(self.file)
        if current is None:
            raise SealKeyMissing(f"the seal key {key_id} of this database is missing: put it back at {self.file}")
        _expected(current, key_id, str(self.file))
        if upcoming is not None:  # the change of keys did not reach the database
            self._next_file.unlink()
        return current

    def keep(self, key: SealKey) -> None:
        """Writes `key`, of a database that is yet to be made, into the file. Raises SealKeyWrong: another is there."""
        present = _read(self.file)
        if present is None:
            _write(self.file, key)
        elif present.id != key.id:
            raise SealKeyWrong(f"{self.file} is the key {present.id}, not {key.id} of the database to come")

    def replace(self, store: Resealable, new: SealKey | None = None) -> SealKey:
        """Seals `store` with another key (by default a new random one), which becomes the one in the file.

        A crash at any point leaves a database that opens, with the old key or the new one. Where the key is `given`, no
        file is written: the new key has to be given from then on.
        """
        new = new or new_seal_key()
        if self.given is not None:
            store.reseal(new)
            return new
        self._next_file.unlink(missing_ok=True)
        _write(self._next_file, new)
        store.reseal(new)
        put_in_place(self._next_file, self.file)
        return new


def _parsed(content: str | bytes, origin: str) -> SealKey:
    try:
        return parse_seal_key(content)
    except ValueError as error:
        raise SealKeyWrong(f"{origin}: {error}") from None


def _expected(key: SealKey, key_id: str, origin: str) -> SealKey:
    if key.id != key_id:
        raise SealKeyWrong(f"{origin} is the key {key.id}, but this database was sealed with {key_id}")
    return key


def _read(path: Path) -> SealKey | None:
    try:
        return _parsed(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SealKeyMissing(f"the seal key file {path} cannot be read: {error.strerror}") from None


def _write(path: Path, key: SealKey) -> None:
    """Writes the file whole or not at all, owner-only, and waits for the disk."""
    partial = path.with_name(f"{path.name}.part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(format_seal_key(key))
        file.flush()
        os.fsync(file.fileno())
    put_in_place(partial, path)
