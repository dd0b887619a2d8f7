"""``keyturn realm export``: writes realms as Keycloak's ``kc.sh export`` does, secrets included, for the owner only."""

import glob
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from keyturn.admin.realm_export import Exported, Users, exported_realm
from keyturn.config import Settings, SettingsError
from keyturn.http.serve import seal_keys
from keyturn.representations import UNSET, RealmRepresentation, encode, given, replace
from keyturn.store.backends import open_store, sqlite
from keyturn.store.collections import REALMS
from keyturn.store.data_directory import AlreadyRunning, DataDirectory
from keyturn.store.files import put_in_place
from keyturn.store.spi import Reader, Store

__all__ = ["DIFFERENT_FILES", "REALM_FILE", "SAME_FILE", "SKIP", "export_realms"]

SKIP: Final = "skip"
REALM_FILE: Final = "realm_file"
SAME_FILE: Final = "same_file"
DIFFERENT_FILES: Final = "different_files"

_WARNING: Final = (
    "keyturn: what was written holds client secrets, private keys and password hashes in the clear: "
    "keep it as you would keep them"
)


def export_realms(
    settings: Settings, names: Sequence[str], *, file: Path | None, directory: Path | None, users: str, per_file: int
) -> None:
    """Writes the realms of these names, or all, to a file or into a directory, and says what was written.

    A server may be running: what is read is one consistent view. Each file is written whole or not at all.

    Args:
        users: where users go: ``same_file`` as the realm where there is one `file`; in a `directory` ``realm_file``,
            ``same_file`` beside it, ``different_files`` of `per_file` each, or nowhere (``skip``).

    Raises:
        SettingsError: there is no such realm or database, or a file cannot be written.
        StoreError: the database cannot be read, or is an older keyturn's that is running.
    """
    with _reading(settings) as reader:
        realms = _realms(reader, names)
        wanted = Exported(users=Users.NONE if users == SKIP else Users.ALL)
        documents = [exported_realm(reader, realm, wanted) for realm in realms]
    if file is not None:
        _write(file, documents[0] if len(documents) == 1 else documents)
    elif directory is not None:
        _make(directory)
        for document in documents:
            _write_into(directory, document, users, per_file)
    print(_WARNING, file=sys.stderr)


@contextmanager
def _reading(settings: Settings) -> Iterator[Reader]:
    with _store(settings) as store, store.read() as reader:
        yield reader


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    """The database of the data directory; beside a server that has it open nothing of it is changed."""
    path = Path(settings.data)
    if settings.database is not None:  # anybody may read it beside its servers
        with closing(open_store(settings.database, seal_keys(settings, path), time.time)) as store:
            yield store
        return
    if not (path / "keyturn.db").exists():
        raise SettingsError(f"there is no database in {path}")
    try:
        held = DataDirectory(path)
    except AlreadyRunning:
        store = sqlite.open_beside(path / "keyturn.db", seal_keys(settings, path), time.time)
        try:
            yield store
        finally:
            store.close()
        return
    with held:
        store = sqlite.open_store(held.database, seal_keys(settings, path), time.time)
        try:
            yield store
        finally:
            store.close()


def _realms(reader: Reader, names: Sequence[str]) -> list[RealmRepresentation]:
    found = {str(realm.realm): realm for realm in reader.select(REALMS, None, order_by="realm")}
    for name in names:
        if name not in found:
            raise SettingsError(f"there is no realm {name}")
    return [realm for name, realm in found.items() if not names or name in names]


def _write_into(directory: Path, realm: RealmRepresentation, users: str, per_file: int) -> None:
    name, people = str(realm.realm), given(realm.users, [])
    for former in directory.glob(f"{glob.escape(name)}-users-[0-9]*.json"):
        former.unlink()  # an import would take its users, too
    size = {SAME_FILE: max(1, len(people)), DIFFERENT_FILES: per_file}.get(users)
    if size is not None:
        for number, start in enumerate(range(0, len(people), size)):
            part = RealmRepresentation(realm=name, users=people[start : start + size])
            _write(directory / f"{name}-users-{number}.json", part)
        realm = replace(realm, users=UNSET)
    _write(directory / f"{name}-realm.json", realm)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{directory} cannot be made: {error.strerror}") from None


def _write(path: Path, document: RealmRepresentation | list[RealmRepresentation]) -> None:
    """Writes the file whole or not at all, owner-only, and waits for the disk."""
    content = msgspec.json.format(encode(document), indent=2)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content + b"\n")
                file.flush()
                os.fsync(file.fileno())
            put_in_place(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from None
    print(path)
