"""A fresh server for each test: master with its administrator, and the realm ``demo`` to work in."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from admin_server import NOW, Server
from harness.database import database_in
from keyturn.admin.client_changes import Fresh
from keyturn.admin.randomness import random_id, random_secret
from keyturn.admin.realm_creation import prepare_realm, store_realm
from keyturn.model.new_realm import NewRealm
from keyturn.registry.registry import Registry
from keyturn.representations.realm import RealmRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.store.backends import open_store
from keyturn.store.seal_key import SealKeys


def _fresh() -> Fresh:
    return Fresh(random_id, random_secret, NOW)


@pytest.fixture(scope="session")
def made_realms() -> list[NewRealm]:
    """Master and ``demo``, ready to be stored: keys take a while to make."""
    administrator = UserRepresentation(username="admin", enabled=True, realm_roles=["admin", "default-roles-master"])
    master = RealmRepresentation(realm="master", enabled=True, users=[administrator])
    demo = RealmRepresentation(realm="demo", enabled=True)
    return [prepare_realm(realm, fresh=_fresh(), random=os.urandom) for realm in (master, demo)]


@pytest.fixture(scope="session")
def made_database(tmp_path_factory: pytest.TempPathFactory, made_realms: list[NewRealm]) -> Path:
    """A directory with a database in which the realms are, to be copied."""
    path = tmp_path_factory.mktemp("made")
    store = open_store(database_in(path), SealKeys(path), lambda: NOW)
    for made in made_realms:
        with store.write() as tx:
            store_realm(tx, made, fresh=_fresh())
    store.close()
    return path


@contextmanager
def _copied(made_database: Path, path: Path) -> Iterator[Server]:
    shutil.copytree(made_database, path)
    store = open_store(database_in(path, made_database), SealKeys(path), lambda: NOW)
    yield Server(store, Registry(store))
    store.close()


@pytest.fixture
def server(tmp_path: Path, made_database: Path) -> Iterator[Server]:
    """A fresh server."""
    with _copied(made_database, tmp_path / "data") as server:
        yield server


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory, made_database: Path) -> Iterator[Server]:
    """A server for all tests of a module, which leave each other alone."""
    with _copied(made_database, tmp_path_factory.mktemp("keyturn") / "data") as server:
        yield server
