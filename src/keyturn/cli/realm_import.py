"""``keyturn realm import``: takes realms from files as Keycloak's ``kc.sh export`` writes them, or keyturn's own."""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from keyturn.admin.client_changes import Fresh
from keyturn.admin.errors import AdminError
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.realm_creation import administer_realms, prepare_realm, store_realm
from keyturn.cli.serve import administrator_text, server_url
from keyturn.config import Settings, SettingsError
from keyturn.http.bootstrap import bootstrap
from keyturn.http.serve import open_database
from keyturn.model.new_realm import MASTER, NewRealm
from keyturn.representations import RealmRepresentation, UserRepresentation, given, replace
from keyturn.representations.reading import UnreadableDocument, read
from keyturn.store.collections import REALMS, ROLES
from keyturn.store.data_directory import DataDirectory
from keyturn.store.retrying import retried
from keyturn.store.spi import Relation, Store, Transaction

__all__ = ["FAIL", "REPLACE", "SKIP", "import_realms"]

FAIL: Final = "fail"
SKIP: Final = "skip"
REPLACE: Final = "replace"

_REALM_FILES: Final = "*-realm.json"
_USER_FILES: Final = "*-users-*.json"
_LOCKED_OUT: Final = "keyturn: nobody in the realm master holds the role admin: nobody can administer this server"
_FEDERATED: Final = "-federated-users-"
"""In the names of files of users whom Keycloak has from elsewhere."""


def import_realms(settings: Settings, *, file: Path | None, directory: Path | None, existing: str) -> None:
    """Takes all realms of a file, or of the files in a directory, in one transaction, and says which.

    In a new data directory the realm ``master`` and its administrator are made as at a first start, unless ``master``
    is among them. The server must not be running.

    Args:
        existing: what happens where a realm is there already: ``fail``, ``skip`` or ``replace``.

    Raises:
        SettingsError: a file cannot be read, holds no realm, or a realm is there already.
        StoreError: the server is running, or the database cannot be written to.
    """
    realms = _read_file(file) if file is not None else _read_directory(directory or Path())
    now = time.time()
    fresh = Fresh(random_id, random_secret, now)
    with DataDirectory(settings.data) as held:
        store = open_database(settings, held)
        try:
            wanted = _wanted(store, realms, existing)
            made = [_prepared(realm, fresh, frozenset(settings.features)) for realm in wanted]
            if not any(given(realm.realm, "") == MASTER for realm in wanted):
                administrator = bootstrap(store, settings, held.path, on_terminal=sys.stdout.isatty(), clock=time.time)
                if administrator is not None:
                    print("\n".join(administrator_text(administrator, server_url(settings))))
            if not retried(lambda: _put(store, made, fresh)):
                print(_LOCKED_OUT, file=sys.stderr)
        finally:
            store.close()
    for realm in wanted:
        print(f"realm {realm.realm} is imported")


def _put(store: Store, made: Sequence[NewRealm], fresh: Fresh) -> bool:
    """Whether somebody can log in to administer what is stored."""
    with store.write() as tx:
        for each in made:
            _store(tx, each, fresh)
        administer_realms(tx, fresh=fresh)
        return _has_administrator(tx)


def _wanted(store: Store, realms: Sequence[RealmRepresentation], existing: str) -> list[RealmRepresentation]:
    """`realms` without those that are there and stay, ``master`` first."""
    with store.read() as reader:
        there = {str(realm.realm) for realm in reader.select(REALMS, None)}
    found = [str(realm.realm) for realm in realms if given(realm.realm, "") in there]
    if found and existing == FAIL:
        raise SettingsError(f"there is a realm {found[0]} already: --existing says whether to skip or replace it")
    for name in found if existing == SKIP else ():
        print(f"realm {name} is there already, and stays as it is")
    kept = [realm for realm in realms if existing != SKIP or given(realm.realm, "") not in there]
    return sorted(kept, key=lambda realm: given(realm.realm, "") != MASTER)


def _prepared(realm: RealmRepresentation, fresh: Fresh, features: frozenset[str]) -> NewRealm:
    try:
        return prepare_realm(realm, fresh=fresh, random=os.urandom, features=features)
    except AdminError as error:
        raise _refused(realm, error) from None


def _store(tx: Transaction, made: NewRealm, fresh: Fresh) -> None:
    former = tx.find(REALMS, None, realm=str(made.realm.realm))
    if former is not None:
        tx.delete_realm(str(former.id))  # master's side of it stays, with who has rights in it
    try:
        store_realm(tx, made, fresh=fresh, administered=False)
    except AdminError as error:
        raise _refused(made.realm, error) from None


def _has_administrator(tx: Transaction) -> bool:
    master = tx.find(REALMS, None, realm=MASTER)
    master_id = "" if master is None else str(master.id)
    admin = tx.find(ROLES, master_id, container_id=master_id, name="admin")
    return admin is not None and bool(tx.sources(Relation.USER_ROLE, master_id, str(admin.id)))


def _refused(realm: RealmRepresentation, error: AdminError) -> SettingsError:
    document = error.document
    told = document.get("errorMessage") or document.get("error_description") or document.get("error")
    return SettingsError(f"realm {given(realm.realm, '?')} cannot be imported: {told}")


def _read_file(path: Path) -> list[RealmRepresentation]:
    """The realms of a file: one, or a list of them."""
    content = _content(path)
    kind: Any = list[RealmRepresentation] if content.lstrip()[:1] == b"[" else RealmRepresentation
    found = _read(path, content, kind)
    return found if isinstance(found, list) else [found]


def _read_directory(path: Path) -> list[RealmRepresentation]:
    """The realms of a directory, with the users that stand in files of their own."""
    realm_files = sorted(path.glob(_REALM_FILES))
    if not realm_files:
        raise SettingsError(f"there is no file {_REALM_FILES} in {path}")
    users: dict[str, list[UserRepresentation]] = defaultdict(list)
    for user_file in sorted(path.glob(_USER_FILES)):
        if _FEDERATED in user_file.name:
            print(f"{user_file} is left out: its users are not the realm's own")
            continue
        for part in _read_file(user_file):
            users[given(part.realm, "")] += given(part.users, [])
    return [_with_users(realm, users) for each in realm_files for realm in _read_file(each)]


def _with_users(realm: RealmRepresentation, users: Mapping[str, list[UserRepresentation]]) -> RealmRepresentation:
    more = users.get(given(realm.realm, ""), [])
    return replace(realm, users=[*given(realm.users, []), *more]) if more else realm


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None


def _read(path: Path, content: bytes, kind: Any) -> Any:
    try:
        return read(content, kind)
    except UnreadableDocument as error:
        where = f"line {error.line}, column {error.column}"
        raise SettingsError(f"{path} is no export of a realm: {error} ({where})") from None
